# SPDX-License-Identifier: Apache-2.0
"""Encrypted backups and the program age: each opens what the other made, and neither what is damaged."""

import hashlib
import json
import re
import shutil
import subprocess
from pathlib import Path

import pytest

from harness.agent import BINARY, ROOT, config_text, run_cli
from harness.backups import Terminal
from harness.worker import Worker

CHUNK = 65536  # of age's payload; each has a tag of 16 bytes
SIZES = [1, CHUNK - 1, CHUNK, CHUNK + 1, 2 * CHUNK, 3 * CHUNK]
DUMP = ROOT / "tests/fixtures/backup/pg15.pgdump"
NOISE = hashlib.shake_256(b"a dump").digest(4 * CHUNK)


class Key:
    def __init__(self, path, text):
        self.path = path
        path.touch(mode=0o600)
        path.write_text(text)
        self.recipient = subprocess.run(["age-keygen", "-y", str(path)], check=True, capture_output=True, text=True).stdout.strip()


@pytest.fixture(scope="module")
def keys(tmp_path_factory):
    """One that the agent made and one of age-keygen, the file as it writes it."""
    folder = tmp_path_factory.mktemp("keys")
    ours = json.loads(run_cli("backup", "key", "--json").stdout)
    theirs = subprocess.run(["age-keygen"], check=True, capture_output=True, text=True).stdout
    keys = Key(folder / "ours", ours["identity"] + "\n"), Key(folder / "theirs", theirs)
    assert keys[0].recipient == ours["recipient"]
    return keys


class Shop(Worker):
    """Backups of a file as it is. They are read by the command, from a configuration file."""

    def __init__(self, folder):
        super().__init__(folder, {"compression": "none", "command": ["/bin/cat", f"{folder}/data"]})
        self.data = self.folder / "data"

    def object(self):
        """The only one."""
        [name] = [f for f in self.files() if not f.endswith(".json")]
        return Path(self.stores[0]["path"]) / name

    def backup_of(self, data, job=None):
        self.data.write_bytes(data)
        self.backup({"key_exported": True, **(job or {})})
        return self.object()

    def put(self, plain, stored, **manifest):
        """A backup whose object somebody else encrypted."""
        path = self.object() if self.files() else self.backup_of(plain)
        path.write_bytes(stored)
        shutil.rmtree(self.state / "backup" / "manifests", ignore_errors=True)  # a manifest never changes
        [name] = self.manifests()
        manifest_path = Path(self.stores[0]["path"]) / name
        m = {**json.loads(manifest_path.read_text()), **manifest}
        m["members"][0].update(stored_bytes=len(stored), stored_sha256=hashlib.sha256(stored).hexdigest())
        m["members"][0]["segments"][0]["bytes"] = len(stored)
        manifest_path.write_text(json.dumps(m))

    def restore(self, *arguments, **job):
        """`agent backup restore shop --to -`"""
        config = self.folder / "agent.conf"
        config.write_text(config_text({
            "databases": {"shop": {"engine": "command", "command": ["/bin/false"], "stores": ["local"], **job}},
            "stores": {"local": {"type": "directory", "path": self.stores[0]["path"]}}}))
        return subprocess.run([str(BINARY), "backup", "restore", "shop", "--to", "-", "--config", str(config), "--state", str(self.state),
                               *arguments], stdin=subprocess.DEVNULL, capture_output=True, timeout=60, check=False)

    def refused(self, words, *arguments, **job):
        r = self.restore(*arguments, **job)
        said = (r.stdout + r.stderr).decode(errors="replace")
        assert r.returncode == 1 and words in said, said
        assert len(r.stdout) < len(NOISE) and NOISE.startswith(r.stdout)


@pytest.fixture
def shop(tmp_path):
    return Shop(tmp_path)


def age(*arguments, data=None):
    return subprocess.run(["age", *map(str, arguments)], input=data, check=True, stdout=subprocess.PIPE).stdout


def age_asks(*arguments, passphrase):
    """age takes a passphrase from a terminal only."""
    terminal = Terminal(*map(str, arguments), program="age")
    for _ in range(2 if "-p" in arguments else 1):
        terminal.wait_for(r"(Enter|Confirm) passphrase[^:]*: *$")
        terminal.text = ""
        terminal.type(passphrase + "\n")
    status, text = terminal.end()
    assert status == 0, text


# --- what the agent encrypted

@pytest.mark.parametrize("size", SIZES)
def test_age_opens_what_we_made(shop, keys, size):
    path = shop.backup_of(NOISE[:size], {"encrypt": [k.recipient for k in keys]})
    assert NOISE[:64] not in path.read_bytes() or size < 64
    for key in keys:
        assert age("-d", "-i", key.path, path) == NOISE[:size]


def test_age_opens_it_with_our_passphrase(shop, tmp_path):
    secret = tmp_path / "passphrase"
    secret.touch(mode=0o600)
    secret.write_text("correct hörse\n")
    path = shop.backup_of(NOISE, {"passphrase_file": str(secret)})
    age_asks("-d", "-o", tmp_path / "out", path, passphrase="correct hörse")
    assert (tmp_path / "out").read_bytes() == NOISE


# --- what age encrypted

@pytest.mark.parametrize("size", SIZES)
def test_we_open_what_age_made(shop, keys, size):
    theirs = keys[1]
    shop.put(NOISE[:size], age("-r", theirs.recipient, data=NOISE[:size]), recipients=[theirs.recipient])
    r = shop.restore("--identity", str(theirs.path))
    assert r.stdout == NOISE[:size], r.stderr
    shop.refused("it is for others", "--identity", str(keys[0].path))


def test_we_open_what_age_made_for_several(shop, keys, tmp_path):
    (tmp_path / "recipients").write_text("# both\n" + "".join(k.recipient + "\n" for k in keys))
    shop.put(NOISE, age("-R", tmp_path / "recipients", data=NOISE), recipients=[k.recipient for k in keys])
    for key in keys:
        assert shop.restore("--identity", str(key.path)).stdout == NOISE
    both = tmp_path / "both"
    both.touch(mode=0o600)
    other = json.loads(run_cli("backup", "key", "--json").stdout)["identity"]
    both.write_text(f"# not this one:\n{other}\n{keys[1].path.read_text()}")
    assert shop.restore(identity_file=str(both)).stdout == NOISE


def test_we_open_what_age_made_with_a_passphrase(shop, tmp_path):
    (tmp_path / "plain").write_bytes(NOISE)
    age_asks("-p", "-o", tmp_path / "stored", tmp_path / "plain", passphrase="correct hörse")
    shop.put(NOISE, (tmp_path / "stored").read_bytes(), passphrase=True)
    secret = tmp_path / "passphrase"
    secret.touch(mode=0o600)
    secret.write_text("correct hörse\n")
    assert shop.restore(passphrase_file=str(secret), key_exported=True).stdout == NOISE
    secret.write_text("wrong horse\n")
    shop.refused("the passphrase is wrong", passphrase_file=str(secret), key_exported=True)
    shop.refused("passphrase_file")


def test_armor_is_refused_by_name(shop, keys):
    shop.put(NOISE, age("-a", "-r", keys[0].recipient, data=NOISE), recipients=[keys[0].recipient])
    shop.refused("armor", "--identity", str(keys[0].path))


# --- what is damaged, though its hash in the manifest is right

def test_what_is_cut_is_refused(shop, keys):
    """In the middle of a chunk, and at each border of two."""
    stored = age("-r", keys[0].recipient, data=NOISE)
    end = len(stored)
    for cut in [end - 1, end - 16, *(end - i * (CHUNK + 16) for i in range(1, 5)), end - CHUNK // 2, 200, 100, 22, 0]:
        shop.put(NOISE, stored[:cut], recipients=[keys[0].recipient])
        shop.refused("this is no age file" if cut == 0 else "ends early", "--identity", str(keys[0].path))


def test_a_header_that_was_changed_is_refused(shop, keys):
    stored = age("-r", keys[0].recipient, data=NOISE)
    header = stored.index(b"\n--- ") + 50
    for at in range(0, header, 13):
        changed = bytearray(stored)
        changed[at] ^= 1
        shop.put(NOISE, bytes(changed), recipients=[keys[0].recipient])
        shop.refused("", "--identity", str(keys[0].path))


# --- keys of other kinds

@pytest.mark.parametrize("recipient, words", [
    ("age1yubikey1qwt50d05nh5vutpdzmlg5wn80xq5negm4uj9ghv0snvdd3yysf5yw3rhl3t", "age plugin"),
    ("ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIHsKLqeplhpW", "SSH key"),
    ("AGE-SECRET-KEY-1EGTZVFFV20835NWYV6270LXYVK2VKNX2MMDKWYKLMGR48UAWX40Q2P2LM0", "is a private key"),
])
def test_other_keys_are_refused_by_the_check_of_the_configuration(tmp_path, recipient, words):
    config = tmp_path / "agent.conf"
    config.write_text(config_text({"databases": {"shop": {
        "engine": "command", "command": ["/bin/true"], "encrypt": [recipient], "key_exported": True}}}))
    r = run_cli("config", "check", "--config", str(config))
    assert r.returncode == 1 and words in r.stderr and "2P2LM0" not in r.stderr, r.stderr


def test_a_key_of_a_plugin_is_refused_by_name(shop, keys, tmp_path):
    shop.backup_of(NOISE, {"encrypt": [keys[0].recipient]})
    plugin = tmp_path / "plugin"
    plugin.touch(mode=0o600)
    plugin.write_text("AGE-PLUGIN-YUBIKEY-1QGQ8QRSZQGGQ8QR\n")
    shop.refused("age plugin", "--identity", str(plugin))


# --- by hand, as the README says

def by_hand(key, path, *program):
    """age -d -i KEY OBJECT | zstd -d | PROGRAM"""
    plain = subprocess.run(["zstd", "-d"], input=age("-d", "-i", key.path, path), check=True, stdout=subprocess.PIPE).stdout
    return subprocess.run(program, input=plain, check=True, stdout=subprocess.PIPE).stdout.decode()


def test_a_database_opens_by_hand(shop, keys):
    path = shop.backup_of(DUMP.read_bytes(), {"encrypt": [keys[0].recipient], "compression": "zstd"})
    assert path.name == "output.zst.age"
    tool = max(Path("/usr/lib/postgresql").glob("*/bin/pg_restore"), default="pg_restore")
    assert "TABLE" in by_hand(keys[0], path, str(tool), "-l")


def test_a_folder_opens_by_hand(tmp_path, keys):
    folder = tmp_path / "files"
    (folder / "sub").mkdir(parents=True)
    (folder / "sub" / "a file").write_text("what is in it")
    worker = Worker(tmp_path, {"engine": "directory", "path": str(folder), "encrypt": [keys[0].recipient], "key_exported": True})
    del worker.job["command"]
    worker.backup()
    [path] = [Path(worker.stores[0]["path"]) / f for f in worker.files() if f.endswith(".tar.zst.age")]
    assert re.search(r"^(\./)?sub/a file$", by_hand(keys[0], path, "tar", "-t"), re.M)
    assert by_hand(keys[0], path, "tar", "-xO", "--wildcards", "*a file") == "what is in it"

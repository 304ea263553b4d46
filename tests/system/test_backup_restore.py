# SPDX-License-Identifier: Apache-2.0
"""Restore and verify by one worker: what is damaged is found before anything is touched."""

import json
import subprocess
from pathlib import Path

import pytest

from harness.worker import Worker


def sh(script, *arguments):
    return ["/bin/sh", "-c", script, "sh", *map(str, arguments)]


@pytest.fixture
def worker(tmp_path):
    target = tmp_path / "target"
    target.write_text("what was there")
    return Worker(tmp_path, {"command": sh("seq 1 50000"), "restore_command": sh('cat >"$1"', target)})


@pytest.fixture
def keys(tmp_path):
    """A pair of age keys: (public, path of the private one)."""
    path = tmp_path / "backup.key"
    subprocess.run(["age-keygen", "-o", str(path)], check=True, stderr=subprocess.DEVNULL)
    path.chmod(0o600)
    public = next(line.split()[-1] for line in path.read_text().splitlines() if "public key" in line)
    return public, str(path)


NUMBERS = "".join(f"{i}\n" for i in range(1, 50001))


def target(worker):
    return (worker.folder / "target").read_text()


def data_file(worker):
    [name] = [f for f in worker.files() if not f.endswith(".json")]
    return Path(worker.stores[0]["path"]) / name


def damage(path, at, how="flip"):
    data = bytearray(path.read_bytes())
    at = int(at * (len(data) - 1))
    if how == "flip":
        data[at] ^= 0x10
    else:
        del data[at:]
    path.write_bytes(data)


# --- restore

def test_a_restore_is_confirmed_first(worker):
    worker.backup()
    run = worker.run("restore")
    assert run.bad()["code"] == "confirm"
    [plan] = run.said("plan")
    assert plan["destructive"]
    assert target(worker) == "what was there"
    worker.run("restore", restore={"yes": True}).good()
    assert target(worker) == NUMBERS


@pytest.mark.parametrize("how, at", [("flip", 0), ("flip", 0.5), ("flip", 1), ("cut", 0.5), ("cut", 1)])
def test_row_30_a_damaged_backup_is_found_before_anything_is_touched(worker, how, at):
    worker.backup()
    damage(data_file(worker), at, how)
    run = worker.run("restore", restore={"yes": True})
    run.bad()
    assert "restore" not in run.stages()
    assert target(worker) == "what was there"


@pytest.mark.parametrize("script, words", [
    ('head -c 10 >"$1"', "ended before it had read everything"), ('cat >"$1"; exit 3', "exit status 3")])
def test_row_30_a_restore_that_ends_in_the_middle_says_partial(worker, script, words):
    worker.backup()
    result = worker.run("restore", {"restore_command": sh(script, worker.folder / "target")}, restore={"yes": True}).bad(words)
    assert result["partial"]


def test_a_missing_object_is_found_before_anything_is_touched(worker):
    worker.backup()
    data_file(worker).unlink()
    worker.run("restore", restore={"yes": True}).bad()
    assert target(worker) == "what was there"


def test_a_file_is_there_only_when_it_is_whole(worker):
    worker.backup()
    to = worker.folder / "out"
    damage(data_file(worker), 0.9)
    worker.run("restore", restore={"to": str(to)}).bad()
    assert [p for p in worker.folder.iterdir() if p.name.startswith("out")] == []


def test_a_file_is_private_and_not_replaced_without_asking(worker):
    worker.backup()
    to = worker.folder / "out"
    worker.run("restore", restore={"to": str(to)}).good()
    assert to.stat().st_mode & 0o777 == 0o600
    to.write_text("mine")
    assert worker.run("restore", restore={"to": str(to)}).bad()["code"] == "confirm"
    assert to.read_text() == "mine"
    worker.run("restore", restore={"to": str(to), "yes": True}).good()
    assert to.read_text() == NUMBERS


def test_a_folder_gets_a_file_for_each_member(worker):
    worker.backup()
    worker.run("restore", restore={"to": f"{worker.folder}/new/folder/"}).good()
    [path] = list((worker.folder / "new/folder").iterdir())
    assert path.read_text() == NUMBERS


def test_an_older_one_by_its_id_or_its_beginning(worker):
    first = worker.backup({"command": ["/bin/echo", "first"]})["id"]
    worker.backup({"command": ["/bin/echo", "second"]})
    assert worker.restored() == b"second\n"
    assert worker.restored(id=first) == b"first\n"
    worker.run("restore", restore={"to": "-", "id": "20010101"}).bad()


def test_a_member_that_is_not_there_is_told_with_those_that_are(worker):
    worker.backup()
    assert "output" in worker.run("restore", restore={"to": "-", "member": "orders"}).bad("orders")["error"]


def test_from_a_new_server_with_configuration_and_credentials_only(worker, tmp_path):
    worker.backup()
    new = Worker(tmp_path / "new", worker.job, worker.stores)
    assert new.restored() == NUMBERS.encode()


def test_the_next_store_is_used_when_one_is_away(worker):
    worker.stores.append(worker.directory_store("offsite"))
    worker.job["stores"] = ["local", "offsite"]
    worker.backup()
    local = Path(worker.stores[0]["path"])
    local.rename(f"{local}-gone")
    local.write_text("a file where the folder should be")
    run = worker.run("restore", restore={"to": "-"})
    assert run.good()["store"] == "offsite"
    assert run.stdout.read_text() == NUMBERS


# --- encryption

def test_row_31_encryption_without_an_exported_key_is_refused(worker, keys):
    worker.run("backup", {"encrypt": [keys[0]]}).bad("key_exported")
    assert worker.files() == []


def encrypted(worker, keys):
    worker.job.update(encrypt=[keys[0]], key_exported=True)
    worker.backup()


def test_an_encrypted_backup_opens_with_age(worker, keys):
    encrypted(worker, keys)
    plain = subprocess.run(f"age -d -i '{keys[1]}' '{data_file(worker)}' | zstd -dc", shell=True, check=True,
                           stdout=subprocess.PIPE).stdout
    assert plain == NUMBERS.encode()
    assert worker.backups()[0]["encrypted"]


def test_an_encrypted_backup_needs_the_key(worker, keys):
    encrypted(worker, keys)
    worker.run("restore", restore={"yes": True}).bad("private key")
    assert target(worker) == "what was there"
    worker.run("restore", restore={"yes": True, "identity_file": keys[1]}).good()
    assert target(worker) == NUMBERS


def test_a_passphrase(worker):
    secret = worker.folder / "passphrase"
    secret.write_text("correct horse\n")
    secret.chmod(0o600)
    worker.job.update(passphrase_file=str(secret), key_exported=True)
    worker.backup()
    assert worker.restored() == NUMBERS.encode()
    secret.write_text("wrong horse\n")
    worker.run("restore", restore={"yes": True}).bad()
    assert target(worker) == "what was there"


# --- verify

def verified(worker):
    [backup] = worker.backups()
    return backup


def test_a_good_backup_is_marked_as_verified(worker):
    worker.backup()
    assert worker.run("verify").good()["depth"] == "plain"
    assert verified(worker)["verified_ms"] > 0
    assert not verified(worker).get("bad_ms")


@pytest.mark.parametrize("at", [0, 0.25, 0.5, 0.75, 1])
def test_every_flipped_bit_is_found(worker, at):
    worker.backup()
    damage(data_file(worker), at)
    worker.run("verify").bad()
    assert verified(worker)["bad_ms"] > 0
    assert verified(worker)["bad_why"]


@pytest.mark.parametrize("codec", ["none", "gzip", "lz4", "xz", "zstd"])
def test_a_cut_object_is_found_with_every_codec(worker, codec):
    worker.backup({"compression": codec})
    damage(data_file(worker), 0.99, "cut")
    worker.run("verify", {"compression": codec}).bad()
    assert verified(worker)["bad_ms"] > 0


def test_a_flipped_bit_in_the_manifest_is_found(worker):
    worker.backup()
    path = Path(worker.stores[0]["path"]) / worker.manifests()[0]
    manifest = json.loads(path.read_text())
    digest = manifest["members"][0]["plain_sha256"]
    manifest["members"][0]["plain_sha256"] = ("0" if digest[0] != "0" else "1") + digest[1:]
    path.write_text(json.dumps(manifest))
    new = Worker(worker.folder / "new", worker.job, worker.stores)  # without the cache of manifests
    new.run("verify").bad()


def test_without_the_key_the_stored_bytes_are_verified(worker, keys):
    encrypted(worker, keys)
    run = worker.run("verify")
    assert run.good()["depth"] == "stored"
    assert any("no private key" in w for w in run.warnings())
    assert worker.run("verify", restore={"identity_file": keys[1]}).good()["depth"] == "plain"
    damage(data_file(worker), 0.7)
    worker.run("verify").bad()


def test_a_wrong_key_does_not_make_a_backup_bad(worker, keys, tmp_path):
    encrypted(worker, keys)
    other = tmp_path / "other.key"
    subprocess.run(["age-keygen", "-o", str(other)], check=True, stderr=subprocess.DEVNULL)
    other.chmod(0o600)
    worker.run("verify", restore={"identity_file": str(other)}).bad()
    assert not verified(worker).get("bad_ms")


def test_a_bad_backup_is_not_the_one_to_restore(worker):
    good = worker.backup()["id"]
    worker.backup({"command": ["/bin/echo", "later"]})
    newest = worker.backups()[0]["id"]
    [bad] = [f for f in worker.files() if newest in f and not f.endswith(".json")]
    damage(Path(worker.stores[0]["path"]) / bad, 0.5)
    worker.run("verify").bad()
    run = worker.run("restore", restore={"to": "-"})
    assert run.good()["id"] == good

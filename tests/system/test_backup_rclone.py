# SPDX-License-Identifier: Apache-2.0
"""The store rclone over a folder, an alias, an encrypted remote and Ceph's S3 gateway: whole objects, or none."""

import random
import signal
from pathlib import Path

import pytest

from harness import rclone
from harness.rgw import ACCESS_KEY, SECRET_KEY
from harness.wait import until
from harness.worker import Worker

pytestmark = pytest.mark.skipif(rclone.missing() is not None, reason="no rclone")



def noise(n, seed=1):
    return random.Random(seed).randbytes(n)


def s3_remote(rgw, folder, name, access_key=ACCESS_KEY, secret_key=SECRET_KEY):
    return rclone.Remote(folder, lines=f"[it]\ntype = s3\nprovider = Ceph\naccess_key_id = {access_key}\n"
                         f"secret_access_key = {secret_key}\nendpoint = {rgw.endpoint}\nregion = us-east-1\n", path=name)


KINDS = ["alias", "crypt", pytest.param("s3", marks=pytest.mark.root)]


@pytest.fixture(params=KINDS)
def remote(request, tmp_path):
    if request.param != "s3":
        return rclone.Remote(tmp_path, request.param)
    rgw = request.getfixturevalue("rgw")
    return s3_remote(rgw, tmp_path, rgw.new_bucket())


@pytest.fixture
def folder(tmp_path):
    return rclone.Remote(tmp_path)


def keys(remote, prefix=""):
    return [r["key"] for r in remote.ok("list", prefix).rows]


# --- objects

def test_what_is_put_is_there_and_comes_back(remote):
    assert keys(remote) == []
    data = noise(300001)
    r = remote.ok("put", "shop/x/shop.dump", data=data)
    assert r.rows[0]["bytes"] == len(data)
    assert r.notes == [("shop/x/shop.dump", "")]
    remote.ok("put", "shop/x/empty")
    assert remote.ok("get", "shop/x/shop.dump", 0, len(data)).out == data
    assert remote.ok("get", "shop/x/shop.dump", 299999).out == data[299999:]
    assert remote.ok("get", "shop/x/shop.dump", len(data), len(data)).out == b""
    assert remote.ok("get", "shop/x/empty").out == b""
    rows = remote.ok("list", "shop/").rows
    assert [(r["key"], r["bytes"]) for r in rows] == [("shop/x/empty", 0), ("shop/x/shop.dump", len(data))]
    assert all(r["modified_ms"] > 1.6e12 for r in rows)
    assert "there already" in remote.run("put", "shop/x/empty", data=b"x").message
    remote.ok("remove", "shop/x/shop.dump")
    remote.ok("remove", "shop/x/shop.dump")
    assert keys(remote) == ["shop/x/empty"]


def test_the_folder_of_a_backup_goes_with_its_last_object(folder):
    for key in ("shop/x/a", "shop/x/b"):
        folder.ok("put", key, data=b"x")
    folder.ok("remove", "shop/x/a")
    assert (folder.root / "shop/x").exists()
    folder.ok("remove", "shop/x/b")
    assert not (folder.root / "shop/x").exists()


@pytest.mark.parametrize("remote", ["local", KINDS[-1]], indirect=True)
def test_an_object_that_is_not_there(remote):
    remote.ok("put", "a/there", data=b"x")
    for key in ("a/absent", "absent", "a"):
        r = remote.run("get", key)
        assert r.status == 1 and r.message.startswith("2: "), (key, r)
    assert remote.run("get", "a/there", 0, 5).message.startswith("74: ")  # another length
    assert remote.run("get", "a/there", 2).message.startswith("22: ")


@pytest.mark.parametrize("remote", ["local", KINDS[-1]], indirect=True)
def test_prefixes_of_lists(remote):
    for key in ("shop/1/a", "shop/2/a", "shop2/1/a", "other"):
        remote.ok("put", key, data=b"x", prefix="vps1/")
    rows = lambda prefix: [r["key"] for r in remote.ok("list", prefix, prefix="vps1/").rows]
    assert rows("") == ["other", "shop/1/a", "shop/2/a", "shop2/1/a"]
    assert rows("shop/") == ["shop/1/a", "shop/2/a"]
    assert rows("shop") == ["shop/1/a", "shop/2/a", "shop2/1/a"]
    assert rows("nothing/") == []
    assert keys(remote, "vps1/shop/2") == ["vps1/shop/2/a"]


def test_the_crypt_remote_encrypts(tmp_path):
    remote = rclone.Remote(tmp_path, "crypt")
    remote.ok("put", "shop/secret.dump", data=b"the secret of the shop" * 100)
    [name] = remote.files()
    assert "secret" not in name
    assert b"secret of the shop" not in (remote.root / name).read_bytes()


@pytest.mark.parametrize("remote", ["local", KINDS[-1]], indirect=True)
def test_the_doctor_looks_at_all_of_it(remote):
    rows = {r["what"]: r for r in remote.ok("check").rows}
    assert all(r["ok"] for r in rows.values()), rows
    assert set(rows) == {"program", "remote", "checksums", "write and read", "delete"}
    assert keys(remote) == []


# --- what must fail

@pytest.mark.parametrize("how", [signal.SIGTERM, signal.SIGKILL])
@pytest.mark.parametrize("remote", ["local", "crypt"], indirect=True)
def test_row_11_an_upload_that_is_given_up_leaves_nothing(remote, how):
    process = remote.start("put", "shop/x/half")
    process.stdin.write(noise(7000000))
    process.stdin.flush()
    program = until(lambda: children(process.pid, b"rcat"), 20, "rclone rcat")
    until(lambda: consumed(process.pid), 20, "the bytes to be with rclone")
    process.send_signal(how)
    process.stdin.close()
    process.wait(30)
    until(lambda: not any(Path(f"/proc/{pid}/cmdline").exists() for pid in program), 20, "the end of rclone")
    process.stdout.close()
    process.stderr.close()
    if how == signal.SIGKILL:  # as the sweep does, from the journal
        remote.ok("abandon", "shop/x/half", "")
    assert keys(remote) == []
    assert remote.files() == []


def children(pid, word):
    found = []
    for path in Path(f"/proc/{pid}/task/{pid}/children").read_text().split():
        if word in Path(f"/proc/{path}/cmdline").read_bytes():
            found.append(path)
    return found


def consumed(pid):
    """The driver waits for more on stdin."""
    return Path(f"/proc/{pid}/wchan").read_text() in ("pipe_read", "anon_pipe_read", "ep_poll", "do_epoll_wait", "do_sys_poll",
                                                      "poll_schedule_timeout", "poll_schedule_timeout.constprop.0")


@pytest.mark.root
@pytest.mark.parametrize("how", [signal.SIGTERM, signal.SIGKILL])
def test_row_11_no_part_of_an_upload_is_left_at_s3(rgw, tmp_path, how):
    client, name = rgw.client(), rgw.new_bucket()
    client.create_multipart_upload(Bucket=name, Key="of-others")
    remote = s3_remote(rgw, tmp_path, name)
    process = remote.start("put", "half")
    process.stdin.write(noise(12000000))
    process.stdin.flush()
    uploads = lambda: [u["Key"] for u in client.list_multipart_uploads(Bucket=name).get("Uploads", [])]
    until(lambda: "half" in uploads(), 20, "a multipart upload")
    process.send_signal(how)
    process.stdin.close()
    process.wait(30)
    if how == signal.SIGKILL:  # as the sweep does, from the journal
        remote.ok("abandon", "half", "")
    assert uploads() == ["of-others"]
    assert client.list_objects_v2(Bucket=name)["KeyCount"] == 0


def test_row_02_an_upload_that_rclone_could_not_end_is_a_failure(folder):
    folder.front('case "$*" in rcat*) "$real" "$@"; echo "2026/11/21 ERROR : it broke" >&2; exit 1;; *) exec "$real" "$@";; esac')
    r = folder.run("put", "k", data=noise(100000))
    assert r.status == 1 and "it broke" in r.message
    assert folder.files() == []


@pytest.mark.parametrize("change", ["printf more >>", "truncate -s 50000"])
def test_row_24_an_object_that_is_another_is_a_failure(folder, change):
    folder.front(f'case "$*" in rcat*) "$real" "$@"; {change} {folder.root}/k;; *) exec "$real" "$@";; esac')
    r = folder.run("put", "k", data=noise(100000))
    assert r.status == 1 and "100000 were written" in r.message
    assert folder.files() == []


def test_row_24_an_object_with_another_hash_is_a_failure(folder):
    folder.front(f'case "$*" in rcat*) "$real" "$@"; printf x | dd of={folder.root}/k seek=5000 bs=1 conv=notrunc 2>/dev/null;;'
                 ' *) exec "$real" "$@";; esac')
    r = folder.run("put", "k", data=bytes(100000))
    assert r.status == 1 and "sha256" in r.message
    assert folder.files() == []


def test_row_33_a_download_that_is_cut_goes_on(folder):
    data = noise(400000)
    folder.ok("put", "k", data=data)
    mark = folder.folder / "cut"
    folder.front(f'case "$*" in cat*) [ -e {mark} ] || {{ : >{mark}; "$real" "$@" | head -c 100000; exit 1; }};; esac\nexec "$real" "$@"')
    assert folder.ok("get", "k").out == data
    assert mark.exists()


def test_row_33_a_download_that_ends_early_each_time_is_a_failure(folder):
    folder.ok("put", "k", data=noise(1000))
    folder.front('case "$*" in cat*) exit 0;; esac\nexec "$real" "$@"')
    r = folder.run("get", "k")
    assert r.status == 1 and "1000 bytes early" in r.message


def test_row_09_a_remote_that_is_not_configured_is_a_failure(folder):
    for words in (("put", "k"), ("get", "k"), ("list", ""), ("remove", "k")):
        r = folder.run(*words, data=b"x", remote="nowhere:backups")
        assert r.status == 1 and "no remote of that name" in r.message, r
    rows = folder.ok("check", remote="nowhere:backups").rows
    assert rows[-1]["what"] == "remote" and not rows[-1]["ok"]


def test_row_09_rclone_that_is_not_installed_is_a_failure(folder):
    folder.environment = {"PATH": str(folder.folder)}
    r = folder.run("put", "k", data=b"x")
    assert r.status == 1 and "install the package rclone" in r.message
    assert not folder.ok("check").rows[-1]["ok"]


def test_a_configuration_that_others_can_read_is_refused(folder):
    folder.config.chmod(0o644)
    r = folder.run("list", "")
    assert r.status == 1 and "config_file" in r.message and "chmod" in r.message


@pytest.mark.root
def test_keys_that_are_wrong(rgw, tmp_path):
    remote = s3_remote(rgw, tmp_path, rgw.new_bucket(), secret_key="hunter2hunter2")
    for words in (("put", "k"), ("get", "k"), ("list", "")):
        r = remote.run(*words, data=b"x")
        assert r.status == 1 and "hunter2" not in r.err, r


def test_row_32_no_argument_has_a_secret(tmp_path):
    remote = rclone.Remote(tmp_path, "crypt")
    log = tmp_path / "log"
    remote.front(f'echo "$*" >>{log}; exec "$real" "$@"')
    remote.ok("put", "k", data=b"x")
    remote.ok("get", "k")
    secret = remote.config.read_text().split("password = ")[1].strip()
    assert "rcat" in log.read_text() and secret not in log.read_text()


@pytest.mark.parametrize("remote", ["it", ":s3,access_key_id=x:b", "it,secret=x:b", "-v:b", ":local:/tmp", "it:a/../b"])
def test_remotes_that_are_no_name_of_the_configuration(folder, remote):
    r = folder.run("list", "", remote=remote)
    assert r.status == 1 and "remote: " in r.message


# --- whole runs

def test_a_backup_goes_there_and_comes_back(remote, tmp_path):
    worker = Worker(tmp_path / "worker", {"command": ["/usr/bin/seq", "200000"]}, [remote.settings])
    worker.backup()
    second = worker.backup()["id"]
    numbers = "".join(f"{i}\n" for i in range(1, 200001)).encode()
    assert worker.restored() == numbers
    worker.run("verify").good()
    worker.run("prune", {"keep": {"last": 1}}).good()
    assert {k.split("/")[1] for k in keys(remote)} == {second}


@pytest.mark.parametrize("remote", ["local", KINDS[-1]], indirect=True)
def test_row_01_a_dump_that_fails_leaves_nothing(remote, tmp_path):
    worker = Worker(tmp_path / "worker", {"command": ["/bin/sh", "-c", "seq 200000; exit 3"]}, [remote.settings])
    worker.run("backup").bad("exit status 3")
    assert keys(remote) == []
    assert worker.journals() == []

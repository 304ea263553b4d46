# SPDX-License-Identifier: Apache-2.0
"""The store libs3, which signs with Signature V2, against Ceph's S3 gateway, which still accepts that."""

import random
import signal
import subprocess

import pytest

from harness.agent import BINARY
from harness.rgw import ACCESS_KEY, SECRET_KEY, Rgw
from harness.s3 import end
from harness.s3proxy import Change, Cut, S3Proxy, Say, error
from harness.wait import until
from harness.worker import Worker

PART = 65536

pytestmark = pytest.mark.root


def missing():
    """Whether this build has it, and its library is there."""
    if b"libs3.so.2" not in BINARY.read_bytes():
        return "libs3 in this build (Debian package libs3-dev)"
    r = subprocess.run(["ldconfig", "-p"], stdout=subprocess.PIPE, check=False, text=True)
    return Rgw.missing() or (None if "libs3.so.2" in r.stdout else "libs3.so.2 (Debian package libs3-2)")


@pytest.fixture(scope="module", autouse=True)
def library():
    if what := missing():
        pytest.skip(f"no {what}")


@pytest.fixture
def bucket(rgw, tmp_path):
    return rgw.bucket(tmp_path, type="libs3")


def noise(n, seed=1):
    return random.Random(seed).randbytes(n)


# --- objects

@pytest.mark.parametrize("size", [0, 1, PART - 1, PART])
def test_what_is_put_is_there_and_comes_back(bucket, size):
    data = noise(size)
    r = bucket.ok("put", "shop/x/shop.dump", data=data)
    assert bucket.object("shop/x/shop.dump") == data
    assert r.rows[0]["bytes"] == size
    assert r.notes == [("shop/x/shop.dump", "")]
    assert bucket.ok("get", "shop/x/shop.dump").out == data
    if size:
        assert bucket.ok("get", "shop/x/shop.dump", size - 1, size).out == data[-1:]
        assert bucket.ok("get", "shop/x/shop.dump", size, size).out == b""


def test_reading_in_many_pieces(bucket):
    data = noise(9 << 20)
    bucket.client.put_object(Bucket=bucket.name, Key="big", Body=data)
    assert bucket.ok("get", "big").out == data
    assert bucket.ok("get", "big", 5000000, len(data)).out == data[5000000:]


def test_an_object_holds_no_more_than_part_size(bucket):
    r = bucket.run("put", "k", data=noise(PART + 1))
    assert r.status == 1 and f"room {PART}" in r.err
    assert bucket.keys() == []


def test_the_signature_is_version_2(rgw, bucket):
    with S3Proxy(rgw.port) as proxy:
        bucket.settings["endpoint"] = proxy.endpoint
        bucket.ok("put", "k", data=b"x")
        signed = [r.header("authorization") for r in proxy.seen]
    assert signed and all(s.startswith(f"AWS {ACCESS_KEY}:") for s in signed)


def test_lists_of_more_than_a_page(bucket):
    names = sorted(f"shop/{n:05d}" for n in range(125))
    for key in names + ["shop2/x"]:
        bucket.client.put_object(Bucket=bucket.name, Key="vps1/" + key, Body=b"abc")
    rows = bucket.ok("list", "shop/", prefix="vps1/").rows
    assert [r["key"] for r in rows] == names
    assert rows[0]["bytes"] == 3 and rows[0]["modified_ms"] > 1.6e12
    assert bucket.ok("list", "nothing/").rows == []


def test_removing(bucket):
    bucket.ok("put", "a", data=b"x")
    bucket.ok("put", "b", data=b"x")
    assert "there already" in bucket.run("put", "a", data=b"y").message
    bucket.ok("remove", "a")
    bucket.ok("remove", "a")
    bucket.ok("abandon", "b", "")
    assert bucket.keys() == []


def test_the_doctor(bucket):
    rows = {r["what"]: r for r in bucket.ok("check").rows}
    assert set(rows) == {"write and read", "delete", "privacy"}
    assert all(r["ok"] for r in rows.values())
    assert bucket.keys() == []
    rows = {r["what"]: r for r in bucket.ok("check", bucket="no-such-bucket").rows}
    assert not rows["write and read"]["ok"]


# --- what must fail

def test_row_09_a_missing_bucket_is_a_failure(bucket):
    for words in (("put", "k"), ("get", "k"), ("list", ""), ("remove", "k")):
        r = bucket.run(*words, data=b"x", bucket="no-such-bucket")
        assert r.status == 1 and 'there is no bucket "no-such-bucket"' in r.message, (words, r)


def test_an_object_that_is_not_there(bucket):
    assert bucket.run("get", "absent").message == "2: absent: there is no such object"
    bucket.ok("put", "k", data=b"abc")
    assert bucket.run("get", "k", 0, 4).message.startswith("74: ")
    assert bucket.run("get", "k", 4).message.startswith("22: ")


@pytest.mark.parametrize("lines", [f"access_key_id = {ACCESS_KEY}\nsecret_access_key = hunter2hunter2\n",
                                   f"access_key_id = NOBODY\nsecret_access_key = {SECRET_KEY}\n"])
def test_keys_that_are_wrong(bucket, lines):
    bucket.credentials.write_text(lines)
    for words in (("put", "k"), ("list", ""), ("remove", "k")):
        r = bucket.run(*words, data=b"x")
        assert r.status == 1 and "hunter2" not in r.err, r
    assert "does not accept the keys" in r.message or "does not let us" in r.message
    assert bucket.keys() == []


def test_a_session_token_is_refused(bucket):
    with open(bucket.credentials, "a", encoding="utf-8") as f:
        f.write("aws_session_token = x\n")
    assert "no session tokens" in bucket.run("list", "").message


def test_a_server_that_is_not_there(bucket):
    r = bucket.run("list", "", endpoint="http://127.0.0.1:1", retry_ms=200)
    assert r.status == 1 and "FailedToConnect" in r.message


@pytest.mark.parametrize("option, value", [("region", "eu"), ("ca_file", "/x"), ("object_lock", "governance"), ("endpoint", None),
                                           ("endpoint", "http://s3.example.com/path"), ("bucket", None)])
def test_options_that_it_does_not_have(bucket, option, value):
    r = bucket.run("list", "", **{option: value})
    assert r.status == 1 and f"{option}: " in r.message


def test_row_11_an_upload_that_is_given_up_leaves_nothing(bucket):
    process = bucket.popen("put", "half")
    process.stdin.write(noise(PART // 2))
    process.stdin.flush()
    line = process.stderr.readline()
    while b"room" not in line:
        line = process.stderr.readline()
    assert end(process).status == 1
    bucket.assert_nothing()


# --- a connection that breaks: a proxy between

@pytest.fixture
def proxy(rgw, bucket):
    with S3Proxy(rgw.port) as found:
        bucket.settings["endpoint"] = found.endpoint
        yield found


def test_row_33_a_download_that_is_cut_is_made_again(proxy, bucket):
    """To the library a cut download is a success."""
    data = noise(3 << 20)
    bucket.client.put_object(Bucket=bucket.name, Key="big", Body=data)
    proxy.fault("get", Cut("mid response"), times=2)
    assert bucket.ok("get", "big").out == data
    proxy.fault("get", Cut("mid response"), times=1000)
    assert bucket.run("get", "big", retry_ms=200).status == 1


@pytest.mark.parametrize("where", ["before request", "mid body", "before response", "mid response"])
@pytest.mark.parametrize("op", ["put", "head"])
def test_row_19_a_connection_that_is_cut(proxy, bucket, op, where):
    proxy.fault(op, Cut(where))
    bucket.ok("put", "k", data=noise(50000))
    assert bucket.object("k") == noise(50000)


@pytest.mark.parametrize("status, code", [(503, "SlowDown"), (500, "InternalError")])
def test_row_19_errors_that_pass_are_tried_again(proxy, bucket, status, code):
    proxy.fault("put", Say(error(status, code)), times=2)
    bucket.ok("put", "k", data=noise(1000))
    assert bucket.object("k") == noise(1000)
    proxy.fault("put", Say(error(status, code)), times=1000)
    assert code in bucket.run("put", "k2", data=b"x", retry_ms=200).message


def test_row_24_an_object_that_is_another_is_a_failure(proxy, bucket):
    def other(_, answer):
        answer.headers = [(n, '"' + "0" * 32 + '"' if n.lower() == "etag" else v) for n, v in answer.headers]
        return answer

    proxy.fault("head", Change(other), times=2, when=lambda r: len(proxy.seen_ops("put")) > 0)
    r = bucket.run("put", "k", data=noise(1000))
    assert r.status == 1 and "another MD5" in r.message
    bucket.assert_nothing()


# --- whole runs

def test_a_backup_in_many_objects_comes_back(bucket, tmp_path):
    worker = Worker(tmp_path / "worker", {"command": ["/usr/bin/seq", "100000"], "compression": "none"}, [bucket.settings])
    worker.backup()
    worker.backup()
    assert len(bucket.keys()) > 18
    assert bucket.whole_backups() == 2
    assert worker.restored() == "".join(f"{i}\n" for i in range(1, 100001)).encode()
    worker.run("verify").good()
    worker.run("prune", {"keep": {"last": 1}}).good()
    assert len([k for k in bucket.keys() if k.endswith("manifest.json")]) == 1


def test_row_01_a_dump_that_fails_leaves_nothing(bucket, tmp_path):
    worker = Worker(tmp_path / "worker", {"command": ["/bin/sh", "-c", "seq 100000; exit 3"], "compression": "none"}, [bucket.settings])
    worker.run("backup").bad("exit status 3")
    bucket.assert_nothing()
    assert worker.journals() == []


@pytest.mark.parametrize("how", [signal.SIGTERM, signal.SIGKILL])
def test_row_12_a_run_that_is_ended_leaves_nothing(bucket, tmp_path, how):
    worker = Worker(tmp_path / "worker", {"command": ["/bin/sh", "-c", "seq 100000; exec sleep 600"], "compression": "none"},
                    [bucket.settings])
    run = worker.begin("backup")
    until(lambda: len(bucket.keys()) > 3, 20, "objects")
    run.process.send_signal(how)
    run.wait()
    if how == signal.SIGKILL:
        worker.run("sweep")
    bucket.assert_nothing()
    assert worker.journals() == []

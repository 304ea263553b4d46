# SPDX-License-Identifier: Apache-2.0
"""Whole runs of a worker with a faulty network and a moody server between it and Ceph's gateway. Always: a backup that comes back, or a
failure without a manifest and without a part left in the bucket."""

import json
import random

import pytest

from harness.rgw import ACCESS_KEY, SECRET_KEY
from harness.s3 import write_credentials
from harness.s3proxy import Answer, Change, Cut, Hang, Say, error
from harness.wait import until
from harness.worker import Worker

PART = 65536
DATA = random.Random(11).randbytes(5 * PART + 11)
FOREVER = 10**6

pytestmark = pytest.mark.root


@pytest.fixture
def worker(bucket, tmp_path):
    """Its bucket has nothing unfinished in the end, whatever the test was about."""
    (tmp_path / "data").write_bytes(DATA)
    w = Worker(tmp_path, {"command": ["/bin/cat", str(tmp_path / "data")], "compression": "none"}, [bucket.settings])
    yield w
    assert bucket.uploads() == []


def settings(worker, **more):
    worker.stores = [{**worker.stores[0], **more}]


def assert_backed_up(worker, bucket, proxy):
    worker.backup()
    assert bucket.whole_backups() == 1 and bucket.uploads() == [] and worker.journals() == []
    proxy.quiet()
    assert worker.restored() == DATA


def assert_failed(worker, bucket, words, **more):
    settings(worker, **more)
    worker.run("backup").bad(words)
    bucket.assert_nothing()
    assert worker.journals() == []


# --- connections

@pytest.mark.parametrize("reset", [False, True])
@pytest.mark.parametrize("where", ["before request", "mid body", "before response", "mid response"])
def test_row_19_every_connection_is_cut_once_at_every_part(worker, bucket, proxy, where, reset):
    proxy.first_time = Cut(where, reset)
    worker.backup()
    parts = [r.query["partNumber"] for r in proxy.seen_ops("part")]
    assert all(parts.count(str(n)) >= 2 for n in range(1, 7))
    assert all(proxy.ops().count(op) >= 2 for op in ("create", "complete", "head", "put"))  # put: the manifest
    assert bucket.whole_backups() == 1 and worker.journals() == []
    assert worker.restored() == DATA  # each of its requests is cut once, too


@pytest.mark.parametrize("op", ["create", "part", "complete", "head", "put"])
@pytest.mark.parametrize("where", ["before request", "before response"])
def test_a_request_that_never_gets_through_is_a_failure(worker, bucket, proxy, op, where):
    """Whether the server did it or not: nothing stays."""
    proxy.fault(op, Cut(where), times=FOREVER)
    assert_failed(worker, bucket, "tried", retry_ms=300)


@pytest.mark.parametrize("op", ["create", "part", "complete", "head", "put"])
def test_a_request_that_hangs_is_made_again(worker, bucket, proxy, op):
    if op == "complete":  # this one may take a store minutes
        proxy.fault(op, Say(error(500, "InternalError")))
    else:
        proxy.fault(op, Hang())
    settings(worker, idle_s=1)
    assert_backed_up(worker, bucket, proxy)


def test_a_store_that_is_away_is_a_failure_and_what_it_kept_is_swept_later(worker, bucket, proxy):
    proxy.fault("part", Cut("before response"), when=lambda r: r.query["partNumber"] == "3")
    proxy.fault("*", Cut("before request"), times=FOREVER, when=lambda r: proxy.ops().count("part") > 2)
    settings(worker, retry_ms=300)
    worker.run("backup").bad("tried")
    assert bucket.keys() == [] and bucket.uploads() and len(worker.journals()) == 1
    proxy.quiet()
    worker.run("sweep", job=None, jobs=["shop"]).good()
    bucket.assert_nothing()
    assert worker.journals() == []


def test_a_manifest_that_may_be_there_keeps_its_objects(worker, bucket, proxy):
    """Its writing was done but never answered, and it cannot be removed: a whole backup, though nobody was told."""
    proxy.fault("put", Cut("before response"), times=FOREVER)
    proxy.fault("delete", Cut("before request"), times=FOREVER, when=lambda r: r.path.endswith("manifest.json"))
    settings(worker, retry_ms=300)
    worker.run("backup").bad("tried")
    assert bucket.whole_backups() == 1
    assert len(worker.journals()) == 1
    proxy.quiet()
    worker.run("sweep", job=None, jobs=["shop"]).good()
    assert bucket.whole_backups() == 1 and worker.journals() == []
    assert worker.restored() == DATA


# --- answers

@pytest.mark.parametrize("op", ["create", "part", "complete", "head", "put", "list"])
@pytest.mark.parametrize("answer", [error(500, "InternalError"), error(503, "SlowDown")])
def test_row_19_what_passes_is_tried_again(worker, bucket, proxy, op, answer):
    proxy.fault(op, Say(answer), times=3)
    assert_backed_up(worker, bucket, proxy)


@pytest.mark.parametrize("op", ["create", "part", "complete", "head", "put"])
@pytest.mark.parametrize("answer,words", [
    (error(500, "InternalError"), "500"), (error(503, "SlowDown"), "503"), (error(403, "AccessDenied"), "403"),
    (Answer(413, [], b"<html>"), "413"), (error(301, "PermanentRedirect"), "301"), (error(307, "TemporaryRedirect"), "307")])
def test_row_19_what_does_not_pass_is_a_failure(worker, bucket, proxy, op, answer, words):
    proxy.fault(op, Say(answer), times=FOREVER)
    assert_failed(worker, bucket, words, retry_ms=300)


def test_row_10_complete_says_200_and_an_error(worker, bucket, proxy):
    proxy.fault("complete", Say(error(200, "InternalError", "We encountered an internal error")), times=2)
    assert_backed_up(worker, bucket, proxy)


@pytest.mark.parametrize("code", ["InternalError", "InvalidPart", "EntityTooSmall"])
def test_row_10_complete_always_says_200_and_an_error(worker, bucket, proxy, code):
    proxy.fault("complete", Say(error(200, code)), times=FOREVER)
    assert_failed(worker, bucket, code, retry_ms=300)


def test_row_10_complete_says_200_and_an_error_but_has_done_it(worker, bucket, proxy):
    proxy.fault("complete", Say(error(200, "InternalError"), after=True), times=FOREVER)
    worker.stores = [{**worker.stores[0], "retry_ms": 300}]
    run = worker.run("backup")
    assert bucket.whole_backups() == (1 if run.result["ok"] else 0)


def with_etag(value):
    return Change(lambda _, a: Answer(a.status, [(n, value if n.lower() == "etag" else v) for n, v in a.headers], a.body))


def test_row_24_a_wrong_etag(worker, bucket, proxy):
    proxy.fault("part", with_etag(f'"{"0" * 32}"'), times=2)
    assert_backed_up(worker, bucket, proxy)


@pytest.mark.parametrize("op,words", [("part", "other bytes"), ("put", "other bytes"), ("complete", "")])
def test_row_24_etags_that_are_always_wrong(worker, bucket, proxy, op, words):
    """That of the whole says nothing: it is no MD5."""
    proxy.fault(op, with_etag(f'"{"0" * 32}"'), times=FOREVER)
    if words:
        assert_failed(worker, bucket, words, retry_ms=300)
    else:
        assert_backed_up(worker, bucket, proxy)


@pytest.mark.parametrize("op,answer", [
    ("part", error(400, "EntityTooLarge", "Your proposed upload exceeds the maximum allowed size")),
    ("part", Answer(413, [("Content-Type", "text/html")], b"<html>413 Request Entity Too Large</html>"))])
def test_a_part_that_is_too_large_names_the_option(worker, bucket, proxy, op, answer):
    proxy.fault(op, Say(answer), times=FOREVER)
    assert_failed(worker, bucket, f"refuses a request of {PART} bytes")
    assert len({r.target for r in proxy.seen_ops("part")}) == proxy.ops().count("part") <= 2  # none is tried again
    worker.run("backup").bad("set a smaller part_size")


def test_row_34_another_region_is_named_and_redirects_are_not_followed(worker, bucket, proxy, rgw):
    where = [("x-amz-bucket-region", "eu-central-1"), ("Location", f"{rgw.endpoint}/{bucket.name}/x")]
    proxy.fault("*", Say(error(301, "PermanentRedirect", headers=where)), times=FOREVER)
    assert_failed(worker, bucket, 'set region = "eu-central-1"')


# --- clocks and keys

@pytest.mark.parametrize("off_s", [-1200, 1200])
def test_row_17_a_clock_that_is_20_minutes_off(worker, bucket, proxy, off_s):
    proxy.keys = (ACCESS_KEY, SECRET_KEY)
    proxy.clock_s = off_s
    worker.backup()
    assert bucket.whole_backups() == 1
    assert worker.restored() == DATA
    worker.run("verify").good()


def slow(worker, tmp_path):
    """A dump that goes on after three parts when the file is there."""
    go = tmp_path / "go"
    script = 'head -c 200000 "$1"; until [ -e "$2" ]; do sleep 0.02; done; tail -c +200001 "$1"'
    return go, worker.begin("backup", {"command": ["/bin/sh", "-c", script, "sh", str(tmp_path / "data"), str(go)]})


def test_row_17_the_clock_goes_wrong_in_the_middle(worker, bucket, proxy, tmp_path):
    proxy.keys = (ACCESS_KEY, SECRET_KEY)
    go, run = slow(worker, tmp_path)
    until(lambda: "part" in proxy.ops(), 10, "the first part")
    proxy.clock_s = -1200
    go.touch()
    run.wait().good()
    assert bucket.whole_backups() == 1


def test_row_18_a_session_token_expires_and_the_file_has_a_new_one(worker, bucket, proxy, tmp_path):
    proxy.keys = (ACCESS_KEY, SECRET_KEY)
    proxy.tokens = {"old-token": None}
    write_credentials(bucket.credentials, ACCESS_KEY, SECRET_KEY, "old-token")
    go, run = slow(worker, tmp_path)
    until(lambda: "part" in proxy.ops(), 10, "the first part")
    expired = error(400, "ExpiredToken", "The provided token has expired.")
    proxy.tokens = {"old-token": expired, "new-token": None}
    refused = len(proxy.seen) + 3
    go.touch()
    until(lambda: len(proxy.seen) >= refused, 10, "refusals")
    write_credentials(bucket.credentials, ACCESS_KEY, SECRET_KEY, "new-token")
    run.wait().good()
    assert bucket.whole_backups() == 1
    assert worker.restored() == DATA


def test_row_18_a_session_token_that_stays_expired_is_a_failure(worker, bucket, proxy, tmp_path):
    """Nobody can remove the parts with it either; with a new one the sweep does."""
    proxy.keys = (ACCESS_KEY, SECRET_KEY)
    proxy.tokens = {"old-token": None}
    write_credentials(bucket.credentials, ACCESS_KEY, SECRET_KEY, "old-token")
    settings(worker, retry_ms=500)
    go, run = slow(worker, tmp_path)
    until(lambda: "part" in proxy.ops(), 10, "the first part")
    proxy.tokens = {"old-token": error(400, "ExpiredToken", "The provided token has expired."), "new-token": None}
    go.touch()
    assert "ExpiredToken" in run.wait().bad()["error"]
    assert bucket.keys() == [] and worker.journals()
    write_credentials(bucket.credentials, ACCESS_KEY, SECRET_KEY, "new-token")
    worker.run("sweep", job=None, jobs=["shop"]).good()
    bucket.assert_nothing()
    assert worker.journals() == []


# --- the bucket and the way back

def test_row_09_no_bucket_is_a_failure(worker, bucket):
    settings(worker, bucket="no-such-bucket")
    assert_failed(worker, bucket, 'there is no bucket "no-such-bucket"')


def test_the_bucket_goes_away_in_the_middle(worker, bucket, proxy, tmp_path):
    go, run = slow(worker, tmp_path)
    until(lambda: proxy.ops().count("part") == 3, 10, "parts")
    for key, upload, _ in bucket.uploads():
        bucket.client.abort_multipart_upload(Bucket=bucket.name, Key=key, UploadId=upload)
    bucket.client.delete_bucket(Bucket=bucket.name)
    go.touch()
    assert f'there is no bucket "{bucket.name}"' in run.wait().bad()["error"]
    bucket.client.create_bucket(Bucket=bucket.name)
    bucket.assert_nothing()
    worker.run("sweep", job=None, jobs=["shop"]).good()
    assert worker.journals() == []


def truncated(n):
    return Change(lambda _, a: Answer(a.status, a.headers, a.body[:n], a.length))


def test_row_33_a_download_that_is_cut_goes_on_where_it_was(worker, bucket, proxy):
    worker.backup()
    proxy.fault("get", truncated(50000), times=4, when=lambda r: not r.path.endswith(".json"))
    assert worker.restored() == DATA
    assert any(r.header("range") == "bytes=50000-" for r in proxy.seen_ops("get"))


def test_row_33_a_download_that_stays_cut_is_a_failure(worker, bucket, proxy, tmp_path):
    worker.backup()
    settings(worker, retry_ms=300)
    mine = {"when": lambda r: not r.path.endswith(".json"), "times": FOREVER}
    proxy.fault("get", Cut("mid response"), **mine)
    to = tmp_path / "restored"
    worker.run("restore", restore={"to": str(to)}).bad()
    assert not to.exists()
    worker.run("verify").bad()
    proxy.quiet()
    proxy.fault("get", Say(Answer(404, [], b"<html>no such page")), **mine)
    worker.run("verify").bad("may be another service")
    proxy.quiet()
    # All that says something about the way, not about the backup.
    assert worker.backups()[0]["bad_ms"] == 0
    # A server that announces less than there was.
    proxy.fault("get", Change(lambda _, a: Answer(a.status, a.headers, a.body[:50000])), **mine)
    worker.run("restore", restore={"to": str(to)}).bad("50000 bytes")
    assert not to.exists()


def test_a_manifest_that_is_cut_is_not_taken_for_none(worker, bucket, proxy):
    """Retention would go by what is left."""
    worker.backup()
    proxy.fault("get", Cut("mid response"), times=2, when=lambda r: r.path.endswith("manifest.json"))
    assert len(worker.backups()) == 1
    assert json.loads(bucket.object(next(k for k in bucket.keys() if k.endswith(".json"))))["job"] == "shop"

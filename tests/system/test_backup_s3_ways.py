# SPDX-License-Identifier: Apache-2.0
"""Whole runs of a worker with each option of an S3 store: TLS, styles of addresses, keys, parts, classes, encryption, locks, tokens. What
the server has afterwards counts; where Ceph's gateway does not know a thing, what was sent."""

import datetime
import os
import random
import subprocess
from pathlib import Path

import pytest

from harness import proc
from harness.certificates import Authority, server_context
from harness.rgw import ACCESS_KEY, KMS_KEY, SECRET_KEY
from harness.s3 import write_credentials
from harness.s3proxy import Cut, S3Proxy, Say, error
from harness.wait import until
from harness.worker import Worker

PART = 65536
DATA = random.Random(13).randbytes(5 * PART + 11)
TOKEN = "hushHushToken/+0000000000000000000001"

pytestmark = pytest.mark.root


@pytest.fixture(scope="module")
def rgw(rgw):
    rgw.add_storage_class("COLD")
    return rgw


@pytest.fixture
def make_worker(tmp_path):
    (tmp_path / "data").write_bytes(DATA)
    workers = []

    def make(bucket, **settings):
        job = {"command": ["/bin/cat", str(tmp_path / "data")], "compression": "none"}
        workers.append((Worker(tmp_path, job, [{**bucket.settings, **settings}]), bucket))
        return workers[-1][0]

    yield make
    assert all(bucket.uploads() == [] for _, bucket in workers)


def data_keys(bucket):
    return [k for k in bucket.keys() if not k.endswith(".json")]


def assert_round_trip(worker, bucket):
    worker.backup()
    assert bucket.whole_backups() == 1
    worker.run("verify").good()
    assert worker.restored() == DATA


# --- TLS

@pytest.fixture(scope="module")
def authority(tmp_path_factory):
    return Authority(tmp_path_factory.mktemp("ca"))


def test_tls_with_an_authority_of_ones_own(make_worker, rgw, authority, tmp_path):
    with S3Proxy(rgw.port, tls=server_context(authority.make())) as proxy:
        bucket = rgw.bucket(tmp_path, proxy.endpoint)
        assert proxy.endpoint.startswith("https:")
        assert_round_trip(make_worker(bucket, ca_file=str(authority.ca)), bucket)


@pytest.mark.parametrize("wrong", ["unknown authority", "other authority", "other name", "expired"])
def test_a_wrong_certificate_is_refused(make_worker, rgw, authority, tmp_path, wrong):
    """Not a byte of a request is sent."""
    settings = {"ca_file": str(authority.ca)}
    pem = authority.make()
    if wrong == "unknown authority":
        settings = {}
    elif wrong == "other authority":
        settings = {"ca_file": str(Authority(tmp_path / "other").ca)}
    elif wrong == "other name":
        pem = authority.make("elsewhere", "DNS:s3.example.com")
    else:
        pem = authority.make("old", until="20200201000000Z")
    with S3Proxy(rgw.port, tls=server_context(pem)) as proxy:
        bucket = rgw.bucket(tmp_path, proxy.endpoint)
        worker = make_worker(bucket, **settings)
        for what in ("backup", "list", "verify"):
            worker.run(what).bad("certificate")
        assert proxy.seen == []
        bucket.assert_nothing()


def test_a_ca_file_that_is_missing_is_named(make_worker, rgw, authority, tmp_path):
    with S3Proxy(rgw.port, tls=server_context(authority.make())) as proxy:
        worker = make_worker(rgw.bucket(tmp_path, proxy.endpoint), ca_file="/nonexistent/ca.pem")
        worker.run("backup").bad("/nonexistent/ca.pem")
        assert proxy.seen == []


# --- addresses and keys

@pytest.mark.parametrize("style", ["path", "virtual"])
def test_row_34_styles_of_addresses(make_worker, rgw, tmp_path, style):
    bucket = rgw.bucket(tmp_path, f"http://s3.localhost:{rgw.port}")
    assert_round_trip(make_worker(bucket, style=style), bucket)


def test_row_34_the_style_is_what_is_sent(make_worker, bucket, proxy):
    assert_round_trip(make_worker(bucket), bucket)
    assert all(r.path.startswith(f"/{bucket.name}") for r in proxy.seen)
    before = len(proxy.seen)
    make_worker(bucket, endpoint=f"http://s3.localhost:{proxy.port}", style="virtual", retry_ms=100).run("list")
    assert len(proxy.seen) > before
    assert all(r.header("host") == f"{bucket.name}.s3.localhost:{proxy.port}" and not r.path.startswith(f"/{bucket.name}")
               for r in proxy.seen[before:])


@pytest.mark.parametrize("prefix", ["a b/", "a+b/", "%C3%A4/", "'()!*/", ":@,;=&$/", "\u00e4\u00f6/\U0001f600/", "<&>\"/", "?#[]/", "a//b/"])
def test_prefixes_of_all_characters(make_worker, bucket, prefix):
    worker = make_worker(bucket, prefix=prefix)
    assert_round_trip(worker, bucket)
    assert all(key.startswith(prefix) for key in bucket.keys())
    worker.run("sweep", job=None, jobs=["shop"]).good()
    worker.backup()
    worker.run("prune", {"keep": {"last": 1}}).good()
    assert bucket.whole_backups() == 2  # the newest, and the newest that was verified


# --- parts and segments

def test_row_22_max_parts_is_kept_and_the_stream_goes_on_in_another_object(make_worker, bucket, proxy):
    worker = make_worker(bucket, max_parts=2)
    assert_round_trip(worker, bucket)
    assert {r.query["partNumber"] for r in proxy.seen_ops("part")} == {"1", "2"}
    assert [k.rpartition(".")[2] for k in sorted(data_keys(bucket))[1:]] == ["002", "003"]


def test_row_20_many_segments_of_a_compressed_and_encrypted_stream(make_worker, bucket, proxy, tmp_path):
    """Each connection is cut once on the way there and back; a segment that is missing, short or swapped is found."""
    key = tmp_path / "key"
    subprocess.run(["age-keygen", "-o", str(key)], check=True, stderr=subprocess.DEVNULL)
    public = next(line.split()[-1] for line in key.read_text().splitlines() if "public key" in line)
    worker = make_worker(bucket, max_parts=2, part_size=8192)
    worker.job.update(compression="zstd", encrypt=[public], key_exported=True, identity_file=str(key))
    proxy.first_time = Cut("mid body")
    worker.backup()
    proxy.first_time = Cut("before response")
    segments = sorted(data_keys(bucket))
    assert len(segments) > 20 and bucket.whole_backups() == 1
    assert worker.restored() == DATA
    proxy.quiet()

    first, second = bucket.object(segments[4]), bucket.object(segments[5])
    for name, body in ((segments[4], second), (segments[4], first[:-1]), (segments[4], None)):
        if body is None:
            bucket.client.delete_object(Bucket=bucket.name, Key=name)
        else:
            bucket.client.put_object(Bucket=bucket.name, Key=name, Body=body)
        worker.run("verify").bad()
        worker.run("restore", restore={"to": str(tmp_path / "out")}).bad()
        assert not (tmp_path / "out").exists()


# --- what is asked of the store

def test_the_storage_class_is_that_of_the_data(make_worker, bucket):
    """Manifests are read daily and stay where reading costs nothing."""
    worker = make_worker(bucket, storage_class="COLD")
    assert_round_trip(worker, bucket)
    worker.backup({"command": ["/bin/echo", "small"]})
    assert len(data_keys(bucket)) == 2
    for key in bucket.keys():
        head = bucket.client.head_object(Bucket=bucket.name, Key=key)
        assert head.get("StorageClass") == (None if key.endswith(".json") else "COLD"), key


def test_sse_kms_encrypts_all_objects(make_worker, bucket):
    worker = make_worker(bucket, sse="kms", sse_key_id=KMS_KEY)
    assert_round_trip(worker, bucket)
    for key in bucket.keys():
        head = bucket.client.head_object(Bucket=bucket.name, Key=key)
        assert (head["ServerSideEncryption"], head["SSEKMSKeyId"]) == ("aws:kms", KMS_KEY), key


def test_sse_with_a_key_that_is_not_there_is_a_failure(make_worker, bucket):
    make_worker(bucket, sse="kms", sse_key_id="no-such-key", retry_ms=300).run("backup").bad()
    bucket.assert_nothing()


def test_sse_aes256_is_asked_for(make_worker, bucket, proxy):
    assert_round_trip(make_worker(bucket, sse="aes256"), bucket)
    made = proxy.seen_ops("create") + proxy.seen_ops("put")
    assert len(made) == 3 and all(  # data, manifest, and that it was verified
        r.header("x-amz-server-side-encryption") == "AES256" for r in made)


@pytest.mark.parametrize("mode", ["governance", "compliance"])
def test_row_26_all_objects_of_a_backup_are_locked(make_worker, rgw, proxy, tmp_path, mode):
    bucket = rgw.bucket(tmp_path, proxy.endpoint, {"ObjectLockEnabledForBucket": True})
    worker = make_worker(bucket, object_lock=mode, object_lock_for=86400000)
    assert_round_trip(worker, bucket)
    worker.backup({"command": ["/bin/echo", "small"]})
    for key in bucket.keys():
        head = bucket.client.head_object(Bucket=bucket.name, Key=key)
        assert head["ObjectLockMode"] == mode.upper()
        left = head["ObjectLockRetainUntilDate"] - datetime.datetime.now(datetime.timezone.utc)
        assert datetime.timedelta(hours=23) < left < datetime.timedelta(hours=25)


def test_row_26_a_bucket_without_locks_is_a_failure_when_they_are_asked_for(make_worker, bucket):
    make_worker(bucket, object_lock="governance", object_lock_for=86400000).run("backup").bad("lock")
    bucket.assert_nothing()


def test_row_23_checksums_on_wish(make_worker, bucket, proxy):
    assert_round_trip(make_worker(bucket, checksum="sha256"), bucket)
    assert all(r.header("x-amz-checksum-sha256") for r in proxy.seen_ops("part") + proxy.seen_ops("put"))


def test_row_18_the_session_token_goes_with_every_request(make_worker, bucket, proxy):
    proxy.keys, proxy.tokens = (ACCESS_KEY, SECRET_KEY), {TOKEN: None}
    write_credentials(bucket.credentials, ACCESS_KEY, SECRET_KEY, TOKEN)
    assert_round_trip(make_worker(bucket), bucket)
    for r in proxy.seen:
        assert r.header("x-amz-security-token") == TOKEN
        assert "x-amz-security-token" in r.header("authorization").split("SignedHeaders=")[1]


# --- secrets

def everything_of(pid):
    """Arguments and environments of a process and of all it started."""
    pids, text = [pid], b""
    while pids:
        pid = pids.pop()
        pids += proc.children(pid)
        for name in ("cmdline", "environ"):
            try:
                text += Path(f"/proc/{pid}/{name}").read_bytes()
            except OSError:  # it just ended
                pass
    return text


def test_row_32_secrets_are_in_no_message_no_argument_and_no_file(make_worker, bucket, proxy, tmp_path):
    proxy.keys, proxy.tokens = (ACCESS_KEY, SECRET_KEY), {TOKEN: None}
    write_credentials(bucket.credentials, ACCESS_KEY, SECRET_KEY, TOKEN)
    worker = make_worker(bucket, retry_ms=300)
    script = 'head -c 200000 "$1"; until [ -e "$2" ]; do sleep 0.02; done; tail -c +200001 "$1"'
    run = worker.begin("backup", {"command": ["/bin/sh", "-c", script, "sh", str(tmp_path / "data"), str(tmp_path / "go")]})
    until(lambda: "part" in proxy.ops(), 10, "a part")
    of_processes = everything_of(run.process.pid)
    assert b"worker" in of_processes and b"/bin/sh" in of_processes
    (tmp_path / "go").touch()
    run.wait().good()
    for code in ("SignatureDoesNotMatch", "InvalidAccessKeyId", "ExpiredToken", "InvalidToken", "AccessDenied"):
        proxy.fault("*", Say(error(403, code, "no")), times=10**6)
        worker.run("backup").bad()
        worker.run("check", job=None)
        proxy.quiet()
    files = [p for p in tmp_path.rglob("*") if p.is_file() and p != bucket.credentials]
    assert len(files) > 30
    for text in [of_processes, *(p.read_bytes() for p in files), *(bucket.object(k) for k in bucket.keys())]:
        assert SECRET_KEY.encode() not in text and TOKEN.encode() not in text


def test_row_32_credentials_that_others_can_read_are_refused(make_worker, bucket, proxy):
    os.chmod(bucket.credentials, 0o644)
    make_worker(bucket).run("backup").bad("chmod")
    assert proxy.seen == []

# SPDX-License-Identifier: Apache-2.0
"""The S3 store against Ceph's gateway: what it writes is there, whole, and nothing else is."""

import base64
import concurrent.futures
import datetime
import hashlib
import random
import subprocess
import time

import pytest

from harness.rgw import ACCESS_KEY
from harness.s3proxy import S3Proxy

PART = 65536

pytestmark = pytest.mark.root


@pytest.fixture
def bucket(rgw, tmp_path):
    return rgw.bucket(tmp_path)


def noise(n, seed=1):
    return random.Random(seed).randbytes(n)


@pytest.mark.parametrize("size", [0, 1, PART - 1, PART, PART + 1, 3 * PART, 10 * PART + 7])
def test_what_is_put_is_there_and_comes_back(bucket, size):
    data = noise(size)
    r = bucket.ok("put", "shop/x/shop.dump", data=data)
    assert bucket.object("shop/x/shop.dump") == data
    assert r.rows[0]["bytes"] == size
    assert bucket.uploads() == []
    assert bucket.ok("get", "shop/x/shop.dump").out == data
    assert bucket.ok("get", "shop/x/shop.dump", 0, size).out == data
    if size:
        assert bucket.ok("get", "shop/x/shop.dump", size - 1, size).out == data[-1:]
        assert bucket.ok("get", "shop/x/shop.dump", size, size).out == b""


@pytest.fixture
def watched(rgw, bucket):
    """A proxy that only looks; the bucket's requests go through it."""
    with S3Proxy(rgw.port) as proxy:
        bucket.settings["endpoint"] = proxy.endpoint
        yield proxy


@pytest.mark.parametrize("key", [
    "a b", "a+b", "%C3%A4", "'()!*", ":@,;=&$", "100%", "a//b", "a/../b", "\u00e4\u00f6/\U0001f600", "~_.-", "<&>\"", "?#[]"])
def test_keys_of_all_characters(bucket, key):
    """Ours are plain, but the user's prefix need not be."""
    for name, data in (("one", b"small"), ("many", noise(2 * PART + 1))):
        bucket.ok("put", name, data=data, prefix=key + "/")
        assert bucket.object(f"{key}/{name}") == data
        assert bucket.ok("get", name, 1, prefix=key + "/").out == data[1:]
    assert [r["key"] for r in bucket.ok("list", "", prefix=key + "/").rows] == ["many", "one"]
    assert bucket.ok("check", prefix=key + "/").rows
    bucket.ok("remove", "one", prefix=key + "/")
    assert bucket.keys() == [f"{key}/many"]


def test_the_bucket_in_the_host_name(rgw, bucket):
    bucket.settings.update(endpoint=f"http://s3.localhost:{rgw.port}", style="virtual")
    bucket.ok("put", "a/b", data=noise(2 * PART + 1))
    assert bucket.ok("get", "a/b").out == noise(2 * PART + 1)
    assert [r["key"] for r in bucket.ok("list", "").rows] == ["a/b"]
    assert bucket.keys() == ["a/b"]


def test_lists_of_more_than_a_page(bucket):
    names = sorted(f"shop/{n:05d}" for n in range(125))
    with concurrent.futures.ThreadPoolExecutor(8) as pool:
        list(pool.map(lambda key: bucket.client.put_object(Bucket=bucket.name, Key=key, Body=b""), names))
        pool.submit(bucket.client.put_object, Bucket=bucket.name, Key="shop2/x", Body=b"").result()
        list(pool.map(lambda n: bucket.client.create_multipart_upload(Bucket=bucket.name, Key=f"up/{n % 7}"), range(123)))
    rows = bucket.ok("list", "shop/").rows
    assert [r["key"] for r in rows] == names
    assert rows[0]["bytes"] == 0 and rows[0]["modified_ms"] > 1.6e12 and rows[0]["etag"] == hashlib.md5(b"").hexdigest()
    assert len({r["etag"] for r in bucket.ok("unfinished", "up/").rows}) == 123
    assert bucket.ok("list", "nothing/").rows == []


def test_row_09_a_missing_bucket_is_a_failure(bucket):
    for words in (("put", "k"), ("get", "k"), ("list", ""), ("remove", "k"), ("unfinished", "")):
        r = bucket.run(*words, data=b"x", bucket="no-such-bucket")
        assert r.status == 1 and 'there is no bucket "no-such-bucket"' in r.message, (words, r)
    rows = bucket.ok("check", bucket="no-such-bucket").rows
    assert rows[-1]["what"] == "write" and not rows[-1]["ok"] and "bucket" in rows[-1]["cure"]


def test_keys_that_are_wrong(bucket):
    bucket.credentials.write_text("access_key_id = NOBODY\nsecret_access_key = x\n")
    r = bucket.run("put", "k", data=b"x")
    assert r.status == 1 and "does not accept the keys in credentials_file (InvalidAccessKeyId)" in r.message
    bucket.credentials.write_text(f"access_key_id = {ACCESS_KEY}\nsecret_access_key = hunter2hunter2\n")
    r = bucket.run("put", "k", data=b"x")
    assert r.status == 1 and "SignatureDoesNotMatch" in r.message and "hunter2" not in r.err
    bucket.credentials.write_text("secret_access_key = hunter2hunter2\n")
    r = bucket.run("put", "k", data=b"x")
    assert r.status == 1 and "access_key_id" in r.message and "hunter2" not in r.err
    bucket.credentials.chmod(0o644)
    assert "chmod" in bucket.run("put", "k", data=b"x").message


def test_row_20_the_room_of_an_object_is_told_and_kept(bucket):
    r = bucket.run("put", "k", data=noise(3 * PART + 1), max_parts=3)
    assert f"room {3 * PART}" in r.err
    assert r.status == 1 and "more than the parts of one object can hold" in r.message
    bucket.assert_nothing()
    bucket.ok("put", "k", data=noise(3 * PART), max_parts=3)


def test_row_20_parts_grow_with_what_is_expected(bucket):
    def room(expected, **settings):
        r = bucket.ok("put", "k", expected, data=b"x", part_size=None, **settings)
        return int(r.err.split("room ")[1].split()[0])

    mib = 2**20
    assert room(0) == 9900 * 8 * mib
    assert room(48 * 2**30) == 9900 * 9 * mib  # one and a half times as much fits into nine tenths of the parts
    assert room(10**15) == 9900 * 512 * mib
    # Row 22: a store with fewer parts gets larger ones.
    assert room(48 * 2**30, max_parts=900) >= 1.5 * 48 * 2**30


def test_row_21_all_parts_but_the_last_have_one_size(bucket, watched):
    bucket.ok("put", "k", data=noise(4 * PART + 9))
    assert [len(r.body) for r in watched.seen_ops("part")] == [PART] * 4 + [9]


def test_row_22_a_store_of_few_parts(bucket, watched):
    bucket.ok("put", "k", data=noise(2 * PART), max_parts=2)
    assert [r.query["partNumber"] for r in watched.seen_ops("part")] == ["1", "2"]


def test_row_23_bodies_have_an_md5_and_their_real_hash_and_no_new_checksums(bucket, watched):
    bucket.ok("put", "k", data=noise(2 * PART + 1))
    bucket.ok("put", "small", data=b"small")
    sent = [r for r in watched.seen if r.op in ("part", "put", "complete")]
    assert len(sent) == 5
    for r in sent:
        assert r.header("content-md5") == base64.b64encode(hashlib.md5(r.body).digest()).decode()
        assert r.header("x-amz-content-sha256") == hashlib.sha256(r.body).hexdigest()
        assert not [n for n, _ in r.headers if "checksum" in n.lower() or n.lower() == "x-amz-trailer"]
        assert r.header("content-length") == str(len(r.body))


@pytest.mark.parametrize("name", ["crc32c", "sha256"])
def test_row_23_checksums_on_wish(bucket, watched, name):
    bucket.ok("put", "k", data=noise(PART + 1), checksum=name)
    bucket.ok("put", "small", data=b"123456789", checksum=name)
    expected = {"crc32c": "4waSgw==", "sha256": base64.b64encode(hashlib.sha256(b"123456789").digest()).decode()}[name]
    assert watched.seen_ops("put")[0].header(f"x-amz-checksum-{name}") == expected
    assert watched.seen_ops("create")[0].header("x-amz-checksum-algorithm") == name.upper()
    of_parts = [r.header(f"x-amz-checksum-{name}") for r in watched.seen_ops("part")]
    complete = watched.seen_ops("complete")[0].body.decode()
    assert len(of_parts) == 2 and all(f"<Checksum{name.upper()}>{c}</Checksum{name.upper()}>" in complete for c in of_parts)


def test_row_26_objects_under_a_lock(rgw, bucket, watched):
    name = rgw.new_bucket(ObjectLockEnabledForBucket=True)
    bucket.name = bucket.settings["bucket"] = name
    bucket.settings.update(object_lock="governance", object_lock_for=86400000)
    for key, data in (("one", b"small"), ("many", noise(2 * PART + 1))):
        bucket.ok("put", key, data=data)
        head = bucket.client.head_object(Bucket=name, Key=key)
        assert head["ObjectLockMode"] == "GOVERNANCE"
        left = head["ObjectLockRetainUntilDate"] - datetime.datetime.now(datetime.timezone.utc)
        assert datetime.timedelta(hours=23) < left < datetime.timedelta(hours=25)
    assert [r for r in bucket.ok("check").rows if r["what"] == "object lock"][0]["ok"]


def test_row_26_a_lock_that_the_bucket_refuses_is_a_failure(bucket):
    lock = {"object_lock": "compliance", "object_lock_for": 86400000}
    for data in (b"small", noise(2 * PART + 1)):
        assert bucket.run("put", "k", data=data, **lock).status == 1
    bucket.assert_nothing()
    row = [r for r in bucket.ok("check", **lock).rows if r["what"] == "object lock"][0]
    assert not row["ok"] and row["cure"]


def test_storage_class_and_encryption_are_asked_for(bucket, watched):
    """The gateway has no keys to encrypt with, so only what is sent is looked at."""
    bucket.run("put", "small", data=b"x", storage_class="STANDARD", sse="kms", sse_key_id="alias/backups", retry_ms=100)
    put = watched.seen_ops("put")[0]
    assert put.header("x-amz-storage-class") == "STANDARD"
    assert put.header("x-amz-server-side-encryption") == "aws:kms"
    assert put.header("x-amz-server-side-encryption-aws-kms-key-id") == "alias/backups"
    bucket.run("put", "many", data=noise(PART + 1), storage_class="STANDARD", sse="aes256", retry_ms=100)
    create = watched.seen_ops("create")[0]
    assert create.header("x-amz-server-side-encryption") == "AES256"


def test_the_check_passes_and_leaves_nothing(bucket):
    rows = {row["what"]: row for row in bucket.ok("check").rows}
    assert all(row["ok"] for row in rows.values()), rows
    assert "AbortIncompleteMultipartUpload" in rows["lifecycle"]["cure"]
    bucket.client.put_bucket_lifecycle_configuration(Bucket=bucket.name, LifecycleConfiguration={"Rules": [{
        "ID": "a", "Status": "Enabled", "Filter": {"Prefix": ""},
        "AbortIncompleteMultipartUpload": {"DaysAfterInitiation": 7}}]})
    rows = {row["what"]: row for row in bucket.ok("check").rows}
    assert rows["lifecycle"]["cure"] is None
    bucket.assert_nothing()


def test_a_bandwidth_limit_is_kept(bucket):
    began = time.monotonic()
    bucket.ok("put", "k", data=noise(3 * PART), bandwidth=PART)
    assert time.monotonic() - began > 1.5
    assert bucket.object("k") == noise(3 * PART)


def test_memory_is_two_parts(bucket):
    """Twelve parts pass through."""
    part = 8 * 2**20
    command = ["/usr/bin/time", "-f", "%M", *bucket.command("put", "k", part_size=part)]
    p = subprocess.run(command, input=bytes(part) * 12, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, check=True)
    assert int(p.stderr.split()[-1]) < 2 * part / 1024 + 32 * 1024

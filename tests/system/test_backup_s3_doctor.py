# SPDX-License-Identifier: Apache-2.0
"""What the doctor says of an S3 store: for each thing that people get wrong, what it is and what to do about it."""

import json
import time

import pytest

from harness.agent import free_port
from harness.certificates import Authority, server_context
from harness.rgw import ACCESS_KEY, KMS_KEY, SECRET_KEY
from harness.s3 import write_credentials
from harness.s3proxy import Answer, Cut, Hang, S3Proxy, Say, error

FOREVER = 10**6

pytestmark = pytest.mark.root


@pytest.fixture(scope="module")
def rgw(rgw):
    rgw.add_user("other", "OTHERACCESSKEY000001", SECRET_KEY)
    return rgw


@pytest.fixture
def bucket(rgw, proxy, tmp_path):
    """Nothing is left in it."""
    b = rgw.bucket(tmp_path, proxy.endpoint, retry_ms=200)
    yield b
    assert b.uploads() == []


def check(bucket, /, **settings):
    return {row["what"]: row for row in bucket.ok("check", **settings).rows}


def failed(bucket, what, text, cure, /, **settings):
    rows = check(bucket, **settings)
    assert [row["what"] for row in rows.values() if not row["ok"]] == [what], rows
    assert text in rows[what]["text"] and cure in rows[what]["cure"], rows[what]
    return rows


def test_all_is_well(bucket):
    rows = check(bucket)
    assert all(row["ok"] for row in rows.values()), rows
    assert {"clock", "write", "read", "list", "multipart upload", "delete", "lifecycle"} == set(rows)
    assert [what for what, row in rows.items() if row["cure"]] == ["lifecycle"]
    bucket.assert_nothing()


def test_wrong_keys(bucket):
    write_credentials(bucket.credentials, ACCESS_KEY, "hunter2hunter2")
    failed(bucket, "write", "SignatureDoesNotMatch", f"the access key and the secret of this service into {bucket.credentials}")
    write_credentials(bucket.credentials, "NOBODY", SECRET_KEY)
    failed(bucket, "write", "InvalidAccessKeyId", "the access key and the secret")
    bucket.credentials.write_text("hello\n")
    failed(bucket, "keys", "line 1 is not NAME = VALUE", "lines access_key_id = ...")
    bucket.credentials.chmod(0o644)
    failed(bucket, "keys", "can be read by others", "chmod 0600")
    bucket.credentials.unlink()
    failed(bucket, "keys", str(bucket.credentials), "lines access_key_id = ...")


def test_an_expired_token(bucket, proxy):
    proxy.keys, proxy.tokens = (ACCESS_KEY, SECRET_KEY), {"old": error(400, "ExpiredToken", "The provided token has expired.")}
    write_credentials(bucket.credentials, ACCESS_KEY, SECRET_KEY, "old")
    failed(bucket, "write", "expired", f"renew {bucket.credentials}")


@pytest.mark.parametrize("answer", [
    error(301, "PermanentRedirect", headers=[("x-amz-bucket-region", "eu-central-1")]),
    error(400, "AuthorizationHeaderMalformed", extra="<Region>eu-central-1</Region>")])
def test_row_34_a_wrong_region(bucket, proxy, answer):
    proxy.fault("*", Say(answer), times=FOREVER)
    failed(bucket, "write", 'in the region "eu-central-1", not "us-east-1"', "`region` and `endpoint`")


@pytest.mark.parametrize("off_s,words", [(1200, "1200 s behind"), (-1200, "1200 s ahead of")])
def test_row_17_a_wrong_clock(bucket, proxy, off_s, words):
    proxy.keys, proxy.clock_s = (ACCESS_KEY, SECRET_KEY), off_s
    rows = check(bucket)
    assert not rows["clock"]["ok"] and "timedatectl set-ntp true" in rows["clock"]["cure"]
    assert words in rows["clock"]["text"].replace("1199", "1200").replace("1201", "1200")
    assert rows["write"]["ok"] and rows["delete"]["ok"]


def test_row_09_no_bucket(bucket):
    failed(bucket, "write", 'no bucket "no-such-bucket"', "make the bucket", bucket="no-such-bucket")


def test_row_26_rights_one_by_one(bucket):
    """By policies that the server itself keeps to."""
    def deny(*actions):
        everything = [f"arn:aws:s3:::{bucket.name}", f"arn:aws:s3:::{bucket.name}/*"]
        statement = {"Effect": "Deny", "Principal": "*", "Action": list(actions), "Resource": everything}
        bucket.client.put_bucket_policy(Bucket=bucket.name, Policy=json.dumps({"Version": "2012-10-17", "Statement": [statement]}))

    deny("s3:ListBucket")
    failed(bucket, "list", "AccessDenied", f"allow these keys s3:ListBucket on the bucket {bucket.name}")
    deny("s3:GetObject")
    failed(bucket, "read", "403", f"allow these keys s3:GetObject on {bucket.name}/*")
    deny("s3:DeleteObject")
    failed(bucket, "delete", "not allowed to delete", 's3:DeleteObject; or set delete = "lifecycle"')
    assert check(bucket, delete="lifecycle")["delete"] == {
        "what": "delete", "ok": True, "text": "these keys cannot delete: good", "cure": None}
    bucket.client.delete_bucket_policy(Bucket=bucket.name)
    rows = check(bucket, delete="lifecycle")
    assert rows["delete"]["ok"] and "take s3:DeleteObject from them" in rows["delete"]["cure"]


def test_keys_of_somebody_else(bucket):
    write_credentials(bucket.credentials, "OTHERACCESSKEY000001", SECRET_KEY)
    failed(bucket, "write", "AccessDenied", f"allow these keys s3:PutObject on {bucket.name}/*")


@pytest.mark.parametrize("op,what,right", [
    ("create", "multipart upload", "s3:PutObject"), ("parts", "multipart upload", "s3:ListMultipartUploadParts"),
    ("uploads", "list of unfinished uploads", "s3:ListBucketMultipartUploads on the bucket")])
def test_rights_of_uploads(bucket, proxy, op, what, right):
    proxy.fault(op, Say(error(403, "AccessDenied")), times=FOREVER)
    failed(bucket, what, "AccessDenied", right)


def test_versions_and_rules(bucket):
    def rules(**rule):
        bucket.client.put_bucket_lifecycle_configuration(Bucket=bucket.name, LifecycleConfiguration={
            "Rules": [{"ID": "a", "Status": "Enabled", "Filter": {"Prefix": ""}, **rule}]})

    bucket.client.put_bucket_versioning(Bucket=bucket.name, VersioningConfiguration={"Status": "Enabled"})
    rows = check(bucket)
    assert "old versions" in rows["versioning"]["text"] and "NoncurrentVersionExpiration" in rows["versioning"]["cure"]
    assert "AbortIncompleteMultipartUpload" in rows["lifecycle"]["cure"]
    rules(NoncurrentVersionExpiration={"NoncurrentDays": 30}, AbortIncompleteMultipartUpload={"DaysAfterInitiation": 7})
    rows = check(bucket)
    assert rows["versioning"]["cure"] is None and rows["lifecycle"]["cure"] is None


def test_row_26_locks(bucket, rgw):
    failed(bucket, "object lock", "the bucket locks nothing", "make a bucket with object lock", object_lock="governance",
           object_lock_for=86400000)
    bucket.name = rgw.new_bucket(ObjectLockEnabledForBucket=True)
    rows = check(bucket, bucket=bucket.name, object_lock="governance", object_lock_for=86400000)
    assert rows["object lock"]["ok"] and all(row["ok"] for row in rows.values())
    assert bucket.keys() == []  # what the check makes has no lock


def test_encryption_by_the_store(bucket):
    assert check(bucket, sse="kms", sse_key_id=KMS_KEY)["encryption"]["ok"]
    failed(bucket, "encryption", "does not say that it encrypts", "set `encrypt` for the backups", sse="aes256")


def test_a_storage_class_that_is_not_there(bucket):
    failed(bucket, "write", "400", "`storage_class`", storage_class="GLACIER")


@pytest.mark.parametrize("action,text,cure", [
    (Say(error(503, "SlowDown")), "503 SlowDown", "not well"), (Say(Answer(502, [], b"<html>")), "502", "not well"),
    (Say(Answer(404, [], b"<html>")), "not as S3 says it", "correct `bucket` and `endpoint`"),
    (Cut("before request"), "Empty reply", "`endpoint` begins with https://"),
    (Say(Answer(413, [], b"<html>")), "413", "endpoint")])
def test_a_service_that_is_not_well(bucket, proxy, action, text, cure):
    proxy.fault("*", action, times=FOREVER)
    failed(bucket, "write", text, cure)


def test_a_service_that_says_nothing(bucket, proxy):
    proxy.fault("*", Hang(), times=FOREVER)
    began = time.monotonic()
    failed(bucket, "write", "too slow", "firewall", idle_s=1)
    assert time.monotonic() - began < 15


def test_addresses_that_are_wrong(bucket):
    failed(bucket, "write", "resolve host", "DNS", endpoint="http://s3.nowhere.invalid")
    failed(bucket, "write", "connect", "correct `endpoint` and its port", endpoint=f"http://127.0.0.1:{free_port()}")


def test_certificates(bucket, rgw, tmp_path):
    authority = Authority(tmp_path / "ca")
    with S3Proxy(rgw.port, tls=server_context(authority.make())) as proxy:
        bucket.settings["endpoint"] = proxy.endpoint
        failed(bucket, "write", "certificate", "set `ca_file`")
        failed(bucket, "write", "certificate", f"into {tmp_path}/other/ca.pem (ca_file)", ca_file=str(Authority(tmp_path / "other").ca))
        failed(bucket, "write", "/nonexistent/ca.pem", "as PEM", ca_file="/nonexistent/ca.pem")
        assert proxy.seen == []
        rows = check(bucket, ca_file=str(authority.ca))
        assert all(row["ok"] for row in rows.values()), rows
        plain = proxy.endpoint.replace("https:", "http:")
        failed(bucket, "write", "", "begins with https://", endpoint=plain)

# SPDX-License-Identifier: Apache-2.0
"""The S3 store against OpenStack Swift's s3api, which enforces the region: a second opinion on what is sent."""

import itertools
import random

import pytest

from harness.s3 import Bucket
from harness.swift import ACCESS_KEY, REGION, SECRET_KEY

PART = 65536
DATA = random.Random(3).randbytes(3 * PART + 5)
NUMBERS = itertools.count(1)

pytestmark = pytest.mark.root


@pytest.fixture
def bucket(swift, tmp_path):
    name = f"bucket-{next(NUMBERS)}"
    client = swift.client()
    client.create_bucket(Bucket=name, CreateBucketConfiguration={"LocationConstraint": REGION})
    return Bucket(tmp_path, client, name, swift.endpoint, ACCESS_KEY, SECRET_KEY, region=REGION)


@pytest.mark.parametrize("key", ["shop/x/shop.dump", "a b+c/%C3%A4.gz", "'()!*/:@,;=&$", "\u00e4/\U0001f600.zst"])
def test_objects_of_one_and_of_several_parts(bucket, key):
    for name, data in ((key, DATA), (key + ".small", b"small")):
        bucket.ok("put", name, data=data)
        assert bucket.object(name) == data
        assert bucket.ok("get", name, 1000 if data is DATA else 1).out == data[1000 if data is DATA else 1:]
    assert sorted(row["key"] for row in bucket.ok("list", "").rows) == [key, key + ".small"]
    assert bucket.uploads() == []
    bucket.ok("remove", key)
    bucket.ok("remove", key)
    assert bucket.keys() == [key + ".small"]


def test_row_34_a_wrong_region_is_named(bucket):
    r = bucket.run("put", "k", data=b"x", region="us-east-1")
    assert r.status == 1 and f'in the region "{REGION}", not "us-east-1": set region = "{REGION}"' in r.message


def test_unfinished_uploads_are_found_and_abandoned(bucket):
    upload = bucket.client.create_multipart_upload(Bucket=bucket.name, Key="shop/x")["UploadId"]
    bucket.client.upload_part(Bucket=bucket.name, Key="shop/x", UploadId=upload, PartNumber=1, Body=b"x" * 5000)
    assert [(r["key"], r["etag"]) for r in bucket.ok("unfinished", "shop/").rows] == [("shop/x", upload)]
    bucket.ok("abandon", "shop/x", upload)
    bucket.assert_nothing()


def test_the_check_passes(bucket):
    rows = {row["what"]: row for row in bucket.ok("check").rows}
    assert all(row["ok"] for row in rows.values()), rows
    assert {"clock", "write", "read", "list", "multipart upload", "delete"} <= set(rows)
    bucket.assert_nothing()

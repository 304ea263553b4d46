# SPDX-License-Identifier: Apache-2.0
"""The S3 store against Ceph's gateway: what it writes is there, whole, and nothing else is."""

import itertools
import random

import pytest

from harness import rgw as rgw_server
from harness.rgw import ACCESS_KEY, SECRET_KEY, Rgw
from harness.s3 import Bucket

PART = 65536
NUMBERS = itertools.count(1)

pytestmark = pytest.mark.root


@pytest.fixture(scope="module")
def rgw(tmp_path_factory):
    if missing := rgw_server.missing():
        pytest.skip(f"no {missing} (Debian packages radosgw, ceph-mon, ceph-osd)")
    server = Rgw(tmp_path_factory.mktemp("rgw"))
    try:
        yield server.start()
    finally:
        server.stop()


@pytest.fixture
def bucket(rgw, tmp_path):
    name = f"bucket-{next(NUMBERS)}"
    client = rgw.client()
    client.create_bucket(Bucket=name)
    return Bucket(tmp_path, client, name, rgw.endpoint, ACCESS_KEY, SECRET_KEY)


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

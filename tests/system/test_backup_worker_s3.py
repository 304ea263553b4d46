# SPDX-License-Identifier: Apache-2.0
"""Whole runs against Ceph's S3 gateway: whatever ends them, a bucket has whole backups and nothing else."""

import os
import signal
import subprocess
from concurrent.futures import ThreadPoolExecutor

import pytest

from harness.moments import Moments, begin_with
from harness.s3proxy import Cut, S3Proxy
from harness.worker import Worker

SIZE = 500_000  # eight parts

pytestmark = pytest.mark.root


def sh(script, *arguments):
    return ["/bin/sh", "-c", script, "sh", *map(str, arguments)]


@pytest.fixture
def make_worker(rgw, tmp_path):
    def make(name="one"):
        folder = tmp_path / name
        folder.mkdir()
        bucket = rgw.bucket(folder)
        data = folder / "data"
        data.write_bytes(os.urandom(SIZE))
        worker = Worker(folder, {"command": ["/bin/cat", str(data)], "compression": "none"}, [bucket.settings])
        worker.bucket, worker.data = bucket, data
        return worker

    return make


def test_a_backup_in_parts_comes_back(make_worker):
    worker = make_worker()
    worker.backup()
    assert worker.bucket.whole_backups() == 1
    assert worker.bucket.uploads() == []
    assert worker.restored() == worker.data.read_bytes()
    worker.run("verify").good()
    assert worker.backups()[0]["verified_ms"] > 0


def test_row_02_a_dump_that_fails_at_its_end_leaves_no_object_and_no_part(make_worker):
    worker = make_worker()
    worker.run("backup", {"command": sh('cat "$1"; echo out of memory >&2; exit 1', worker.data)}).bad("out of memory")
    worker.bucket.assert_nothing()
    assert worker.journals() == []


def test_several_segments_are_one_stream(make_worker):
    worker = make_worker()
    worker.stores = [{**worker.stores[0], "max_parts": 3}]
    worker.backup()
    assert sum(not k.endswith(".json") for k in worker.bucket.keys()) >= 3
    assert worker.restored() == worker.data.read_bytes()
    worker.run("backup", {"command": sh('cat "$1"; exit 1', worker.data)}).bad()
    assert worker.bucket.whole_backups() == 1
    assert worker.bucket.uploads() == []


def test_a_backup_stopped_at_a_random_moment_leaves_no_object_and_no_part(make_worker):
    worker, stopped = make_worker(), 0
    for moment in Moments(worker).some(12):
        before = worker.bucket.whole_backups()
        run = begin_with(worker, "TERM", moment).wait()
        # Before its first line the signal is the end of it, without a word.
        good = any(line["ok"] for line in run.said("result"))
        stopped += not good
        assert worker.bucket.whole_backups() == before + good, run.explain()
        assert worker.bucket.uploads() == []
    assert stopped


def test_row_11_a_worker_killed_at_24_random_moments_leaves_nothing_after_the_next_sweep(make_worker):
    killed = []

    def kills(worker):
        for moment in Moments(worker).some(8):
            run = begin_with(worker, "KILL", moment).wait()
            killed.append(run.process.returncode == -signal.SIGKILL)
            worker.run("sweep", job=None, jobs=["shop"]).good()
            worker.bucket.whole_backups()
            assert worker.bucket.uploads() == []
            assert worker.journals() == []
        worker.backup()
        assert worker.restored() == worker.data.read_bytes()

    with ThreadPoolExecutor(3) as pool:
        list(pool.map(kills, [make_worker(str(n)) for n in range(3)]))
    assert sum(killed) >= 16, "too few came to their moment"


@pytest.mark.parametrize("where", ["before response", "mid response"])
def test_row_33_a_restore_whose_connections_are_all_cut_once_is_whole(rgw, make_worker, where):
    """On a server that has nothing but configuration and credentials."""
    worker = make_worker()
    worker.backup()
    with S3Proxy(rgw.port) as proxy:
        new = Worker(worker.folder / "new", worker.job, [{**worker.stores[0], "endpoint": proxy.endpoint}])
        proxy.first_time = Cut(where)
        assert new.restored() == worker.data.read_bytes()
        whole = [r for r in proxy.seen_ops("get") if not r.path.endswith(".json")]
        assert len(whole) > 2, "check and restore, both cut"
        if where == "mid response":
            assert any(r.header("range") for r in whole)
        new.run("verify").good()


def test_memory_is_two_parts_whatever_the_size(make_worker, tmp_path):
    """Ten parts, compressed and encrypted, there and back."""
    part, peak, key = 8 << 20, tmp_path / "peak", tmp_path / "key"
    subprocess.run(["age-keygen", "-o", str(key)], check=True, stderr=subprocess.DEVNULL)
    key.chmod(0o600)
    public = next(line.split()[-1] for line in key.read_text().splitlines() if "public key" in line)
    worker = make_worker()
    worker.stores = [{**worker.stores[0], "part_size": part}]
    worker.job.update(compression="zstd", encrypt=[public], key_exported=True, identity_file=str(key),
                      command=sh('head -c "$1" /dev/urandom', 10 * part))
    worker.prefix = ["/usr/bin/time", "-q", "-o", str(peak), "-f", "%M"]
    worker.backup()
    assert int(peak.read_text()) * 1024 <= 2 * part + (32 << 20)
    worker.run("restore", restore={"to": "-"}).good()
    assert int(peak.read_text()) * 1024 <= 2 * part + (32 << 20)


def test_a_bucket_that_is_gone_is_a_partial_backup(make_worker):
    worker = make_worker()
    worker.stores = [worker.directory_store("local"), {**worker.stores[0], "bucket": "not-there"}]
    worker.job["stores"] = ["local", "offsite"]
    result = worker.run("backup").bad("offsite")
    assert result["partial"] is True
    assert worker.restored(store="local") == worker.data.read_bytes()


def test_two_kinds_of_stores_at_once(make_worker):
    worker = make_worker()
    worker.stores.append(worker.directory_store("local"))
    worker.job["stores"] = ["offsite", "local"]
    worker.backup()
    assert worker.restored(store="local") == worker.restored(store="offsite") == worker.data.read_bytes()


def test_a_flipped_bit_in_the_bucket_is_found(make_worker):
    worker = make_worker()
    worker.backup()
    [key] = [k for k in worker.bucket.keys() if not k.endswith(".json")]
    data = bytearray(worker.bucket.object(key))
    data[len(data) // 2] ^= 1
    worker.bucket.client.put_object(Bucket=worker.bucket.name, Key=key, Body=bytes(data))
    worker.run("verify").bad("SHA-256")
    assert worker.backups()[0]["bad_ms"] > 0
    worker.run("restore", restore={"to": "-"}).bad()

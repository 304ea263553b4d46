# SPDX-License-Identifier: Apache-2.0
"""The whole agent with a store in Ceph's gateway: back up, list, restore from nothing but configuration and keys, and a kill."""

import os
import random
import signal

import pytest

from harness import proc
from harness.agent import run_cli
from harness.rgw import ACCESS_KEY, SECRET_KEY
from harness.s3proxy import Hang, Say, error
from harness.wait import until

DATA = random.Random(5).randbytes(6 * 2**20)  # does not compress
PART = 5 * 2**20

pytestmark = pytest.mark.root


@pytest.fixture
def backups(make_agent, bucket, proxy, tmp_path):
    """An agent with one job, which backs a file up. Row 32: afterwards the secret is in no log and no file of it."""
    (tmp_path / "shop.txt").write_bytes(DATA)
    agent = make_agent(settings={
        "databases": {"shop": {"engine": "command", "command": ["cat", str(tmp_path / "shop.txt")],
                               "restore_command": ["tee", str(tmp_path / "back.txt")]}},
        "stores": {"offsite": {"type": "s3", "endpoint": proxy.endpoint, "bucket": bucket.name, "part_size": "5M",
                               "prefix": "vps1/", "credentials_file": str(bucket.credentials)}}})
    yield agent.start()
    files = [p for p in [agent.log_path, *agent.state.rglob("*")] if p.is_file()]
    assert len(files) > 5 and not [p for p in files if SECRET_KEY.encode() in p.read_bytes()]


def now(agent, **kwargs):
    return agent.cli("backup", "now", "shop", timeout=60, **kwargs)


def manifests(bucket):
    return [k for k in bucket.keys() if k.endswith("/manifest.json")]


def test_a_backup_is_there_with_its_manifest_and_comes_back(backups, bucket, proxy, tmp_path):
    r = now(backups)
    assert r.returncode == 0, r
    assert len(manifests(bucket)) == 1 and len(bucket.keys()) == 2 and bucket.uploads() == []
    assert all(key.startswith("vps1/shop/") for key in bucket.keys())
    assert proxy.ops().count("part") == 2
    # A new server: no state, only the configuration and the keys.
    r = run_cli("backup", "restore", "shop", "--config", str(backups.config), "--state", str(tmp_path / "new"), "--to",
                str(tmp_path / "dump"))
    assert r.returncode == 0, r
    assert (tmp_path / "dump").read_bytes() == DATA


def test_row_10_a_failed_completion_is_a_failed_run_without_a_manifest(backups, bucket, proxy):
    proxy.fault("complete", Say(error(200, "InvalidPart", "One or more parts could not be found")), times=10**6)
    backups.expected_errors.append("InvalidPart")
    r = now(backups)
    assert r.returncode == 1 and "InvalidPart" in r.stdout + r.stderr
    bucket.assert_nothing()


def worker_of(agent):
    return next((pid for pid in proc.children(agent.pid) if "worker" in proc.cmdline(pid)), None)


def test_row_11_a_worker_that_is_killed_leaves_nothing_for_long(backups, bucket, proxy):
    proxy.fault("part", Hang(), times=10**6, when=lambda r: r.query["partNumber"] == "2")
    backups.expected_errors.append("shop")
    assert backups.cli("backup", "now", "shop", "--detach").returncode == 0
    until(lambda: "2" in [r.query["partNumber"] for r in proxy.seen_ops("part")], 20, "the second part")
    os.kill(worker_of(backups), signal.SIGKILL)
    until(lambda: worker_of(backups) is None, 10, "the end of the worker")
    backups.stop()
    backups.start()
    until(lambda: bucket.uploads() == [], 20, "the sweep at the start")
    bucket.assert_nothing()


def test_a_run_that_is_stopped_leaves_nothing(backups, bucket, proxy):
    proxy.fault("part", Hang(), times=10**6)
    backups.expected_errors.append("shop")
    assert backups.cli("backup", "now", "shop", "--detach").returncode == 0
    until(lambda: "part" in proxy.ops(), 20, "the first part")
    os.kill(worker_of(backups), signal.SIGTERM)
    until(lambda: worker_of(backups) is None, 20, "the end of the worker")
    bucket.assert_nothing()


def test_the_doctor_looks_at_the_store(backups, bucket, proxy):
    r = backups.cli("backup", "doctor", "--config", str(backups.config), timeout=60)
    assert r.returncode == 0, r
    assert "AbortIncompleteMultipartUpload" in r.stdout
    bucket.assert_nothing()
    bucket.credentials.write_text(f"access_key_id = {ACCESS_KEY}\nsecret_access_key = hunter2hunter2\n")
    r = backups.cli("backup", "doctor", "--config", str(backups.config), timeout=60)
    assert r.returncode == 1 and "SignatureDoesNotMatch" in r.stdout and "hunter2" not in r.stdout + r.stderr

# SPDX-License-Identifier: Apache-2.0
"""OpenStack Swift with its S3 interface (Debian: swift-proxy, swift-object, memcached ...) on free ports of loopback. A second opinion on
signatures: it enforces the region."""

import os
import shutil
import signal
import socket
import subprocess
from pathlib import Path

import boto3
import botocore.config

from harness.agent import free_port
from harness.rgw import USER
from harness.wait import until

ACCESS_KEY = "test:test"
SECRET_KEY = "testSecretKey0000000000000000000000000001"
REGION = "eu-test-1"

BACK = """
[DEFAULT]
bind_ip = 127.0.0.1
bind_port = {port}
workers = 0
user = {user}
swift_dir = {folder}
devices = {folder}/dev
mount_check = false
fallocate_reserve = 0
log_level = WARNING
recon_cache_path = {folder}/cache
[pipeline:main]
pipeline = {kind}-server
[app:{kind}-server]
use = egg:swift#{kind}
replication_server = false
"""

PROXY = """
[DEFAULT]
bind_ip = 127.0.0.1
bind_port = {port}
workers = 0
user = {user}
swift_dir = {folder}
log_level = WARNING
[pipeline:main]
pipeline = catch_errors gatekeeper healthcheck cache listing_formats bulk s3api tempauth copy slo dlo proxy-server
[app:proxy-server]
use = egg:swift#proxy
account_autocreate = true
[filter:catch_errors]
use = egg:swift#catch_errors
[filter:gatekeeper]
use = egg:swift#gatekeeper
[filter:healthcheck]
use = egg:swift#healthcheck
[filter:cache]
use = egg:swift#memcache
memcache_servers = 127.0.0.1:{memcached}
[filter:listing_formats]
use = egg:swift#listing_formats
[filter:bulk]
use = egg:swift#bulk
[filter:s3api]
use = egg:swift#s3api
location = {region}
dns_compliant_bucket_names = true
s3_acl = false
min_segment_size = 4096
[filter:tempauth]
use = egg:swift#tempauth
user_test_test = {secret} .admin
[filter:copy]
use = egg:swift#copy
[filter:slo]
use = egg:swift#slo
[filter:dlo]
use = egg:swift#dlo
"""

KINDS = ("account", "container", "object")


def missing():
    """What is not installed; None when all is."""
    programs = ["memcached", "swift-proxy-server", "swift-ring-builder", *(f"swift-{k}-server" for k in KINDS)]
    return next((p for p in programs if not shutil.which(p)), None)


class Swift:
    def __init__(self, folder):
        self.folder = Path(folder)
        self.port, self.memcached, *self.back = (free_port() for _ in range(5))
        self.processes = []

    @property
    def endpoint(self):
        return f"http://127.0.0.1:{self.port}"

    def start(self):
        for name in ("dev/d1", "cache"):
            (self.folder / name).mkdir(parents=True)
        common = {"user": USER, "folder": self.folder}
        for kind, port in zip(KINDS, self.back):
            (self.folder / f"{kind}.conf").write_text(BACK.format(kind=kind, port=port, **common))
        (self.folder / "proxy.conf").write_text(PROXY.format(
            port=self.port, memcached=self.memcached, region=REGION, secret=SECRET_KEY, **common))
        (self.folder / "swift.conf").write_text("[swift-hash]\nswift_hash_path_suffix = test\n")
        for path, folders, names in os.walk(self.folder):
            for name in [".", *folders, *names]:
                shutil.chown(Path(path) / name, USER)
        for path in self.folder.parents:  # pytest's folders are closed
            if str(path).startswith("/tmp/") and path.stat().st_uid == os.getuid():
                path.chmod(path.stat().st_mode | 0o011)
        for kind, port in zip(KINDS, self.back):
            self._ring(kind, port)
        self._start("memcached", "memcached", "-l", "127.0.0.1", "-p", str(self.memcached), "-m", "16", "-U", "0")
        for kind in KINDS:
            self._start(kind, f"swift-{kind}-server", str(self.folder / f"{kind}.conf"))
        self._start("proxy", "swift-proxy-server", str(self.folder / "proxy.conf"))
        for port in (*self.back, self.port):
            until(lambda port=port: self._answers(port), 60, "swift")
        return self

    def _ring(self, kind, port):
        builder = str(self.folder / f"{kind}.builder")
        for words in (["create", "4", "1", "1"], ["add", f"r1z1-127.0.0.1:{port}/d1", "1"], ["rebalance"]):
            subprocess.run(self._as_user("swift-ring-builder", builder, *words), check=False, cwd=self.folder,
                           stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        assert (self.folder / f"{kind}.ring.gz").exists()

    def _answers(self, port):
        dead = [name for name, p in self.processes if p.poll() is not None]
        if dead:  # no AssertionError: there is nothing to wait for
            raise RuntimeError(f"{dead[0]} ended:\n" + (self.folder / f"{dead[0]}.out").read_text(errors="replace"))
        with socket.create_connection(("127.0.0.1", port), 1):
            return True

    def _as_user(self, *command):
        return ["setpriv", "--reuid", USER, "--regid", "nogroup", "--clear-groups", "--", *command]

    def _start(self, name, *command):
        with open(self.folder / f"{name}.out", "wb") as out:
            self.processes.append((name, subprocess.Popen(
                self._as_user(*command), stdin=subprocess.DEVNULL, stdout=out, stderr=out, cwd=self.folder,
                start_new_session=True)))

    def client(self):
        return boto3.client(
            "s3", endpoint_url=self.endpoint, aws_access_key_id=ACCESS_KEY, aws_secret_access_key=SECRET_KEY,
            region_name=REGION,
            config=botocore.config.Config(s3={"addressing_style": "path"}, retries={"max_attempts": 0}, proxies={}))

    def stop(self):
        for _, p in reversed(self.processes):
            if p.poll() is None:
                os.killpg(p.pid, signal.SIGKILL)
        for _, p in self.processes:
            p.wait(20)
        self.processes = []
        shutil.rmtree(self.folder, ignore_errors=True)

# SPDX-License-Identifier: Apache-2.0
"""OpenStack Swift with its S3 interface (Debian: swift-proxy, swift-object, memcached ...) on free ports of loopback. A second opinion on
signatures: it enforces the region."""

import subprocess

from harness import unprivileged
from harness.agent import free_port
from harness.s3 import client
from harness.server import Server

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


class Swift(Server):
    name, title = "swift", "Swift"
    programs = "memcached", "swift-proxy-server", "swift-ring-builder", *(f"swift-{k}-server" for k in KINDS)
    packages = "swift-proxy, swift-account, swift-container, swift-object, memcached"

    def __init__(self, folder=None):
        super().__init__(folder)
        self.memcached, *self.back = (free_port() for _ in range(4))

    @property
    def endpoint(self):
        return f"http://127.0.0.1:{self.port}"

    def launch(self):
        for name in ("dev", "dev/d1", "cache"):
            unprivileged.give(self.folder / name)
        common = {"user": unprivileged.USER, "folder": self.folder}
        for kind, port in zip(KINDS, self.back):
            (self.folder / f"{kind}.conf").write_text(BACK.format(kind=kind, port=port, **common))
        (self.folder / "proxy.conf").write_text(PROXY.format(
            port=self.port, memcached=self.memcached, region=REGION, secret=SECRET_KEY, **common))
        (self.folder / "swift.conf").write_text("[swift-hash]\nswift_hash_path_suffix = test\n")
        for kind, port in zip(KINDS, self.back):
            self._ring(kind, port)
        self.spawn("memcached", "memcached", "-l", "127.0.0.1", "-p", self.memcached, "-m", "16", "-U", "0")
        for kind in KINDS:
            self.spawn(kind, f"swift-{kind}-server", self.folder / f"{kind}.conf")
        self.spawn("proxy", "swift-proxy-server", self.folder / "proxy.conf")
        for port in (*self.back, self.port):
            self.wait(lambda port=port: self.listens(port))

    def _ring(self, kind, port):
        builder = str(self.folder / f"{kind}.builder")
        for words in (["create", "4", "1", "1"], ["add", f"r1z1-127.0.0.1:{port}/d1", "1"], ["rebalance"]):
            subprocess.run(unprivileged.command("swift-ring-builder", builder, *words), check=False, cwd=self.folder,
                           stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        assert (self.folder / f"{kind}.ring.gz").exists()

    def client(self):
        return client(self.endpoint, ACCESS_KEY, SECRET_KEY, REGION)

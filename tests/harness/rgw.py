# SPDX-License-Identifier: Apache-2.0
"""Ceph's S3 gateway (Debian: radosgw) with one monitor and one object store in memory, on free ports of loopback.

It checks signatures, hashes of bodies and all the rules of multipart uploads, and encrypts with KMS_KEY (sse kms; it ignores aes256).
Without a fixed region: any is accepted."""

import itertools
import uuid

from harness import unprivileged
from harness.agent import free_port
from harness.s3 import Bucket, client
from harness.server import Server

ACCESS_KEY = "TESTACCESSKEY0000001"
SECRET_KEY = "testSecretKey/+0000000000000000000000001"
KMS_KEY = "backups-key"

CONF = """
[global]
fsid = {fsid}
mon host = [v2:127.0.0.1:{mon}]
public addr = 127.0.0.1
cluster addr = 127.0.0.1
keyring = {folder}/keyring
osd pool default size = 1
osd pool default min size = 1
osd pool default pg num = 2
osd pool default pg autoscale mode = off
osd crush chooseleaf type = 0
paxos propose interval = 0.05
paxos min wait = 0.01
mon allow pool size one = true
mon max pg per osd = 1000
mon data = {folder}/mon
osd data = {folder}/osd
run dir = {folder}/run
admin socket = {folder}/run/$name.asok
log file = {folder}/run/$name.log
log to file = false
mon cluster log to file = false
crash dir = {folder}/run
ms bind ipv6 = false
osd objectstore = memstore
memstore device bytes = 2147483648
osd crush update on start = true
osd max object name len = 256
osd max object namespace len = 64
[client.rgw.test]
rgw frontends = beast endpoint=127.0.0.1:{port}
rgw thread pool size = 32
rgw enable usage log = false
rgw dns name = s3.localhost
rgw multipart min part size = {part_min}
rgw max listing results = 50
rgw crypt require ssl = false
rgw crypt s3 kms backend = testing
rgw crypt s3 kms encryption keys = {kms_key}=YmluCmJvb3N0CmJvb3N0LWJ1aWxkCmNlcGguY29uZgo=
"""


class Rgw(Server):
    """start() takes about two seconds. `part_min`: parts may be this small, so that tests need not send much."""

    name, title = "rgw", "radosgw"
    programs = "ceph-mon", "ceph-osd", "radosgw", "radosgw-admin", "monmaptool", "ceph-authtool", "ceph"
    packages = "radosgw, ceph-mon, ceph-osd"

    def __init__(self, folder=None, part_min=4096):
        super().__init__(folder)
        self.mon_port = None
        self.part_min = part_min
        self.numbers = itertools.count(1)

    @property
    def endpoint(self):
        return f"http://127.0.0.1:{self.port}"

    def start(self):
        """Once more when somebody was quicker with a port."""
        try:
            return super().start()
        except (AssertionError, RuntimeError):
            return super().start()

    def launch(self):
        self.mon_port, self.port = free_port(), free_port()
        fsid = str(uuid.uuid4())
        for name in ("mon", "osd", "run"):
            unprivileged.give(self.folder / name)
        (self.folder / "ceph.conf").write_text(CONF.format(
            fsid=fsid, mon=self.mon_port, port=self.port, folder=self.folder, part_min=self.part_min,
            kms_key=KMS_KEY))
        self._make(fsid)
        self.add_user("test", ACCESS_KEY, SECRET_KEY)

    def _make(self, fsid):
        conf, keyring = ["-c", str(self.folder / "ceph.conf")], str(self.folder / "keyring")
        self.run("monmaptool", "--create", "--clobber", "--fsid", fsid, "--addv", "a",
                  f"[v2:127.0.0.1:{self.mon_port}]", str(self.folder / "monmap"))
        self.run("ceph-authtool", "--create-keyring", keyring, "--gen-key", "-n", "mon.", "--cap", "mon", "allow *")
        for name in ("client.admin", "client.rgw.test", "osd.0"):
            self.run("ceph-authtool", keyring, "--gen-key", "-n", name, "--cap", "mon", "allow *",
                      "--cap", "osd", "allow *", "--cap", "mgr", "allow *")
        self.run("ceph-mon", *conf, "--keyring", keyring, "--mkfs", "-i", "a", "--monmap", str(self.folder / "monmap"))
        self.spawn("mon", "ceph-mon", *conf, "-i", "a", "-f")
        osd = str(uuid.uuid4())
        self.run("timeout", "60", "ceph", *conf, "osd", "new", osd)
        self.run("ceph-osd", *conf, "-i", "0", "--mkfs", "--osd-uuid", osd)
        self.spawn("osd", "ceph-osd", *conf, "-i", "0", "-f")
        self._serve()

    def _serve(self):
        self.spawn("rgw", "radosgw", "-c", str(self.folder / "ceph.conf"), "-n", "client.rgw.test", "-f")
        self.wait(lambda: self.listens(self.port))

    def add_user(self, name, access_key, secret_key):
        self._admin("user", "create", f"--uid={name}", f"--display-name={name}", f"--access-key={access_key}",
                    f"--secret-key={secret_key}")

    def add_storage_class(self, name):
        """Beside STANDARD. The gateway is started anew."""
        where = ["--placement-id", "default-placement", "--storage-class", name]
        self._admin("zonegroup", "placement", "add", "--rgw-zonegroup", "default", *where)
        self._admin("zone", "placement", "add", "--rgw-zone", "default", *where, "--data-pool", "default.rgw.buckets.data")
        gateway = self.processes.pop("rgw")
        gateway.terminate()  # the others would wait for one that was killed
        gateway.wait(20)
        self._serve()

    def _admin(self, *arguments):
        self.run("radosgw-admin", "-c", str(self.folder / "ceph.conf"), "-n", "client.rgw.test", *arguments)

    def client(self, access_key=ACCESS_KEY, secret_key=SECRET_KEY):
        return client(self.endpoint, access_key, secret_key, "us-east-1")

    def new_bucket(self, **options):
        """The name of one that nobody else has; `options` are those of CreateBucket."""
        name = f"bucket-{next(self.numbers)}"
        self.client().create_bucket(Bucket=name, **options)
        return name

    def bucket(self, folder, endpoint=None, create=None, **settings):
        """A new one for the store, which goes to `endpoint`: a proxy's, or the gateway itself."""
        name = self.new_bucket(**(create or {}))
        return Bucket(folder, self.client(), name, endpoint or self.endpoint, ACCESS_KEY, SECRET_KEY, **settings)

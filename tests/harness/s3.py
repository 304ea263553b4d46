# SPDX-License-Identifier: Apache-2.0
"""A bucket for each test, seen from both sides: boto3 looks into it, store_driver.c does what the agent's workers do."""

import hashlib
import json
import os
import signal
import subprocess
from pathlib import Path

import boto3
import botocore.config

from harness.agent import ROOT

DRIVER = Path(os.environ.get("STORE_DRIVER") or ROOT / os.environ.get("BUILD", "build") / "tests" / "store_driver")

# So short that a test need not wait; the real ones are 30 minutes and half a second.
RETRIES = {"retry_ms": 20000, "retry_base_ms": 20}


def client(endpoint, access_key, secret_key, region):
    """Without retries: what the server says is what the test sees."""
    return boto3.client(
        "s3", endpoint_url=endpoint, aws_access_key_id=access_key, aws_secret_access_key=secret_key, region_name=region,
        config=botocore.config.Config(s3={"addressing_style": "path"}, retries={"max_attempts": 0}, proxies={}))


class Result:
    def __init__(self, status, out, err):
        self.status = status
        self.out = out
        self.err = err.decode(errors="replace")

    @property
    def rows(self):
        return [json.loads(line) for line in self.out.decode().splitlines()]

    @property
    def notes(self):
        """What the journal was told: (key, token)."""
        return [tuple(line.split(" ")[2:]) for line in self.err.splitlines() if line.startswith("note ")]

    @property
    def message(self):
        """The last line: "ERRNO: what is wrong"."""
        return self.err.splitlines()[-1] if self.err else ""

    def __repr__(self):
        return f"<status {self.status}: {self.err}>"


def write_credentials(path, access_key, secret_key, token=None):
    lines = ["[default]", f"aws_access_key_id = {access_key}", f"aws_secret_access_key = {secret_key}"]
    if token:
        lines.append(f"aws_session_token = {token}")
    path.with_suffix(".new").write_text("\n".join(lines) + "\n")
    path.with_suffix(".new").chmod(0o600)
    path.with_suffix(".new").rename(path)


class Bucket:
    """`client`: boto3's, for the server itself. `endpoint` is where the store goes, maybe through a proxy."""

    def __init__(self, folder, client, name, endpoint, access_key, secret_key, **settings):
        self.folder = Path(folder)
        self.client = client
        self.name = name
        self.credentials = self.folder / "s3.cred"
        write_credentials(self.credentials, access_key, secret_key)
        self.settings = {"name": "offsite", "type": "s3", "endpoint": endpoint, "bucket": name, "part_size": 65536,
                         "credentials_file": str(self.credentials), **RETRIES, **settings}

    # --- from our side

    def command(self, *arguments, **settings):
        path = self.folder / "settings.json"
        path.write_text(json.dumps({k: v for k, v in {**self.settings, **settings}.items() if v is not None}))
        return [str(DRIVER), str(path), *map(str, arguments)]

    def run(self, *arguments, data=b"", timeout=60, **settings):
        p = subprocess.run(self.command(*arguments, **settings), input=data, stdout=subprocess.PIPE,
                           stderr=subprocess.PIPE, timeout=timeout, check=False)
        return Result(p.returncode, p.stdout, p.stderr)

    def popen(self, *arguments, **settings):
        return subprocess.Popen(self.command(*arguments, **settings), stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                                stderr=subprocess.PIPE)

    def ok(self, *arguments, **kwargs):
        r = self.run(*arguments, **kwargs)
        assert r.status == 0, r
        return r

    # --- from the server's side

    def object(self, key):
        return self.client.get_object(Bucket=self.name, Key=key)["Body"].read()

    def keys(self):
        return [o["Key"] for o in self.client.list_objects_v2(Bucket=self.name).get("Contents", [])]

    def uploads(self):
        """Unfinished ones with their parts: (key, id, number of parts)."""
        found = []
        for u in self.client.list_multipart_uploads(Bucket=self.name).get("Uploads", []):
            parts = self.client.list_parts(Bucket=self.name, Key=u["Key"], UploadId=u["UploadId"]).get("Parts", [])
            found.append((u["Key"], u["UploadId"], len(parts)))
        return found

    def whole_backups(self):
        """Each manifest stands for whole objects, and each object belongs to one; returns how many there are."""
        keys, known, n = self.keys(), set(), 0
        for key in keys:
            if not key.endswith("/manifest.json"):
                continue
            n += 1
            folder = key.removesuffix("manifest.json")
            known |= {key, *(k for k in keys if k.startswith(folder + "verified-"))}
            prefix = key.rsplit("/", 3)[0] + "/" if key.count("/") > 2 else ""
            for member in json.loads(self.object(key))["members"]:
                data = b"".join(self.object(prefix + s["key"]) for s in member["segments"])
                assert hashlib.sha256(data).hexdigest() == member["stored_sha256"], key
                known |= {prefix + s["key"] for s in member["segments"]}
        assert set(keys) == known
        return n

    def assert_nothing(self):
        assert self.keys() == [], self.keys()
        assert self.uploads() == [], self.uploads()


def end(process):
    """SIGTERM, as the daemon does it; the result."""
    process.send_signal(signal.SIGTERM)
    out, err = process.communicate(timeout=30)
    return Result(process.returncode, out, err)

# SPDX-License-Identifier: Apache-2.0
"""Remotes of rclone over a folder, seen from both sides: the folder's files, and what store_driver.c does with the remote."""

import json
import os
import shutil
import subprocess
from pathlib import Path

from harness.s3 import DRIVER, Result


def missing():
    """What is not installed; None when all is."""
    return None if shutil.which("rclone") else "rclone"


def obscured(text):
    return subprocess.run(["rclone", "obscure", text], stdout=subprocess.PIPE, check=True, text=True).stdout.strip()


class Remote:
    """Kinds: `local`, `alias` (of a folder), `crypt` (encrypted, names too) and any other lines of a configuration."""

    def __init__(self, folder, kind="local", lines=None, path=None):
        self.folder = Path(folder)
        self.root = self.folder / "remote"
        self.root.mkdir(parents=True, exist_ok=True)
        self.config = self.folder / "rclone.conf"
        text = {
            "local": "[it]\ntype = local\n",
            "alias": f"[it]\ntype = alias\nremote = {self.root}\n",
            "crypt": f"[it]\ntype = crypt\nremote = {self.root}\npassword = {obscured('secret of rclone')}\n",
        }
        self.config.write_text(lines or text[kind])
        self.config.chmod(0o600)
        where = path if path is not None else str(self.root) if kind == "local" else ""
        self.settings = {"name": "far", "type": "rclone", "remote": f"it:{where}", "config_file": str(self.config),
                         "retry_base_ms": 20}
        self.environment = None

    def rclone(self, *words):
        return subprocess.run(["rclone", f"--config={self.config}", *words], stdout=subprocess.PIPE, check=True).stdout

    def files(self):
        """As they are in the folder."""
        return sorted(str(p.relative_to(self.root)) for p in self.root.rglob("*") if p.is_file())

    def start(self, *words, **settings):
        path = self.folder / f"settings-{os.urandom(4).hex()}.json"
        path.write_text(json.dumps({k: v for k, v in {**self.settings, **settings}.items() if v is not None}))
        return subprocess.Popen([str(DRIVER), str(path), *map(str, words)], stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                                stderr=subprocess.PIPE, env={**os.environ, **(self.environment or {})})

    def run(self, *words, data=b"", **settings):
        process = self.start(*words, **settings)
        out, err = process.communicate(data, 60)
        return Result(process.returncode, out, err)

    def ok(self, *words, **more):
        result = self.run(*words, **more)
        assert result.status == 0, result
        return result

    def front(self, script):
        """A program in front of rclone: `$real` is rclone itself."""
        folder = self.folder / "front"
        folder.mkdir(exist_ok=True)
        (folder / "rclone").write_text(f"#!/bin/sh\nreal={shutil.which('rclone')}\n{script}\n")
        (folder / "rclone").chmod(0o755)
        self.environment = {"PATH": f"{folder}:{os.environ['PATH']}"}

# SPDX-License-Identifier: Apache-2.0
"""Containers without an engine: real cgroups with real processes, and the files in which Docker keeps their names. An
agent with `settings()` shows them as it shows Docker's, and no others."""

import json
import secrets
import subprocess
import time
from pathlib import Path

from harness.cgroups import ROOT, _removed, hierarchies
from harness.wait import until

BUSY = "while :; do :; done"
IDLE = "while :; do sleep 5; done"


class DockerTree:
    def __init__(self, folder):
        self.folder = Path(folder)
        self.made = {}  # stable name: (id, process)
        self.patterns = []

    def settings(self):
        return {
            "docker_root": str(self.folder),
            "container_sockets": [],
            "containers": {"include": self.patterns or ["none"]},
        }

    def add(self, name, script=IDLE, image="busybox:1", health=None, cpus=None, memory=None, labels=None, project=None):
        """A container of this name, or of `project`-name by Compose's labels, which may hold any text."""
        id_ = secrets.token_hex(32)
        labels = dict(labels or {})
        if project is not None:
            labels |= {"com.docker.compose.project": project, "com.docker.compose.service": name}
        self._describe(id_, name, image, health, labels)
        process = subprocess.Popen(["sh", "-c", f"read go; {script}"], stdin=subprocess.PIPE, stdout=subprocess.DEVNULL)
        for directory in self._directories(id_):
            _make(directory)
            _limit(directory, cpus, memory)
            (directory / "cgroup.procs").write_text(str(process.pid))
        process.stdin.write(b"go\n")
        process.stdin.close()
        self.made[name] = (id_, process)

    def _describe(self, id_, name, image, health, labels):
        folder = self.folder / "containers" / id_
        folder.mkdir(parents=True)
        started = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime())
        state = {"Running": True, "StartedAt": started}
        if health:
            state["Health"] = {"Status": health}
        (folder / "config.v2.json").write_text(
            json.dumps(
                {
                    "ID": id_,
                    "Name": f"/{name}",
                    "RestartCount": 0,
                    "State": state,
                    "Config": {"Image": image, "Labels": labels},
                }
            )
        )

    def _directories(self, id_):
        return [h / "docker" / id_ for h in hierarchies()]

    def remove(self, name):
        """Ends it and removes what Docker would remove."""
        id_, process = self.made.pop(name)
        for directory in self._directories(id_):
            _kill_all(directory)
        process.wait()
        for directory in self._directories(id_):
            until(lambda directory=directory: _gone(directory), 5, f"removal of {directory}")
        config = self.folder / "containers" / id_ / "config.v2.json"
        config.unlink()
        config.parent.rmdir()

    def close(self):
        for name in list(self.made):
            self.remove(name)


def _make(directory):
    directory.mkdir(parents=True)
    if (ROOT / "cgroup.controllers").exists():
        for parent in (ROOT, directory.parent):
            (parent / "cgroup.subtree_control").write_text("+cpu +memory +io +pids")


def _limit(directory, cpus, memory):
    files = {
        "cpu.cfs_quota_us": cpus and str(int(cpus * 100000)),
        "cpu.max": cpus and f"{int(cpus * 100000)} 100000",
        "memory.limit_in_bytes": memory and str(memory),
        "memory.max": memory and str(memory),
    }
    for name, text in files.items():
        if text and (directory / name).exists():
            (directory / name).write_text(text)


def _kill_all(directory):
    for pid in (directory / "cgroup.procs").read_text().split():
        subprocess.run(["kill", "-KILL", pid], check=False, stderr=subprocess.DEVNULL)


def _gone(directory):
    if directory.exists():
        _kill_all(directory)
    return _removed(directory)

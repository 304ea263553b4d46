# SPDX-License-Identifier: Apache-2.0
"""Cgroups as Docker makes them, without containers: many of them in no time."""

import secrets
import subprocess
from pathlib import Path

from harness.wait import until

ROOT = Path("/sys/fs/cgroup")
V1_CONTROLLERS = ("cpu", "cpuacct", "memory", "blkio", "pids")


def hierarchies():
    """Folders below which each cgroup has a directory: one on v2, one for each controller on v1."""
    if (ROOT / "cgroup.controllers").exists():
        return [ROOT]
    return [ROOT / c for c in V1_CONTROLLERS if (ROOT / c).is_dir()]


def cpu_seconds(pid):
    """CPU time of the cgroup a process is in, as the kernel counts it."""
    for line in Path(f"/proc/{pid}/cgroup").read_text().splitlines():
        _, controllers, path = line.split(":", 2)
        if "cpuacct" in controllers.split(","):
            return int(Path(f"{ROOT}/cpuacct{path}/cpuacct.usage").read_text()) / 1e9
        if controllers == "" and (ROOT / "cgroup.controllers").exists():
            return int(Path(f"{ROOT}{path}/cpu.stat").read_text().split()[1]) / 1e6
    raise AssertionError("no CPU accounting")


class BareCgroups:
    """n cgroups below docker/, each holding one sleeping process."""

    def __init__(self, n):
        self.names = [secrets.token_hex(32) for _ in range(n)]
        self.sleepers = []

    def directories(self, name):
        return [h / "docker" / name for h in hierarchies()]

    def __enter__(self):
        for name in self.names:
            sleeper = subprocess.Popen(["sleep", "600"], stdin=subprocess.DEVNULL)
            self.sleepers.append(sleeper)
            for directory in self.directories(name):
                directory.mkdir(parents=True)
                (directory / "cgroup.procs").write_text(str(sleeper.pid))
        return self

    def remove(self):
        for sleeper in self.sleepers:
            sleeper.kill()
        for sleeper in self.sleepers:
            sleeper.wait()
        self.sleepers = []
        for name in self.names:
            for directory in self.directories(name):
                until(lambda directory=directory: _removed(directory), 5, f"removal of {directory}")
        self.names = []

    def __exit__(self, *_):
        self.remove()


def _removed(directory):
    try:
        directory.rmdir()
    except FileNotFoundError:
        pass
    except OSError:  # the kernel is still busy with the end of its process
        return False
    return True

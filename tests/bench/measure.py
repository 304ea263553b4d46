# SPDX-License-Identifier: Apache-2.0
"""Runs a pipeline of programs and says what it cost: wall time, CPU time of all its processes, peak memory of all of
them together."""

import dataclasses
import os
import subprocess
import threading
import time


@dataclasses.dataclass
class Cost:
    wall_s: float
    cpu_s: float  # user and system, of everything that was started
    peak_mb: float  # greatest sum of the proportional set sizes at one time
    peaks: dict  # the same by program

    def row(self, name):
        return f"{name:34} {self.wall_s:8.1f} {self.cpu_s:8.1f} {self.peak_mb:9.0f}   " + ", ".join(
            f"{n} {mb:.0f}" for n, mb in sorted(self.peaks.items(), key=lambda p: -p[1]) if mb >= 1)


HEAD = f"{'':34} {'wall s':>8} {'CPU s':>8} {'peak MiB':>9}   of that"


def _session(leader):
    """Pids in the session of that process."""
    for pid in filter(str.isdigit, os.listdir("/proc")):
        try:
            with open(f"/proc/{pid}/stat", encoding="ascii", errors="replace") as f:
                fields = f.read().rpartition(")")[2].split()
        except OSError:
            continue
        if int(fields[3]) == leader:
            yield int(pid)


def _memory(pid):
    with open(f"/proc/{pid}/smaps_rollup", encoding="ascii") as f:
        kb = next(int(line.split()[1]) for line in f if line.startswith("Pss:"))
    with open(f"/proc/{pid}/comm", encoding="ascii", errors="replace") as f:
        return f.read().strip(), kb / 1024


def _watch(leader, over, peaks):
    while not over.wait(0.1):
        now = {}
        for pid in list(_session(leader)):
            try:
                name, mb = _memory(pid)
            except (OSError, StopIteration):
                continue
            now[name] = now.get(name, 0) + mb
        for name, mb in now.items():
            peaks[name] = max(peaks.get(name, 0), mb)
        peaks[""] = max(peaks.get("", 0), sum(now.values()))


def run(argv, **kwargs):
    """A Cost. The pipeline must end with 0; `check` false: whatever."""
    check = kwargs.pop("check", True)
    began = time.monotonic()
    process = subprocess.Popen(argv, start_new_session=True, **kwargs)
    over, peaks = threading.Event(), {}
    watcher = threading.Thread(target=_watch, args=(process.pid, over, peaks))
    watcher.start()
    _, status, usage = os.wait4(process.pid, 0)
    wall = time.monotonic() - began
    over.set()
    watcher.join()
    process.returncode = os.waitstatus_to_exitcode(status)
    assert not check or process.returncode == 0, f"{argv[0]} ended with {process.returncode}"
    total = peaks.pop("", 0)
    return Cost(wall, usage.ru_utime + usage.ru_stime, total, peaks)

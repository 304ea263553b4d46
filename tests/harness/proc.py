# SPDX-License-Identifier: Apache-2.0
"""What /proc says about processes."""

import os
import re


def stat_fields(pid):
    """Fields of /proc/PID/stat from the state on (number 3 in proc(5) is index 0); None when it is gone."""
    try:
        with open(f"/proc/{pid}/stat", encoding="utf-8", errors="replace") as f:
            return f.read().rpartition(")")[2].split()
    except (FileNotFoundError, ProcessLookupError):
        return None


def alive(pid):
    fields = stat_fields(pid)
    return fields is not None and fields[0] not in "ZX"


def cmdline(pid):
    try:
        with open(f"/proc/{pid}/cmdline", "rb") as f:
            return [a.decode(errors="replace") for a in f.read().split(b"\0")[:-1]]
    except (FileNotFoundError, ProcessLookupError):
        return []


def all_pids():
    return [int(name) for name in os.listdir("/proc") if name.isdigit()]


def children(pid):
    return [p for p in all_pids() if (f := stat_fields(p)) and int(f[1]) == pid]


def below(pid):
    """All that it has started, and what those have."""
    found, todo = [], [pid]
    while todo:
        todo = [child for p in todo for child in children(p)]
        found += todo
    return found


def in_session(sid):
    """Processes of a session that are not dead."""
    return [p for p in all_pids() if (f := stat_fields(p)) and int(f[3]) == sid and f[0] not in "ZX"]


def rss_bytes(pid):
    with open(f"/proc/{pid}/statm", encoding="ascii") as f:
        return int(f.read().split()[1]) * os.sysconf("SC_PAGE_SIZE")


def open_files(pid):
    """What each descriptor points to."""
    result = {}
    for fd in os.listdir(f"/proc/{pid}/fd"):
        try:
            result[int(fd)] = os.readlink(f"/proc/{pid}/fd/{fd}")
        except FileNotFoundError:
            pass
    return result


def lasting_files(pid):
    """Those that do not come and go with containers, of which other tests of this machine start some."""
    return [path for path in open_files(pid).values() if "/cgroup/" not in path and not re.match(r"/proc/\d+(/|$)", path)]

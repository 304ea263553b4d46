# SPDX-License-Identifier: Apache-2.0
"""Moments of a worker's life, for signals that come at any of them: a moment is a system call, for a process that is killed shows
others nothing but what its system calls have done. strace delivers the signal just before the call."""

import collections
import random
import re
import shutil

import pytest

CALL = re.compile(r"^(\w+)\(")
# LeakSanitizer cannot work in a process that is traced.
ENVIRONMENT = {"ASAN_OPTIONS": "detect_leaks=0"}


def seeded():
    seed = random.randrange(1 << 32)
    print("seed", seed)  # pytest shows it with a failure
    return random.Random(seed)


def moments_of(text, since=""):
    """(system call, the how many-th of its name) for each line of strace's from the first that has `since`."""
    counts, moments, begun = collections.Counter(), [], False
    for line in text.splitlines():
        call = CALL.match(line)
        if not call:
            continue
        counts[call[1]] += 1
        begun |= since in line
        if begun:
            moments.append((call[1], counts[call[1]]))
    return moments


class Moments:
    """Of a run as `worker` does it now; a first one is made to see its calls. What the loader does before is left out."""

    def __init__(self, worker, do="backup", **members):
        if not shutil.which("strace"):
            pytest.skip("no strace")
        self.random = seeded()
        log = worker.folder / "calls"
        with_prefix(worker, ["strace", "-qq", "-o", str(log)], do, **members).wait().good()
        self.all = moments_of(log.read_text(errors="replace"), str(worker.state))
        assert len(self.all) > 100, "too few calls to choose from"

    def some(self, n):
        """Any n of them, different ones while there are so many."""
        return [self.random.choice(self.all) for _ in range(max(0, n - len(self.all)))] + \
            self.random.sample(self.all, min(n, len(self.all)))


def with_prefix(worker, prefix, do="backup", **members):
    before = worker.prefix, worker.environment
    worker.prefix, worker.environment = [*prefix, *before[0]], {**(before[1] or {}), **ENVIRONMENT}
    try:
        return worker.begin(do, **members)
    finally:
        worker.prefix, worker.environment = before


def begin_with(worker, signal, moment, do="backup", **members):
    """Begins a run that gets the signal ("KILL") at that moment, if it comes to it: no two runs are quite the same."""
    call, nth = moment
    return with_prefix(worker, ["strace", "-qq", "-o", "/dev/null", "-e", f"trace={call}",
                                "-e", f"inject={call}:signal={signal}:when={nth}"], do, **members)

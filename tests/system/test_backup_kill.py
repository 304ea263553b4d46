# SPDX-License-Identifier: Apache-2.0
"""Dumps and workers ended at random moments: never a manifest for a bad object, and after a sweep nothing is left."""

import hashlib
import json
import os
import signal
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from harness import proc
from harness.moments import Moments, begin_with, seeded
from harness.wait import until
from harness.worker import Worker

SIZE = 400_000
AT_A_TIME = 4
KEEP = 2


def sh(script, *arguments):
    return ["/bin/sh", "-c", script, "sh", *map(str, arguments)]


@pytest.fixture
def rng():
    return seeded()


def side_by_side(tmp_path, numbers, body):
    """body(Worker, number) for each number, each with a folder of its own."""
    with ThreadPoolExecutor(AT_A_TIME) as pool:
        list(pool.map(lambda n: body(Worker(tmp_path / str(n)), n), numbers))


def check_store(worker):
    """Every manifest stands for objects that are whole; returns how many there are. Old ones are removed data first, so
    that a kill in the middle leaves a manifest that the next retention finds: never one of those to keep."""
    root = Path(worker.stores[0]["path"])
    manifests = [json.loads((root / name).read_text()) for name in worker.manifests()]
    manifests.sort(key=lambda m: m["started_ms"], reverse=True)
    for m in manifests[:KEEP]:
        for member in m["members"]:
            data = b"".join((root / s["key"]).read_bytes() for s in member["segments"])
            assert hashlib.sha256(data).hexdigest() == member["stored_sha256"], m["id"]
    return len(manifests)


def nothing_runs(run):
    until(lambda: not proc.in_session(run.process.pid), 10, "the end of all that the run had started")


def nothing_but_backups(worker):
    """No object without a manifest, no journal."""
    backups = check_store(worker)
    assert len({Path(f).parent for f in worker.files()}) == backups, worker.files()
    assert worker.journals() == []


def job_of(tmp_path):
    data = tmp_path / "data"
    if not data.exists():
        data.write_bytes(os.urandom(50_000))
    script = 'for i in 1 2 3 4 5 6 7 8; do head -c 50000 "$1"; done'
    return {"command": sh(script, data), "keep": {"last": KEEP}, "compression": "lz4"}


def test_row_01_a_dump_killed_at_50_random_moments_is_never_a_backup(tmp_path, rng):
    moments = [rng.randrange(0, SIZE) for _ in range(48)] + [0, SIZE]

    def one(worker, n):
        job = {"command": sh('head -c "$1" /dev/urandom; kill -9 $$', moments[n]), "compression": "lz4"}
        result = worker.run("backup", job).bad()
        assert "9" in result["error"], result
        assert worker.files() == []
        assert worker.journals() == []

    side_by_side(tmp_path, range(50), one)


@pytest.fixture
def usual(tmp_path):
    """The moments of a run that also removes an old backup."""
    worker = Worker(tmp_path / "usual", job_of(tmp_path))
    for _ in range(KEEP):
        worker.backup()
    return Moments(worker)


def test_row_11_a_worker_killed_at_60_random_moments_leaves_nothing_bad(tmp_path, usual):
    job, moments, killed = job_of(tmp_path), usual.some(60), []

    def four_kills(worker, n):
        worker.job.update(job)
        for _ in range(KEEP):
            worker.backup()
        for moment in moments[4 * n:4 * n + 4]:
            run = begin_with(worker, "KILL", moment).wait()
            killed.append(run.process.returncode == -signal.SIGKILL)
            nothing_runs(run)
            assert check_store(worker) >= KEEP
        worker.run("sweep", job=None, jobs=["shop"]).good()
        nothing_but_backups(worker)
        # The next run works.
        worker.backup()
        assert check_store(worker) == KEEP
        assert worker.restored() == (tmp_path / "data").read_bytes() * 8

    side_by_side(tmp_path, range(15), four_kills)
    assert sum(killed) >= 50, "too few came to their moment"


def test_row_12_the_next_run_takes_away_what_a_killed_one_left(tmp_path, usual):
    """Without the sweep in between: a run begins with one."""
    def one(worker, moment):
        worker.job.update(job_of(tmp_path))
        begin_with(worker, "KILL", moment).wait()
        worker.backup()
        nothing_but_backups(worker)

    with ThreadPoolExecutor(AT_A_TIME) as pool:
        list(pool.map(lambda m: one(Worker(tmp_path / "-".join(map(str, m))), m), usual.some(12)))


@pytest.mark.parametrize("name", ["TERM", "INT"])
def test_a_run_stopped_at_any_moment_is_a_backup_or_nothing(tmp_path, usual, name):
    moments, cancelled = usual.some(20), []

    def one(worker, n):
        worker.job.update(job_of(tmp_path))
        run = begin_with(worker, name, moments[n]).wait()
        nothing_runs(run)
        if not run.said("result"):  # before it listens to signals the end is at once
            assert run.process.returncode < 0 and run.stages() == [], run.explain()
        elif not run.result["ok"]:
            assert run.result["code"] == "cancelled", run.explain()
            cancelled.append(n)
            assert worker.files() == []
        assert check_store(worker) == any(line["ok"] for line in run.said("result"))
        nothing_but_backups(worker)

    side_by_side(tmp_path, range(20), one)
    assert cancelled


def test_row_12_a_killed_worker_leaves_no_dump_running(tmp_path):
    worker = Worker(tmp_path)
    pid = tmp_path / "pid"
    run = worker.begin("backup", {"command": sh('echo $$ >"$1.new"; mv "$1.new" "$1"; exec tail -f /dev/null', pid)})
    until(pid.exists, 20, "the dump")
    run.kill()
    nothing_runs(run)
    assert not proc.alive(int(pid.read_text()))


@pytest.mark.root
def test_row_08_a_disk_that_fills_up_during_runs_never_makes_a_bad_backup(tmp_path):
    """The state folder gets fuller run by run, from room for everything to room for nothing."""
    job = job_of(tmp_path)

    def one(worker, kib):
        fill = ('mount -t tmpfs -o size=64k none "$0" && head -c "$1" /dev/zero >"$0/full"; shift; exec "$@"')
        worker.prefix = ["unshare", "-m", "/bin/sh", "-c", fill, str(worker.state), str(kib * 1024)]
        run = worker.run("backup", job)
        backups = check_store(worker)
        if run.result["ok"]:
            assert backups == 1
            worker.prefix = []
            assert worker.restored() == (tmp_path / "data").read_bytes() * 8
        else:
            assert backups == 0
            assert worker.files() == []

    side_by_side(tmp_path, range(0, 65, 4), one)

# SPDX-License-Identifier: Apache-2.0
"""Restores that are stopped, killed, or meet a store that changes under them: what was there is replaced by a whole backup or not
at all. And which backup it is, on a server that knows nothing but its configuration."""

import datetime
import json
import os
import signal
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from harness import proc
from harness.moments import Moments, begin_with
from harness.wait import until
from harness.worker import Worker

SIZE = 3_000_000  # more than all pipes and buffers on the way hold
AT_A_TIME = 4
# As a careful restore_command does it: only the end of its input makes it so.
CAREFUL = 'cat >"$1.new" && mv "$1.new" "$1"'


def sh(script, *arguments):
    return ["/bin/sh", "-c", script, "sh", *map(str, arguments)]


def make(folder, before=""):
    """One with a backup and a target that has something else. `before` runs before anything is read."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "data").write_bytes(os.urandom(SIZE))
    (folder / "target").write_text("what was there")
    worker = Worker(folder, {"command": ["/bin/cat", str(folder / "data")], "compression": "none",
                             "restore_command": sh(before + CAREFUL, folder / "target")})
    worker.backup()
    return worker


def is_untouched(worker):
    return (worker.folder / "target").read_text(errors="replace") == "what was there"


def is_restored(worker):
    return (worker.folder / "target").read_bytes() == (worker.folder / "data").read_bytes()


def nothing_runs(run):
    until(lambda: not proc.in_session(run.process.pid), 10, "the end of all that the run had started")


@pytest.mark.parametrize("at", [SIZE // 2, SIZE - 1])
def test_row_30_what_changes_after_the_check_is_not_taken_for_a_backup(tmp_path, at):
    worker = make(tmp_path / "w", f'echo X | dd of="$(find "$0" -name output)" bs=1 count=1 seek={at} conv=notrunc 2>&1; ')
    worker.job["restore_command"][3] = worker.stores[0]["path"]  # $0
    run = worker.run("restore", restore={"yes": True})
    assert run.bad()["partial"]
    assert "restore" in run.stages(), run.explain()
    assert is_untouched(worker)
    nothing_runs(run)


@pytest.fixture
def usual(tmp_path):
    return Moments(make(tmp_path / "usual"), "restore", restore={"yes": True})


def side_by_side(tmp_path, moments, body):
    def one(n):
        body(make(tmp_path / str(n)), moments[n])

    with ThreadPoolExecutor(AT_A_TIME) as pool:
        list(pool.map(one, range(len(moments))))


def test_row_30_a_restore_stopped_at_any_moment_commits_nothing(tmp_path, usual):
    stopped = []

    def one(worker, moment):
        run = begin_with(worker, "TERM", moment, "restore", restore={"yes": True}).wait()
        nothing_runs(run)
        if run.said("result") and run.result["ok"]:
            assert is_restored(worker)
            return
        stopped.append(moment)
        # Its last moments are those after the program got the end of its input.
        assert is_untouched(worker) or is_restored(worker)
        if "restore" not in run.stages():
            assert is_untouched(worker)

    side_by_side(tmp_path, usual.some(16), one)
    assert stopped


def test_row_30_a_restore_killed_at_any_moment_commits_nothing(tmp_path, usual):
    killed = []

    def one(worker, moment):
        run = begin_with(worker, "KILL", moment, "restore", restore={"yes": True}).wait()
        killed.append(run.process.returncode == -signal.SIGKILL)
        nothing_runs(run)
        assert is_untouched(worker) or is_restored(worker)
        # And it can be done again.
        worker.run("restore", restore={"yes": True}).good()
        assert is_restored(worker)

    side_by_side(tmp_path, usual.some(16), one)
    assert sum(killed) > 8


def test_a_file_is_whole_or_not_there_when_killed(tmp_path):
    moments = Moments(make(tmp_path / "usual"), "restore", restore={"to": str(tmp_path / "usual" / "out")})

    def one(worker, moment):
        out = worker.folder / "out"
        begin_with(worker, "KILL", moment, "restore", restore={"to": str(out)}).wait()
        assert not out.exists() or out.read_bytes() == (worker.folder / "data").read_bytes()
        worker.run("restore", restore={"to": str(out), "yes": True}).good()
        assert sorted(p.name for p in worker.folder.glob("out*")) == ["out"]

    side_by_side(tmp_path, moments.some(8), one)


# --- which one

def backdated(worker, days, text):
    """A backup of `text`, made to look as if it had been made then."""
    new = worker.backup({"command": ["/bin/echo", text]})["id"]
    root = Path(worker.stores[0]["path"]) / "shop"
    ms = days * 86400 * 1000
    manifest = root / new / "manifest.json"
    started = json.loads(manifest.read_text())["started_ms"] - ms
    then = datetime.datetime.fromtimestamp(started / 1000, datetime.timezone.utc).strftime("%Y%m%dT%H%M%SZ") + new[-7:]
    m = json.loads(manifest.read_text().replace(new, then))
    m.update(started_ms=started, ended_ms=m["ended_ms"] - ms)
    manifest.chmod(0o600)
    manifest.write_text(json.dumps(m))
    (root / new).rename(root / then)
    return then


@pytest.fixture
def bare(tmp_path):
    """A new server: the same configuration, and nothing else."""
    old = Worker(tmp_path / "old")
    ids = [backdated(old, days, f"{days} days ago") for days in (9, 5, 1)]
    new = Worker(tmp_path / "new", old.job, old.stores)
    new.ids = ids
    return new


@pytest.mark.parametrize("at, text", [("0s", "1 days ago"), ("3d", "5 days ago"), ("6d", "9 days ago"), ("today", "1 days ago")])
def test_the_newest_that_is_not_younger(bare, at, text):
    assert bare.restored(at=at).decode() == text + "\n"


def test_the_day_it_was_made(bare):
    day = datetime.datetime.now() - datetime.timedelta(days=5)
    assert bare.restored(at=f"{day:%Y-%m-%d}").decode() == "5 days ago\n"


def test_before_the_first_there_is_none_and_it_says_what_there_is(bare):
    assert bare.ids[0] in bare.run("restore", restore={"to": "-", "at": "30d"}).bad()["error"]


def test_what_is_no_time_is_refused(bare):
    bare.run("restore", restore={"to": "-", "at": "soon"}).bad("is no time")

# SPDX-License-Identifier: Apache-2.0
"""The commands pre, post and on_failure of a job, good and bad ones: what they change, and what they must not."""

import os

import pytest

from harness import proc
from harness.wait import until
from harness.worker import Worker

GIB = 1 << 30
TELL = 'echo "$BACKUP_JOB $BACKUP_STATUS $BACKUP_BYTES $BACKUP_ERROR" >>"$1"'


def sh(script, *arguments):
    return ["/bin/sh", "-c", script, "sh", *map(str, arguments)]


@pytest.fixture
def worker(tmp_path):
    return Worker(tmp_path)


@pytest.fixture
def log(tmp_path):
    return tmp_path / "log"


def nothing_runs(run):
    until(lambda: not proc.in_session(run.process.pid), 10, "the end of all that the run had started")


def test_pre_and_post_run_around_a_good_backup(worker, log):
    result = worker.backup({"pre": sh(TELL, log), "post": sh(TELL, log), "on_failure": sh("echo never >>\"$1\"", log),
                            "command": sh('echo dump >>"$1"; echo hello', log)})
    assert log.read_text().splitlines() == ["shop running 0 ", "dump", f"shop ok {result['stored_bytes']} "]


def test_they_know_which_backup_it_is(worker, log):
    result = worker.backup({"post": sh('echo "$BACKUP_ID" >"$1"', log)})
    assert log.read_text() == f"{result['id']}\n"


def test_without_a_good_pre_there_is_no_backup(worker, log):
    worker.run("backup", {"pre": sh("echo not today >&2; exit 1"), "on_failure": sh(TELL, log),
                          "command": sh('echo dump >>"$1"; echo hello', log)}).bad("not today")
    assert "dump" not in log.read_text()
    assert log.read_text().startswith("shop failed 0 ") and "not today" in log.read_text()
    worker.nothing_left()


def test_a_pre_that_is_not_there_is_a_failure(worker):
    worker.run("backup", {"pre": ["/nonexistent/pre"]}).bad("/nonexistent/pre")
    worker.nothing_left()


def test_a_pre_that_is_killed_is_a_failure(worker):
    worker.run("backup", {"pre": sh("kill -9 $$")}).bad("pre")
    worker.nothing_left()


@pytest.mark.parametrize("script", ["echo could not tell >&2; exit 1", "kill -9 $$", "exec tail -f /dev/null"])
def test_a_bad_post_is_a_warning(worker, script, log):
    run = worker.run("backup", {"post": sh(script), "command_deadline": 1000, "on_failure": sh(TELL, log)})
    run.good()
    assert any(w.startswith("post") for w in run.warnings()), run.warnings()
    assert not log.exists()
    assert len(worker.manifests()) == 1
    nothing_runs(run)


@pytest.mark.parametrize("script", ["echo could not tell >&2; exit 1", "kill -9 $$", "exec tail -f /dev/null"])
def test_a_bad_on_failure_hides_no_failure(worker, script):
    run = worker.run("backup", {"command": sh("echo no such table >&2; exit 1"), "on_failure": sh(script), "command_deadline": 1000})
    run.bad("no such table")
    assert any(w.startswith("on_failure") for w in run.warnings()), run.warnings()
    worker.nothing_left()
    nothing_runs(run)


def test_a_pre_that_hangs_is_ended(worker):
    run = worker.run("backup", {"pre": sh("tail -f /dev/null & exec tail -f /dev/null"), "command_deadline": 1000})
    run.bad("pre")
    worker.nothing_left()
    nothing_runs(run)


@pytest.mark.parametrize("hook", ["pre", "post", "on_failure"])
def test_a_gigabyte_of_words_is_read_and_forgotten(worker, hook, tmp_path):
    peak = tmp_path / "peak"
    worker.prefix = ["/usr/bin/time", "-q", "-o", str(peak), "-f", "%M"]
    job = {hook: sh('head -c "$1" /dev/zero; head -c "$2" /dev/zero >&2', GIB, GIB // 16)}
    if hook == "on_failure":
        worker.run("backup", {**job, "command": sh("exit 1")}).bad()
    else:
        worker.backup(job)
    assert int(peak.read_text()) < 64 * 1024


@pytest.mark.parametrize("hook", ["pre", "command"])
def test_a_stop_ends_what_runs_and_on_failure_still_tells(worker, hook, log, tmp_path):
    pid = tmp_path / "pid"
    hangs = sh('echo hello; echo $$ >"$1.new"; mv "$1.new" "$1"; exec tail -f /dev/null', pid)
    run = worker.begin("backup", {hook: hangs, "on_failure": sh(TELL, log)})
    until(pid.exists, 20, hook)
    assert run.stop().bad()["code"] == "cancelled"
    assert not proc.alive(int(pid.read_text()))
    assert log.read_text().startswith("shop cancelled ")
    worker.nothing_left()


def test_on_failure_is_told_of_a_partial_backup(worker, log):
    worker.stores = [worker.directory_store("local"), {"name": "nas", "type": "directory", "path": os.devnull}]
    worker.job["stores"] = ["local", "nas"]
    result = worker.run("backup", {"post": sh("echo never >>\"$1\"", log), "on_failure": sh(TELL, log)}).bad("nas")
    assert result["partial"] and len(worker.manifests()) == 1
    assert log.read_text().startswith("shop partial ") and "nas" in log.read_text()

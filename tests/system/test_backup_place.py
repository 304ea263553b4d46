# SPDX-License-Identifier: Apache-2.0
"""Programs that make and take backups, on this host and in containers: how they end, and that none is left behind."""

import os
import signal
from pathlib import Path

import pytest

from harness import proc
from harness.cutter import Cutter
from harness.docker import PREFIX
from harness.wait import until
from harness.worker import Worker

# A container that ends at once when it is removed.
IDLE = ("sh", "-c", "trap 'exit 0' TERM; while :; do sleep 1; done")
MIB = 1 << 20


# How long programs of these tests sleep: by that they are known, also beside other runs of these tests.
NAP = str(600_000_000 + os.getpid())
OTHER_NAP = str(700_000_000 + os.getpid())


def sh(script):
    return ["sh", "-c", script]


@pytest.fixture
def worker(tmp_path):
    return Worker(tmp_path)


@pytest.fixture
def inside(worker, docker):
    """A worker whose programs run in the container `docker.run("db", ...)`."""
    worker.job["container"] = docker.run("db", *IDLE)
    worker.order_members["container_socket"] = str(docker.socket)
    return worker


@pytest.fixture(params=["host", "container"])
def anywhere(request, worker):
    return request.getfixturevalue("inside") if request.param == "container" else worker


def with_text(text):
    """Processes with this in their command line, but not those of the engine or the test."""
    return [p for p in proc.all_pids()
            if any(text in a for a in proc.cmdline(p)) and proc.cmdline(p)[0] in ("sh", "sleep", "cat") and proc.alive(p)]


def gone(text):
    until(lambda: not with_text(text), 20, f"the end of {text}")


# --- how a program ends

def test_a_dump_comes_out_whole(anywhere):
    result = anywhere.backup({"command": sh("head -c 5000000 /dev/zero | tr '\\0' x; echo end")})
    assert result["plain_bytes"] == 5_000_004
    assert anywhere.restored() == b"x" * 5_000_000 + b"end\n"


@pytest.mark.parametrize("script, words", [
    ("head -c 100000 /dev/zero; echo broken >&2; exit 3", "sh: exit status 3: broken"),
    ("head -c 100000 /dev/zero; exec no-such-program 2>/dev/null", "sh: exit status 127"),
    ("head -c 100000 /dev/zero; kill -9 $$", "9"),  # in a container 137, here signal 9
])
def test_row_01_status_of_every_program_counts(anywhere, script, words):
    run = anywhere.run("backup", {"command": sh(script)})
    if words == "9" and "container" in anywhere.job:
        words = "exit status 137"
    run.bad(words)
    anywhere.nothing_left()


def test_row_07_words_on_stderr_are_no_failure(anywhere):
    anywhere.backup({"command": sh("echo 'warning: this server is old' >&2; echo data")})
    assert anywhere.restored() == b"data\n"


def test_row_07_the_last_words_of_a_long_stderr_are_told(anywhere):
    script = "i=0; while [ $i -lt 3000 ]; do echo line $i of many words >&2; i=$((i+1)); done; echo data; echo the end >&2; exit 5"
    error = anywhere.run("backup", {"command": sh(script)}).bad("exit status 5")["error"]
    assert error.endswith("line 2999 of many words; the end")
    assert len(error) < 512


def test_much_stderr_before_any_data_blocks_nothing(anywhere):
    anywhere.backup({"command": sh("head -c 2000000 /dev/zero | tr '\\0' y >&2; echo data")})
    assert anywhere.restored() == b"data\n"


def test_a_program_that_is_not_there_is_told(anywhere):
    anywhere.run("backup", {"command": ["no-such-program"]}).bad("no-such-program: no such program on ")
    anywhere.nothing_left()


def test_restores_go_into_a_program(anywhere):
    anywhere.backup({"command": sh("head -c 3000000 /dev/zero | tr '\\0' z")})
    count = sh("test $(wc -c) = 3000000")
    anywhere.run("restore", {"restore_command": count}, restore={"yes": True}).good()
    # One that stops reading has not restored, whatever its status.
    early = sh("head -c 10 >/dev/null")
    anywhere.run("restore", {"restore_command": early}, restore={"yes": True}).bad("ended before it had read everything")
    bad = sh("cat >/dev/null; echo 'relation exists' >&2; exit 1")
    result = anywhere.run("restore", {"restore_command": bad}, restore={"yes": True}).bad("exit status 1: relation exists")
    assert result["partial"]


# --- containers

def test_a_container_that_is_not_there_is_told_with_those_like_it(inside):
    inside.run("backup", {"container": PREFIX + "bd"}).bad(f"there is none of that name; running are {PREFIX}db")


def test_a_container_that_does_not_run_is_told(inside, docker):
    docker.cli("stop", "--time", "0", inside.job["container"])
    inside.run("backup").bad("does not run")


@pytest.mark.parametrize("after", [3, 500, 8 + 1000])
def test_row_04_a_stream_that_is_cut_is_no_backup(inside, docker, tmp_path, after):
    """Within a frame's header, within a frame, between two frames: the command line client takes each for success."""
    cutter = Cutter(tmp_path / "cut.sock", docker.socket)
    cutter.after = after
    try:
        script = "head -c 1000 /dev/zero; echo words >&2; sleep 1; head -c 100000 /dev/zero; exec sleep " + NAP
        run = inside.run("backup", {"command": sh(script)}, container_socket=str(cutter.path))
        run.bad("cut")
        assert cutter.cuts == 1
    finally:
        cutter.close()
    inside.nothing_left()
    gone(NAP)


def test_row_04_an_engine_that_dies_is_no_backup(inside, docker, tmp_path):
    cutter = Cutter(tmp_path / "cut.sock", docker.socket)
    run = inside.begin("backup", {"command": sh(f"echo begin; exec sleep {NAP}")}, container_socket=str(cutter.path))
    run.wait_stage("dump")
    until(lambda: with_text(NAP), 20, "the dump")
    cutter.close()
    os.unlink(cutter.path)
    run.process.terminate()
    run.wait().bad()
    inside.nothing_left()
    gone(NAP)


# --- ended early

def test_row_12_an_engine_that_is_late_to_know_of_an_end(inside, docker, tmp_path):
    """A program that has ended by itself when it is stopped: nothing is left, and nothing is said to be."""
    cutter = Cutter(tmp_path / "cut.sock", docker.socket)
    try:
        cutter.late = True
        run = inside.begin("backup", {"command": sh(f"echo begin; exec sleep {NAP}")}, container_socket=str(cutter.path))
        run.wait_stage("dump")
        for pid in until(lambda: with_text(NAP), 20, "the dump"):
            os.kill(pid, signal.SIGKILL)
        until(lambda: cutter.late_answers, 20, "a late answer")
        run.process.terminate()
        asked = cutter.late_answers
        until(lambda: cutter.late_answers > asked + 10, 20, "more questions")
        cutter.late = False
        run.wait()
    finally:
        cutter.close()
    assert run.bad()["code"] == "cancelled" and "may still run" not in str(run.warnings())
    assert list((inside.state / "backup" / "execs").iterdir()) == []


@pytest.mark.parametrize("how", ["stop", "kill"])
def test_row_12_nothing_runs_on_after_the_worker(anywhere, how):
    """Killed, the worker cannot end what it began in a container; the next one does."""
    run = anywhere.begin("backup", {"command": sh(f"echo begin; cat /dev/zero & sleep {NAP}")})
    run.wait_stage("dump")
    until(lambda: with_text(NAP), 20, "the dump")
    if how == "stop":
        assert run.stop().bad()["code"] == "cancelled"
    else:
        run.kill()
        next_run = anywhere.run("list")
        assert any("were ended" in w for w in next_run.warnings()), next_run.warnings()
    gone(NAP)
    assert list((anywhere.state / "backup" / "execs").iterdir()) == []


def test_a_program_that_ignores_term_is_killed(inside):
    run = inside.begin("backup", {"command": sh(f"trap '' TERM; echo begin; while :; do sleep {NAP}; done")})
    run.wait_stage("dump")
    until(lambda: with_text(NAP), 20, "the dump")
    run.stop().bad()
    gone(NAP)


def test_other_programs_of_the_container_are_left_alone(inside, docker):
    docker.cli("exec", "--detach", inside.job["container"], "sleep", OTHER_NAP)
    run = inside.begin("backup", {"command": sh(f"echo begin; exec sleep {NAP}")})
    run.wait_stage("dump")
    until(lambda: with_text(NAP), 20, "the dump")
    run.stop().bad()
    gone(NAP)
    assert with_text(OTHER_NAP)


# --- secrets

def test_row_32_a_password_is_in_no_command_line_message_or_file(anywhere):
    secret = "Tr0ub4dor-and-3"
    anywhere.folder.joinpath("password").write_text(secret + "\n")
    anywhere.folder.joinpath("password").chmod(0o600)
    # The program says it aloud, as tools do that quote their connection string.
    script = 'echo "connect with $BACKUP_PASSWORD" >&2; test -n "$BACKUP_PASSWORD" || exit 9; echo data; sleep 1; exit 1'
    run = anywhere.begin("backup", {"command": sh(script), "password_file": str(anywhere.folder / "password")})
    lines = []

    def over():
        lines.extend(" ".join(proc.cmdline(p)) for p in proc.all_pids())
        return run.process.poll() is not None

    until(over, 30, "the end", step=0.02)
    run.bad("connect with ***")
    assert any("connect with" in line for line in lines)
    assert not [line for line in lines if secret in line]
    said = run.stderr.read_bytes() + run.stdout.read_bytes() + run.report.read_bytes()
    said += b"".join(p.read_bytes() for p in Path(anywhere.state).rglob("*") if p.is_file())
    assert secret.encode() not in said

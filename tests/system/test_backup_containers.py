# SPDX-License-Identifier: Apache-2.0
"""Databases that run in containers: what was wiped comes back; a dump that did not come to its end is none."""

import os
import signal

import pytest

from harness import db_image, proc
from harness.db_containers import KINDS, Mariadb, Postgresql, Redis
from harness.wait import until
from harness.worker import Worker

MIB = 1 << 20


@pytest.fixture(scope="module")
def servers(dockerd):
    """One of each kind, with data in it."""
    if db_image.missing():
        pytest.skip(f"no {db_image.missing()}")
    all_kinds = {kind: kind(dockerd, f"shop-{kind.kind}").start() for kind in KINDS}
    for db in all_kinds.values():
        db.wait().fill()
    yield all_kinds
    dockerd.remove_all()


@pytest.fixture(params=KINDS, ids=lambda k: k.kind)
def filled(request, servers):
    """Tests leave it as it was."""
    return servers[request.param]


def only(*kinds):
    return pytest.mark.parametrize("filled", kinds, indirect=True, ids=lambda k: k.kind)


def worker_of(db, tmp_path):
    worker = Worker(tmp_path, db.job)
    worker.order_members["container_socket"] = str(db.docker.socket)
    return worker


@pytest.fixture
def worker(filled, tmp_path):
    return worker_of(filled, tmp_path)


def begin_dump(worker, db):
    """A backup whose dump is under way for the next seconds."""
    run = worker.begin("backup", {"bandwidth": MIB})
    until(lambda: db.pids_of(db.program) and run.said("progress") or run.process.poll() is not None, 30, "the dump", step=0.02)
    assert run.process.poll() is None, run.explain()
    return run


def nothing_left(worker):
    worker.nothing_left()
    assert list((worker.state / "backup" / "execs").glob("*")) == []


# --- there and back

def test_what_was_wiped_comes_back(filled, worker):
    before = filled.rows()
    result = worker.backup()
    assert result["plain_bytes"] > 2 * MIB
    filled.wipe()
    filled.restore(worker)
    assert filled.rows() == before
    worker.run("verify").good()


def things(docker):
    return (set(docker.containers()), set(docker.cli("volume", "ls", "--quiet").stdout.split()))


def test_a_drill_leaves_nothing_and_touches_nothing(filled, worker):
    before, rows = things(filled.docker), filled.rows()
    worker.backup()
    run = worker.run("drill")
    run.good()
    assert "compare" in run.stages()
    assert things(filled.docker) == before
    assert filled.rows() == rows


@only(Postgresql)
def test_a_drill_whose_server_dies_says_so_once(filled, worker):
    docker, before = filled.docker, things(filled.docker)
    worker.backup()
    run = worker.begin("drill")

    def kill():
        return any(docker.cli("kill", name, check=False).returncode == 0 for name in set(docker.containers()) - before[0])

    until(kill, 30, "the throw-away server", step=0.02)
    assert run.wait().bad("the throw-away server")["error"].count("the throw-away server") == 1
    assert things(docker) == before


# --- secrets

@only(Mariadb, Postgresql, Redis)
def test_row_32_a_password_of_the_container_is_in_no_command_line(filled, worker):
    """It is in the environment that the container was made with; nobody had to write it down again."""
    assert "password_file" not in worker.job
    run = worker.begin("backup", {"bandwidth": 4 * MIB})
    lines = set()

    def over():
        lines.update(" ".join(proc.cmdline(p)) for p in proc.all_pids())
        return run.process.poll() is not None

    until(over, 30, "the end", step=0.02)
    run.good()
    assert any(filled.program in line for line in lines)
    assert not [line for line in lines if filled.secret in line]
    said = run.stderr.read_bytes() + run.report.read_bytes()
    said += b"".join(p.read_bytes() for p in worker.folder.rglob("*manifest.json"))
    assert filled.secret.encode() not in said


# --- a dump that does not come to its end

def test_row_04_a_dump_that_is_killed_is_no_backup(filled, worker):
    run = begin_dump(worker, filled)
    os.kill(filled.pids_of(filled.program)[0], signal.SIGKILL)
    run.wait().bad("exit status 137")
    nothing_left(worker)


def test_row_12_an_aborted_run_leaves_no_process(filled, worker):
    before = sorted(filled.commands())
    run = begin_dump(worker, filled)
    assert run.stop().bad()["code"] == "cancelled"
    nothing_left(worker)
    # The server's own process of the connection ends a moment later.
    until(lambda: sorted(filled.commands()) == before, 20, "the end of all that the run began")


@pytest.mark.parametrize("how", ["stop", "kill"])
@only(Postgresql)
def test_row_12_a_dump_that_waits_for_a_lock_is_ended(filled, worker, how):
    """It writes nothing, so it would not notice that nobody reads it; and others wait behind it."""
    with filled.locked():
        run = worker.begin("backup")
        run.wait_stage("dump", 30)
        until(lambda: filled.pids_of("pg_dump"), 30, "the dump")
        if how == "stop":
            run.stop().bad()
        else:
            run.kill()
            assert filled.pids_of("pg_dump")
            worker.run("sweep", jobs=["shop"]).good()
        assert not filled.pids_of("pg_dump")
    nothing_left(worker)


def test_row_04_a_container_that_goes_meanwhile_is_no_backup_and_its_successor_is_found(servers, dockerd, tmp_path):
    """Restarted, removed, and made anew by a deploy: the name counts, not what it was yesterday."""
    assert servers
    db = Postgresql(dockerd, "swapped").start().wait()
    db.fill()
    worker = worker_of(db, tmp_path)
    run = begin_dump(worker, db)
    dockerd.cli("restart", "--time", "0", db.name)
    run.wait().bad()
    nothing_left(worker)
    db.wait()
    rows = db.rows()
    worker.backup()
    run = begin_dump(worker, db)
    db.remove()
    run.wait().bad()
    assert len(worker.manifests()) == 1
    worker.run("backup").bad("there is none of that name")
    db.start().wait()
    db.restore(worker)
    assert db.rows() == rows
    worker.backup()
    db.remove()

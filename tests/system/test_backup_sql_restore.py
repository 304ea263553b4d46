# SPDX-License-Identifier: Apache-2.0
"""Restores into real servers of PostgreSQL and MariaDB: the old data stays until the new is whole. Drills."""

import os
import signal
from pathlib import Path

import pytest

from harness import shop
from harness.shop import BROKEN, LARGE, REFUSED, as_before, is_marked, mark, only
from harness.tools import find_below
from harness.wait import until
from harness.worker import Worker

NEW = "it's \"a\" `b`"
LOADERS = {"postgresql": "pg_restore", "mariadb": "mariadb"}


@pytest.fixture(params=["pg", "my"], ids=["postgresql", "mariadb"])
def server(request):
    return request.getfixturevalue(request.param)


@pytest.fixture
def worker(server, tmp_path):
    return Worker(tmp_path, {"database": ["shop"], "compression": "none", **server.job(tmp_path)})


# --- where to

def test_into_another_name_the_old_one_stays(server, worker):
    rows = shop.make(server)
    worker.backup()
    mark(server)
    run = worker.run("restore", restore={"into": NEW})  # nothing is replaced: nothing to confirm
    run.good()
    assert not run.said("plan")[0]["destructive"]
    assert server.rows(NEW) == rows
    assert is_marked(server)


def test_what_would_be_replaced_is_said_and_asked(server, worker):
    shop.make(server)
    worker.backup()
    mark(server)
    run = worker.run("restore", restore={})
    assert run.bad()["code"] == "confirm"
    [plan] = run.said("plan")
    assert plan["destructive"]
    about = {"postgresql": "", "mariadb": "about "}[server.name]
    assert plan["text"].startswith(f"database shop on this host (1 table, {about}")
    as_before(server)


def test_an_empty_database_is_filled_without_asking(server, worker):
    rows = shop.make(server)
    worker.backup()
    server.drop("shop")
    server.create("shop")
    worker.run("restore", restore={}).good()
    assert server.rows("shop") == rows


def begin_restore(server, worker):
    """One that is in the middle."""
    shop.make(server, more=LARGE[server.name])
    worker.backup()
    mark(server)
    run = worker.begin("restore", {"bandwidth": 4_000_000}, restore={"yes": True})
    run.wait_stage("restore")
    until(lambda: len(server.databases()) == len(server.usual) + 2, 20, "the new database")
    until(lambda: find_below(run.process.pid, LOADERS[server.name]), 20, "the tool")
    return run


def test_applications_work_on_until_the_new_one_is_whole(server, worker):
    run = begin_restore(server, worker)
    assert is_marked(server)
    server.sql("INSERT INTO orders VALUES (-1, 'still alive')", "shop")
    run.wait().good()
    assert not is_marked(server)
    assert only(server, "shop")


# --- broken in the middle

def test_row_30_a_row_that_does_not_go_in_leaves_the_old_data(server, worker):
    shop.make(server, more=BROKEN[server.name])
    worker.backup()
    mark(server)
    assert REFUSED[server.name] in worker.restore().bad(LOADERS[server.name])["error"]
    as_before(server)


def test_row_30_of_two_databases_none_is_replaced_when_one_fails(server, worker):
    shop.make(server, "blog")
    shop.make(server, more=BROKEN[server.name])
    both = {"database": ["blog", "shop"]}
    worker.backup(both)
    mark(server, "blog", "shop")
    worker.restore(both).bad("shop")
    as_before(server, "blog", "shop")


def test_row_30_a_tool_that_is_killed_leaves_the_old_data(server, worker):
    run = begin_restore(server, worker)
    os.kill(find_below(run.process.pid, LOADERS[server.name]), signal.SIGKILL)
    run.wait().bad("signal")
    as_before(server)


def test_row_30_a_restore_that_is_stopped_leaves_the_old_data(server, worker):
    run = begin_restore(server, worker)
    assert run.stop().bad()["code"] == "cancelled"
    as_before(server)


def test_row_30_a_damaged_backup_touches_nothing(server, worker):
    shop.make(server)
    worker.backup()
    mark(server)
    [data] = set(worker.files()) - set(worker.manifests())
    path = Path(worker.stores[0]["path"]) / data
    stored = bytearray(path.read_bytes())
    stored[-100] ^= 1
    path.write_bytes(stored)
    run = worker.restore()
    run.bad()
    assert "restore" not in run.stages()
    as_before(server)


# --- drill

def test_a_drill_restores_beside_and_leaves_nothing(server, worker):
    for name in ("shop", "blog"):
        shop.make(server, name)
    everything = {"database": []}
    worker.backup(everything)
    mark(server, "blog", "shop")
    server.sql("CREATE ROLE later")
    rights = server.rights()
    run = worker.run("drill", everything)
    run.good()
    assert run.stages().count("compare") >= len(server.usual) + 2
    as_before(server, "blog", "shop")
    assert any("later" in line for line in rights)
    assert server.rights() == rights
    [backup] = worker.backups()
    assert backup["drilled_ms"] > 0


@pytest.mark.parametrize("what, there", [("tables", 1), ("triggers", 0)])
def test_a_drill_finds_numbers_that_do_not_match(server, worker, what, there):
    shop.make(server)
    worker.backup()
    worker.change_manifest(lambda m: m["members"][0]["counts"].update({what: 2}))
    assert "shop" in worker.run("drill").bad(f"{what}: 2 were dumped, {there} are there")["error"]
    assert only(server, "shop")
    [backup] = worker.backups()
    assert backup["bad_ms"] > 0


def test_a_drill_finds_a_backup_that_does_not_go_in(server, worker):
    shop.make(server, more=BROKEN[server.name])
    worker.backup()
    worker.run("drill").bad(REFUSED[server.name])
    assert only(server, "shop")


def test_a_drill_that_is_stopped_leaves_nothing(server, worker):
    shop.make(server, more=LARGE[server.name])
    worker.backup()
    run = worker.begin("drill", {"bandwidth": 4_000_000})
    until(lambda: len(server.databases()) == len(server.usual) + 2, 20, "the throw-away database")
    assert run.stop().bad()["code"] == "cancelled"
    assert only(server, "shop")

# SPDX-License-Identifier: Apache-2.0
"""Restores into a real MariaDB server: the old data stays until the new is whole. Drills."""

import os
import signal

import pytest

from harness.shop import as_before, is_marked, mark
from harness.tools import Tools, find_below
from harness.wait import until
from harness.worker import Worker

ORDERS = "CREATE TABLE orders (id int PRIMARY KEY, t text); INSERT INTO orders SELECT seq, md5(seq) FROM seq_1_to_2000;"
LARGE = ORDERS + "CREATE TABLE zoo (b varbinary(2000)); INSERT INTO zoo SELECT random_bytes(1000) FROM seq_1_to_6000;"


@pytest.fixture
def worker(my, tmp_path):
    return Worker(tmp_path, {"database": ["shop"], "compression": "none", **my.job(tmp_path)})


def small_shop(my, text=ORDERS):
    my.create("shop", text)
    return my.rows("shop")


# --- where to

def test_into_another_name_the_old_one_stays(my, worker):
    rows = small_shop(my)
    worker.backup()
    mark(my)
    run = worker.run("restore", restore={"into": "it's `new`"})  # nothing is replaced: nothing to confirm
    run.good()
    assert not run.said("plan")[0]["destructive"]
    assert my.rows("it's `new`") == rows
    assert is_marked(my)


def test_what_would_be_replaced_is_said_and_asked(my, worker):
    small_shop(my)
    worker.backup()
    mark(my)
    run = worker.run("restore", restore={})
    assert run.bad()["code"] == "confirm"
    [plan] = run.said("plan")
    assert plan["destructive"]
    assert plan["text"].startswith("database shop on this host (1 table, about ")
    as_before(my)


def test_an_empty_database_is_filled_without_asking(my, worker):
    rows = small_shop(my)
    worker.backup()
    my.drop("shop")
    my.create("shop")
    worker.run("restore", restore={}).good()
    assert my.rows("shop") == rows


def test_applications_work_on_until_the_new_one_is_whole(my, worker):
    small_shop(my, LARGE)
    worker.backup()
    mark(my)
    run = worker.begin("restore", {"bandwidth": 4_000_000}, restore={"yes": True})
    run.wait_stage("restore")
    until(lambda: len(my.databases()) == 2, 20, "the new database")
    assert is_marked(my)
    my.sql("INSERT INTO orders VALUES (-1, 'still alive')", "shop")
    run.wait().good()
    assert not is_marked(my)
    assert my.databases() == ["shop"]


def test_tables_that_others_refer_to_are_not_replaced(my, worker):
    small_shop(my)
    my.create("blog", "CREATE TABLE posts (o int, FOREIGN KEY (o) REFERENCES shop.orders (id))")
    worker.backup()
    mark(my)
    worker.restore().bad("table blog.posts refers to tables of shop")
    assert is_marked(my)
    assert my.databases() == ["blog", "shop"]


def test_a_dump_with_the_sandbox_line_goes_in(my, worker, tmp_path):
    """Tools since May 2024 write it, and older clients fail there."""
    rows = small_shop(my)
    assert "enable the sandbox mode" in my.tool("mariadb-dump", "shop")
    tools = Tools(tmp_path / "tools")
    worker.environment = tools.environment()
    tools.add("mariadb", """case "$*" in *--version*) exec "$REAL" "$@";; esac
input=$(mktemp); cat >"$input"; grep -q 'sandbox mode' "$input" && { echo "ERROR at line 1: Unknown command" >&2; exit 1; }
"$REAL" "$@" <"$input" """)
    worker.backup()
    my.drop("shop")
    worker.restore().good()
    assert my.rows("shop") == rows


# --- broken in the middle

# A row that was there before the rule; a dump does not know that.
BROKEN = """CREATE TABLE rules (x int); INSERT INTO rules VALUES (1); SET check_constraint_checks = 0;
ALTER TABLE rules ADD CHECK (x > 1);"""


def test_row_30_a_row_that_does_not_go_in_leaves_the_old_data(my, worker):
    small_shop(my, ORDERS + BROKEN)
    worker.backup()
    mark(my)
    assert "CONSTRAINT" in worker.restore().bad("mariadb")["error"]
    as_before(my)


def test_row_30_of_two_databases_none_is_replaced_when_one_fails(my, worker):
    my.create("blog", ORDERS)
    small_shop(my, ORDERS + BROKEN)
    both = {"database": ["blog", "shop"]}
    worker.backup(both)
    mark(my)
    mark(my, "blog")
    worker.restore(both).bad("shop")
    as_before(my, "blog", "shop")


def test_row_30_half_of_a_backup_in_an_empty_database_is_called_partial(my, worker):
    small_shop(my, ORDERS + BROKEN)
    worker.backup()
    my.drop("shop")
    my.create("shop")
    assert worker.restore().bad("holds a part of the backup")["partial"] is True


def slow_restore(my, worker):
    """One that is in the middle."""
    small_shop(my, LARGE)
    worker.backup()
    mark(my)
    run = worker.begin("restore", {"bandwidth": 4_000_000}, restore={"yes": True})
    run.wait_stage("restore")
    until(lambda: len(my.databases()) == 2, 20, "the new database")
    until(lambda: find_below(run.process.pid, "mariadb"), 20, "the client")
    return run


def test_row_30_a_tool_that_is_killed_leaves_the_old_data(my, worker):
    run = slow_restore(my, worker)
    os.kill(find_below(run.process.pid, "mariadb"), signal.SIGKILL)
    run.wait().bad("signal")
    as_before(my)


def test_row_30_a_restore_that_is_stopped_leaves_the_old_data(my, worker):
    run = slow_restore(my, worker)
    assert run.stop().bad()["code"] == "cancelled"
    as_before(my)


# --- drill

def test_a_drill_restores_beside_and_leaves_nothing(my, worker):
    for name in ("shop", "blog"):
        my.create(name, ORDERS)
    my.sql("CREATE USER later@localhost")
    everything = {"database": []}
    worker.backup(everything)
    rights = my.rights()
    mark(my)
    mark(my, "blog")
    run = worker.run("drill", everything)
    run.good()
    assert run.stages().count("compare") >= 2
    as_before(my, "blog", "shop")
    assert my.rights() == rights
    [backup] = worker.backups()
    assert backup["drilled_ms"] > 0


def test_a_drill_finds_numbers_that_do_not_match(my, worker):
    small_shop(my)
    worker.backup()
    worker.change_manifest(lambda m: m["members"][0]["counts"].update(triggers=2))
    assert "shop" in worker.run("drill").bad("triggers: 2 were dumped, 0 are there")["error"]
    assert my.databases() == ["shop"]
    [backup] = worker.backups()
    assert backup["bad_ms"] > 0


def test_a_drill_finds_a_backup_that_does_not_go_in(my, worker):
    small_shop(my, ORDERS + BROKEN)
    worker.backup()
    worker.run("drill").bad("CONSTRAINT")
    assert my.databases() == ["shop"]

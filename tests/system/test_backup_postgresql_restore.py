# SPDX-License-Identifier: Apache-2.0
"""Restores into a real PostgreSQL server: the old data stays until the new is whole. Drills and verification."""

import os
import signal
import subprocess
from pathlib import Path

import pytest

from harness.shop import as_before, is_marked, mark
from harness.tools import Tools, find_below
from harness.wait import until
from harness.worker import Worker


@pytest.fixture
def worker(pg, tmp_path):
    return Worker(tmp_path, {"database": ["shop"], "compression": "none", **pg.job(tmp_path)})


ORDERS = "CREATE TABLE orders (id int PRIMARY KEY, t text); INSERT INTO orders SELECT i, md5(i::text) FROM generate_series(1, 2000) i;"
LARGE = ORDERS + """ CREATE TABLE noise AS SELECT i, string_agg(md5(i::text || j::text), '') AS b FROM generate_series(1, 6000) i,
  generate_series(1, 30) j GROUP BY i;"""


def small_shop(pg, text=ORDERS):
    pg.create("shop", text)
    return pg.rows("shop")


# --- where to

def test_into_another_name_the_old_one_stays(pg, worker):
    rows = small_shop(pg)
    worker.backup()
    mark(pg)
    run = worker.run("restore", restore={"into": "it's \"new\""})  # nothing is replaced: nothing to confirm
    run.good()
    assert not run.said("plan")[0]["destructive"]
    assert pg.rows("it's \"new\"") == rows
    assert is_marked(pg)


def test_what_would_be_replaced_is_said_and_asked(pg, worker):
    small_shop(pg)
    worker.backup()
    mark(pg)
    run = worker.run("restore", restore={})
    assert run.bad()["code"] == "confirm"
    [plan] = run.said("plan")
    assert plan["destructive"]
    assert plan["text"].startswith("database shop on this host (1 table, ")
    as_before(pg)


def test_an_empty_database_is_filled_without_asking(pg, worker):
    rows = small_shop(pg)
    worker.backup()
    pg.drop("shop")
    pg.create("shop")
    worker.run("restore", restore={}).good()
    assert pg.rows("shop") == rows


def test_several_databases_do_not_go_into_one(pg, worker):
    for name in ("shop", "blog"):
        pg.create(name, ORDERS)
    both = {"database": ["shop", "blog"]}
    worker.backup(both)
    worker.restore(both, into="one").bad("name the member")
    assert pg.databases() == ["blog", "postgres", "shop"]


def test_a_database_keeps_its_settings_and_its_users_are_cut_off(pg, worker):
    rows = small_shop(pg)
    worker.backup()
    pg.sql("CREATE ROLE boss; CREATE ROLE app; ALTER DATABASE shop OWNER TO boss; ALTER DATABASE shop SET work_mem = '9MB';"
           " ALTER DATABASE shop SET search_path = 'a b', public; ALTER ROLE app IN DATABASE shop SET datestyle = 'iso, dmy';"
           " ALTER DATABASE shop CONNECTION LIMIT 9; COMMENT ON DATABASE shop IS 'it''s dear';"
           " REVOKE CONNECT ON DATABASE shop FROM PUBLIC; GRANT CONNECT ON DATABASE shop TO app WITH GRANT OPTION")
    mark(pg)
    before = pg.properties("shop")
    with subprocess.Popen([pg.bin / "psql", "-X", "-q", "-c", "SELECT 'in'", "-c", "SELECT pg_sleep(600)"], env=pg.environment("shop"),
                          stdout=subprocess.PIPE, stderr=subprocess.PIPE) as user:
        until(lambda: pg.sql("SELECT count(*) FROM pg_stat_activity WHERE query LIKE '%pg_sleep(600)' AND datname = 'shop'") == "1")
        worker.restore().good()
        assert user.wait(10) != 0
    assert pg.rows("shop") == rows
    assert pg.properties("shop") == before
    assert pg.databases() == ["postgres", "shop"]


def test_applications_work_on_until_the_new_one_is_whole(pg, worker):
    small_shop(pg, LARGE)
    worker.backup()
    mark(pg)
    run = worker.begin("restore", {"bandwidth": 4_000_000}, restore={"yes": True})
    run.wait_stage("restore")
    until(lambda: len(pg.databases()) == 3, 20, "the new database")
    assert is_marked(pg)
    pg.sql("INSERT INTO orders VALUES (-1, 'still alive')", "shop")
    run.wait().good()
    assert not is_marked(pg)


def test_roles_that_are_not_there_are_said_and_the_rest_comes_back(pg, worker):
    pg.sql("CREATE ROLE boss; CREATE ROLE reader")
    rows = small_shop(pg, ORDERS + "ALTER TABLE orders OWNER TO boss; GRANT SELECT ON orders TO reader;")
    worker.backup()
    pg.clean()
    run = worker.restore()
    run.good()
    assert any("boss" in w for w in run.warnings())
    assert pg.rows("shop") == rows


# --- broken in the middle

# Loaded before what its rule looks at; a dump does not know that.
BROKEN = """CREATE TABLE zz (x int); INSERT INTO zz VALUES (1);
CREATE FUNCTION known(int) RETURNS boolean LANGUAGE sql AS 'SELECT EXISTS (SELECT FROM public.zz WHERE x = $1)';
CREATE TABLE aa (x int CHECK (known(x))); INSERT INTO aa VALUES (1);"""


def test_row_30_a_row_that_does_not_go_in_leaves_the_old_data(pg, worker):
    small_shop(pg, ORDERS + BROKEN)
    worker.backup()
    mark(pg)
    assert "violates check constraint" in worker.restore().bad("pg_restore")["error"]
    as_before(pg)


def test_row_30_of_two_databases_none_is_replaced_when_one_fails(pg, worker):
    pg.create("blog", ORDERS)
    small_shop(pg, ORDERS + BROKEN)
    both = {"database": ["blog", "shop"]}
    worker.backup(both)
    mark(pg)
    mark(pg, "blog")
    worker.restore(both).bad("shop")
    as_before(pg, "blog", "shop")


def slow_restore(pg, worker):
    """One that is in the middle."""
    small_shop(pg, LARGE)
    worker.backup()
    mark(pg)
    run = worker.begin("restore", {"bandwidth": 4_000_000}, restore={"yes": True})
    until(lambda: len(pg.databases()) == 3 and find_below(run.process.pid, "pg_restore"), 20, "the new database")
    return run


def test_row_30_a_tool_that_is_killed_leaves_the_old_data(pg, worker):
    run = slow_restore(pg, worker)
    os.kill(find_below(run.process.pid, "pg_restore"), signal.SIGKILL)
    run.wait().bad("signal")
    as_before(pg)


def test_row_30_a_restore_that_is_stopped_leaves_the_old_data(pg, worker):
    run = slow_restore(pg, worker)
    assert run.stop().bad()["code"] == "cancelled"
    as_before(pg)


def test_row_30_a_damaged_backup_touches_nothing(pg, worker):
    small_shop(pg)
    worker.backup()
    mark(pg)
    [data] = [f for f in worker.files() if f.endswith(".pgdump")]
    path = Path(worker.stores[0]["path"]) / data
    stored = bytearray(path.read_bytes())
    stored[-100] ^= 1
    path.write_bytes(stored)
    run = worker.restore()
    run.bad()
    assert "restore" not in run.stages()
    as_before(pg)


# --- a user who may not make databases

@pytest.fixture
def owner(pg, worker, tmp_path):
    """The job's user owns the database and nothing else."""
    pg.sql("CREATE ROLE owner LOGIN PASSWORD 'o'")
    worker.job.update(pg.job(tmp_path, "owner", "o"))
    return worker


def owned_shop(pg, more=""):
    pg.create("shop", options="OWNER owner")
    pg.sql(f"GRANT CREATE ON SCHEMA public TO owner; SET ROLE owner; {ORDERS} {more}", "shop")
    return pg.rows("shop")


def test_without_the_right_to_make_databases_it_is_restored_in_place(pg, owner):
    rows = owned_shop(pg)
    owner.backup()
    mark(pg)
    owner.restore().good()
    assert pg.rows("shop") == rows


def test_row_30_in_place_it_is_all_or_nothing(pg, owner):
    owned_shop(pg, BROKEN)
    owner.backup()
    mark(pg)
    owner.restore().bad("pg_restore")
    as_before(pg)


def test_a_database_that_cannot_be_made_is_said_with_the_cure(pg, owner):
    owned_shop(pg)
    owner.backup()
    pg.drop("shop")
    owner.restore().bad("ALTER ROLE ... CREATEDB")
    assert pg.databases() == ["postgres"]


# --- drill and verify

def test_a_drill_restores_beside_and_leaves_nothing(pg, worker):
    for name in ("shop", "blog"):
        pg.create(name, ORDERS)
    everything = {"database": []}
    worker.backup(everything)
    mark(pg)
    mark(pg, "blog")
    pg.sql("CREATE ROLE later")
    run = worker.run("drill", everything)
    run.good()
    assert run.stages().count("compare") >= 3
    as_before(pg, "blog", "shop")
    assert pg.sql("SELECT count(*) FROM pg_roles WHERE rolname = 'later'") == "1"
    [backup] = worker.backups()
    assert backup["drilled_ms"] > 0


def test_a_drill_finds_numbers_that_do_not_match(pg, worker):
    small_shop(pg)
    worker.backup()
    worker.change_manifest(lambda m: m["members"][0]["counts"].update(tables=2))
    result = worker.run("drill").bad("tables: 2 were dumped, 1 are there")
    assert "shop" in result["error"]
    assert pg.databases() == ["postgres", "shop"]
    [backup] = worker.backups()
    assert backup["bad_ms"] > 0


def test_a_drill_finds_a_backup_that_does_not_go_in(pg, worker):
    small_shop(pg, ORDERS + BROKEN)
    worker.backup()
    worker.run("drill").bad("violates check constraint")
    assert pg.databases() == ["postgres", "shop"]


def test_a_drill_that_is_stopped_leaves_nothing(pg, worker):
    small_shop(pg, LARGE)
    worker.backup()
    run = worker.begin("drill", {"bandwidth": 4_000_000})
    until(lambda: len(pg.databases()) == 3, 20, "the throw-away database")
    assert run.stop().bad()["code"] == "cancelled"
    assert pg.databases() == ["postgres", "shop"]


def test_a_drill_by_one_who_may_not_make_databases_says_so(pg, owner):
    owned_shop(pg)
    owner.backup()
    owner.run("drill").bad("ALTER ROLE ... CREATEDB")


def test_verify_has_the_dump_read_by_pg_restore(pg, worker, tmp_path):
    small_shop(pg)
    worker.backup()
    worker.run("verify").good()
    tools = Tools(tmp_path / "tools")
    worker.environment = tools.environment()
    tools.add("pg_restore", 'cat >/dev/null; echo "pg_restore: error: unexpected block" >&2; exit 1')
    worker.run("verify").bad("unexpected block")

# SPDX-License-Identifier: Apache-2.0
"""Restores into a real PostgreSQL server: what is special with it; test_backup_sql_restore.py has the rest."""

import subprocess

import pytest

from harness import shop
from harness.shop import BROKEN, as_before, mark, only
from harness.wait import until
from harness.worker import Worker


@pytest.fixture
def worker(pg, tmp_path):
    return Worker(tmp_path, {"database": ["shop"], "compression": "none", **pg.job(tmp_path)})


# --- where to

def test_several_databases_do_not_go_into_one(pg, worker):
    for name in ("shop", "blog"):
        shop.make(pg, name)
    both = {"database": ["shop", "blog"]}
    worker.backup(both)
    worker.restore(both, into="one").bad("name the member")
    assert only(pg, "blog", "shop")


def test_a_database_keeps_its_settings_and_its_users_are_cut_off(pg, worker):
    rows = shop.make(pg)
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
    assert only(pg, "shop")


def test_roles_that_are_not_there_are_said_and_the_rest_comes_back(pg, worker):
    pg.sql("CREATE ROLE boss; CREATE ROLE reader")
    rows = shop.make(pg, more="ALTER TABLE orders OWNER TO boss; GRANT SELECT ON orders TO reader;")
    worker.backup()
    pg.clean()
    run = worker.restore()
    run.good()
    assert any("boss" in w for w in run.warnings())
    assert pg.rows("shop") == rows


# --- a user who may not make databases

@pytest.fixture
def owner(pg, worker, tmp_path):
    """The job's user owns the database and nothing else."""
    pg.sql("CREATE ROLE owner LOGIN PASSWORD 'o'")
    worker.job.update(pg.job(tmp_path, "owner", "o"))
    return worker


def owned_shop(pg, more=""):
    pg.create("shop", options="OWNER owner")
    pg.sql(f"GRANT CREATE ON SCHEMA public TO owner; SET ROLE owner; {shop.orders(pg)} {more}", "shop")
    return pg.rows("shop")


def test_without_the_right_to_make_databases_it_is_restored_in_place(pg, owner):
    rows = owned_shop(pg)
    owner.backup()
    mark(pg)
    owner.restore().good()
    assert pg.rows("shop") == rows


def test_row_30_in_place_it_is_all_or_nothing(pg, owner):
    owned_shop(pg, BROKEN[pg.name])
    owner.backup()
    mark(pg)
    owner.restore().bad("pg_restore")
    as_before(pg)


def test_a_database_that_cannot_be_made_is_said_with_the_cure(pg, owner):
    owned_shop(pg)
    owner.backup()
    pg.drop("shop")
    owner.restore().bad("ALTER ROLE ... CREATEDB")
    assert only(pg)


# --- drill and verify

def test_a_drill_by_one_who_may_not_make_databases_says_so(pg, owner):
    owned_shop(pg)
    owner.backup()
    owner.run("drill").bad("ALTER ROLE ... CREATEDB")


def test_verify_has_the_dump_read_by_pg_restore(pg, worker, tools):
    shop.make(pg)
    worker.backup()
    worker.run("verify").good()
    tools.add("pg_restore", 'cat >/dev/null; echo "pg_restore: error: unexpected block" >&2; exit 1')
    worker.run("verify").bad("unexpected block")

# SPDX-License-Identifier: Apache-2.0
"""Backups of a real PostgreSQL server: what comes back, and what must fail."""

import json
import os
import signal
import subprocess

import pytest

from harness.agent import ROOT
from harness.tools import find_below
from harness.wait import until
from harness.worker import Worker

SHOP = (ROOT / "tests/fixtures/backup/shop.pg.sql").read_text()
ROLES = """CREATE ROLE "shop owner" LOGIN PASSWORD 'owner''s'; CREATE ROLE reader CONNECTION LIMIT 3;"""


@pytest.fixture
def worker(pg, tmp_path):
    return Worker(tmp_path, {"database": ["shop"], **pg.job(tmp_path)})


def make_shop(pg, text=SHOP):
    pg.sql(ROLES)
    pg.create("shop", text)
    return pg.rows("shop"), pg.schema("shop")


def small_shop(pg):
    pg.create("shop", "CREATE TABLE orders (id int PRIMARY KEY, t text); INSERT INTO orders SELECT i, md5(i::text)"
              " FROM generate_series(1, 2000) i;")
    return pg.rows("shop")


# --- what comes back

@pytest.mark.parametrize("options", [{}, {"compression": "gzip", "arguments": ["--verbose"]}])
def test_a_database_comes_back_with_everything_in_it(pg, worker, options):
    rows, schema = make_shop(pg)
    run = worker.run("backup", options)
    counts = run.good()["counts"]
    if not options:  # with arguments of the user's own these may be another number
        assert (counts["tables"], counts["views"], counts["triggers"]) == (8, 2, 1)
    assert run.warnings() == []
    pg.drop("shop")
    worker.restore().good()
    assert pg.schema("shop") == schema
    assert pg.rows("shop") == rows
    assert pg.sql("SELECT nextval('tickets') > 1000 + 8 * 7", "shop") == "t"


def test_what_is_there_is_replaced(pg, worker):
    rows, schema = make_shop(pg)
    worker.backup()
    pg.sql("DROP TABLE measures; DELETE FROM kinds WHERE id % 2 = 0; UPDATE children SET name = 'changed'; CREATE TABLE later (i int);"
           " SELECT lo_unlink(777001); DROP FUNCTION touch CASCADE;", "shop")
    worker.restore().good()
    assert pg.schema("shop") == schema
    assert pg.rows("shop") == rows
    assert pg.databases() == ["postgres", "shop"]


GLOBALS = ROLES + """
ALTER ROLE "shop owner" VALID UNTIL '2031-01-01 00:00:00+00';
ALTER ROLE reader SET statement_timeout = '5min';
CREATE ROLE "gr""oup" NOLOGIN CREATEDB; COMMENT ON ROLE "gr""oup" IS 'it''s';
GRANT "gr""oup" TO reader WITH ADMIN OPTION; GRANT pg_read_all_data TO "shop owner";
"""
DATABASE = """
ALTER DATABASE "b ""l;og" SET search_path = 'a b', public; ALTER DATABASE "b ""l;og" CONNECTION LIMIT 9;
ALTER ROLE reader IN DATABASE "b ""l;og" SET work_mem = '7MB'; COMMENT ON DATABASE "b ""l;og" IS 'the
blog'; REVOKE CONNECT ON DATABASE "b ""l;og" FROM PUBLIC; GRANT CONNECT, TEMPORARY ON DATABASE "b ""l;og" TO reader;
CREATE TABLE posts (id int, body text); INSERT INTO posts VALUES (1, 'hello'), (2, NULL);
"""


def test_all_databases_come_back_with_roles_and_what_they_may(pg, worker):
    pg.sql(GLOBALS)
    pg.create("shop", SHOP)
    pg.sql("""CREATE DATABASE "b ""l;og" OWNER "shop owner" TEMPLATE template0 ENCODING 'LATIN1' LOCALE 'C'""")
    pg.sql(DATABASE, 'b "l;og')
    before = [pg.rows("shop"), pg.schema("shop"), pg.rows('b "l;og'), pg.schema('b "l;og'), pg.properties('b "l;og'), pg.rights()]
    everything = {"database": []}
    run = worker.run("backup", everything)
    run.good()
    assert run.warnings() == []
    assert [m["title"] for m in worker.manifest()["members"]] == ["globals", 'b "l;og', "postgres", "shop"]

    pg.clean()
    assert pg.databases() == ["postgres"]
    worker.run("restore", everything, restore={"yes": True}).good()
    assert [pg.rows("shop"), pg.schema("shop"), pg.rows('b "l;og'), pg.schema('b "l;og'), pg.properties('b "l;og'), pg.rights()] == before
    # Passwords too: this one is checked over TCP.
    login = pg.environment("shop", PGHOST="127.0.0.1", PGUSER="shop owner", PGPASSWORD="owner's")
    subprocess.run([pg.bin / "psql", "-c", "SELECT 1"], env=login, check=True, stdout=subprocess.DEVNULL)


def test_roles_that_are_there_keep_their_password(pg, worker):
    pg.sql("CREATE ROLE app LOGIN PASSWORD 'old'")
    worker.backup({"database": []})
    pg.sql("ALTER ROLE app PASSWORD 'new'")
    worker.run("restore", {"database": []}, restore={"yes": True}).good()
    login = pg.environment(PGHOST="127.0.0.1", PGUSER="app", PGPASSWORD="new")
    subprocess.run([pg.bin / "psql", "-c", "SELECT 1"], env=login, check=True, stdout=subprocess.DEVNULL)


def test_only_the_databases_that_are_named(pg, worker):
    for name in ("shop", "blog", "other"):
        pg.create(name, f"CREATE TABLE {name} (i int)")
    worker.backup({"database": ["shop", "blog"]})
    assert [m["title"] for m in worker.manifest()["members"]] == ["shop", "blog"]


def test_one_member_comes_back_alone(pg, worker):
    for name in ("shop", "blog"):
        pg.create(name, f"CREATE TABLE t (x text); INSERT INTO t VALUES ('{name}')")
    worker.backup({"database": ["shop", "blog"]})
    for name in ("shop", "blog"):
        pg.sql("UPDATE t SET x = 'changed'", name)
    worker.restore(member="blog").good()
    assert (pg.sql("SELECT x FROM t", "shop"), pg.sql("SELECT x FROM t", "blog")) == ("changed", "blog")


@pytest.mark.root
def test_without_a_user_it_comes_in_as_the_systems_user_postgres(pg, worker):
    """As Debian's packages set it up: no password, and nobody else through the socket."""
    rules = pg.data / "pg_hba.conf"
    usual = rules.read_text()
    rows = small_shop(pg)
    local = {"host": None, "password_file": None, "user": None, "socket": pg.host}
    try:
        rules.write_text("local all all peer\n")
        pg.reload()
        until(lambda: not answers(pg), 10, "the server's new rules")
        order = {k: v for k, v in {**worker.job, **local}.items() if v is not None}
        worker.job = order
        worker.backup()
        run = worker.run("backup", {"user": "reader"})
        assert "set host, user and password_file" in run.bad("Peer authentication failed")["error"]
    finally:
        rules.write_text(usual)
        pg.reload()
        until(lambda: answers(pg), 10, "the server's old rules")
    pg.drop("shop")
    worker.restore().good()
    assert pg.rows("shop") == rows


def answers(pg):
    return subprocess.run([pg.bin / "psql", "-c", "SELECT 1"], env=pg.environment(), check=False, stdout=subprocess.DEVNULL,
                          stderr=subprocess.DEVNULL).returncode == 0


# --- while it is written to

SUMS = """SELECT (SELECT sum(abalance) FROM pgbench_accounts) AS accounts, (SELECT sum(tbalance) FROM pgbench_tellers) AS tellers,
  (SELECT sum(bbalance) FROM pgbench_branches) AS branches, (SELECT coalesce(sum(delta), 0) FROM pgbench_history) AS history,
  (SELECT count(*) FROM pgbench_history) AS n"""


def test_a_dump_of_a_database_that_is_written_to_is_of_one_moment(pg, worker):
    pg.create("bank")
    pg.tool("pgbench", "-i", "-q", "-s", "2", db="bank")
    with subprocess.Popen([pg.bin / "pgbench", "-n", "-c", "4", "-T", "600"], env=pg.environment("bank"),
                          stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as load:
        try:
            first = until(lambda: pg.ask(SUMS, "bank")[0]["n"], 20, "transactions")
            # Slow enough that much is written meanwhile.
            worker.backup({"database": ["bank"], "compression": "none", "bandwidth": 15_000_000})
            last = pg.ask(SUMS, "bank")[0]["n"]
        finally:
            load.kill()
    worker.restore(member="bank", into="bank2").good()
    sums = pg.ask(SUMS, "bank2")[0]
    assert sums["accounts"] == sums["tellers"] == sums["branches"] == sums["history"]
    assert first <= sums["n"] < last


# --- what must fail

def test_a_wrong_password_is_a_failure_and_says_where_to_look(pg, worker, tmp_path):
    small_shop(pg)
    result = worker.run("backup", pg.job(tmp_path, password="wrong-and-secret")).bad("password authentication failed")
    assert "password_file" in result["error"]
    assert "wrong-and-secret" not in json.dumps(result)
    worker.nothing_left()


def test_row_06_a_role_that_may_not_read_everything_is_a_failure(pg, worker, tmp_path):
    pg.sql("CREATE ROLE weak LOGIN PASSWORD 'weak'")
    small_shop(pg)
    result = worker.run("backup", pg.job(tmp_path, "weak", "weak")).bad("permission denied")
    assert "orders" in result["error"]
    worker.nothing_left()
    pg.sql("GRANT pg_read_all_data TO weak")
    worker.backup(pg.job(tmp_path, "weak", "weak"))


def test_row_06_rows_that_a_policy_hides_are_not_left_out(pg, worker, tmp_path):
    pg.sql("CREATE ROLE weak LOGIN PASSWORD 'weak'; GRANT pg_read_all_data TO weak")
    pg.create("shop", "CREATE TABLE t AS SELECT 1 AS x; ALTER TABLE t ENABLE ROW LEVEL SECURITY; GRANT SELECT ON t TO weak")
    worker.run("backup", pg.job(tmp_path, "weak", "weak")).bad("row-level security")
    worker.nothing_left()


def test_row_06_a_database_that_is_not_there_is_a_failure(pg, worker):
    pg.create("shop2")
    result = worker.run("backup").bad("there is no shop")
    assert "postgres, shop2" in result["error"]
    worker.nothing_left()


def test_row_06_a_database_without_tables_is_said(pg, worker):
    pg.create("shop")
    run = worker.run("backup")
    run.good()
    assert run.warnings() == ["database shop has no tables: is it the right one?"]


@pytest.mark.parametrize("name", ["pg_dump", "psql"])
def test_a_tool_that_is_missing_is_named_with_its_package(pg, worker, tools, name):
    small_shop(pg)
    # pg_wrapper is a Perl script.
    there = [n for n in ("sh", "perl", "pg_dump", "psql", "pg_dumpall") if n != name]
    worker.environment = tools.only(*there)
    result = worker.run("backup").bad(f"{name} is not there")
    assert "postgresql-client" in result["error"]
    worker.nothing_left()


def test_a_server_newer_than_the_tool_is_a_failure_before_the_dump(pg, worker, tools):
    small_shop(pg)
    tools.say_version("pg_dump", "pg_dump (PostgreSQL) 14.11 (Debian 14.11-1)")
    result = worker.run("backup").bad("pg_dump 14.11 cannot dump a server of version 15")
    assert "postgresql-client-15" in result["error"]
    worker.nothing_left()


def test_a_tool_newer_than_the_server_is_fine_and_noted(pg, worker, tools):
    small_shop(pg)
    tools.say_version("pg_dump", "pg_dump (PostgreSQL) 17.2")
    worker.backup()
    assert worker.manifest()["tool_version"] == "pg_dump 17.2"
    assert worker.manifest()["server_version"].startswith("15.")


def test_a_restore_by_an_older_tool_is_refused_before_anything_is_touched(pg, worker, tools):
    small_shop(pg)
    tools.say_version("pg_dump", "pg_dump (PostgreSQL) 17.2")
    worker.backup()
    pg.sql("INSERT INTO orders VALUES (0, 'later')", "shop")
    result = worker.restore().bad("cannot read what pg_dump 17.2 made")
    assert "postgresql-client-17" in result["error"]
    assert pg.sql("SELECT t FROM orders WHERE id = 0", "shop") == "later"
    assert pg.databases() == ["postgres", "shop"]


# --- the end of the dump

def large_shop(pg):
    """More than goes through at once."""
    pg.create("shop", "CREATE EXTENSION pgcrypto; CREATE TABLE noise AS SELECT i, gen_random_bytes(1000) AS b"
              " FROM generate_series(1, 12000) i")


def test_row_01_a_dump_that_is_killed_in_the_middle_is_a_failure(pg, worker):
    large_shop(pg)
    run = worker.slow_backup()
    os.kill(find_below(run.process.pid, "pg_dump"), signal.SIGKILL)
    run.wait().bad("signal")
    worker.nothing_left()


def test_row_01_a_server_that_ends_the_dump_is_a_failure(pg, worker):
    large_shop(pg)
    run = worker.slow_backup()
    # There may be more than one of the agent's connections: the dump's is the one that copies.
    assert pg.sql("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = 'shop' AND query LIKE 'COPY %'") == "t"
    run.wait().bad("pg_dump")
    worker.nothing_left()


def test_row_01_a_bad_status_after_a_whole_dump_is_a_failure(pg, worker, tools):
    small_shop(pg)
    tools.end_badly("pg_dump")
    worker.run("backup").bad("at the very end")
    worker.nothing_left()


def test_row_05_a_dump_that_ends_early_with_status_0_is_a_failure(pg, worker, tools):
    small_shop(pg)
    tools.cut_short("pg_dump")
    worker.run("backup").bad("shop")
    worker.nothing_left()


def test_row_07_words_on_stderr_are_no_failure(pg, worker, tools):
    small_shop(pg)
    tools.add("pg_dump", 'echo "pg_dump: warning: ERROR: not at all" >&2\nexec "$REAL" "$@"')
    worker.backup()


def test_row_32_the_password_is_in_no_argument_of_any_tool(pg, worker, tools, tmp_path):
    rows = small_shop(pg)
    log = tmp_path / "arguments"
    tools.write_down(log, "pg_dump", "pg_dumpall", "pg_restore", "psql")
    worker.backup({"database": []})
    run = worker.run("restore", {"database": []}, restore={"yes": True})
    run.good()
    assert pg.rows("shop") == rows
    assert {"pg_dump", "pg_dumpall", "pg_restore", "psql"} <= set(log.read_text().split("\n"))
    assert pg.password not in log.read_text()
    assert pg.password not in json.dumps(run.lines)

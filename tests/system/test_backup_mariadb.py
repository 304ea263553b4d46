# SPDX-License-Identifier: Apache-2.0
"""Backups of a real MariaDB server: what comes back, and what must fail."""

import json
import os
import signal
import subprocess

import pytest

from harness.agent import BINARY, ROOT
from harness.tools import find_below
from harness.wait import until
from harness.worker import Worker

SHOP = (ROOT / "tests/fixtures/backup/shop.my.sql").read_text()
ORDERS = "CREATE TABLE orders (id int PRIMARY KEY, t text); INSERT INTO orders SELECT seq, md5(seq) FROM seq_1_to_2000;"


@pytest.fixture
def worker(my, tmp_path):
    return Worker(tmp_path, {"database": ["shop"], **my.job(tmp_path)})


def make_shop(my):
    my.create("shop", SHOP, "CHARACTER SET utf8mb4 COLLATE utf8mb4_czech_ci")
    return my.rows("shop"), my.schema("shop")


def small_shop(my):
    my.create("shop", ORDERS)
    return my.rows("shop")


# --- the configuration

@pytest.mark.parametrize("engine", ["mariadb", "mysql"])
def test_the_engine_is_one_that_the_configuration_knows(tmp_path, engine):
    config = tmp_path / "agent.conf"
    config.write_text(f'databases: {{ shop = {{ engine = "{engine}"; host = "127.0.0.1"; port = 3307; user = "backup";'
                      f' database = [ "shop" ]; }}; }};\n')
    r = subprocess.run([BINARY, "config", "check", "--config", str(config)], stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                       text=True, check=False)
    assert r.returncode == 0, r.stdout


# --- what comes back

@pytest.mark.parametrize("engine", ["mariadb", "mysql"])
def test_a_database_comes_back_with_everything_in_it(my, worker, engine):
    rows, schema = make_shop(my)
    run = worker.run("backup", {"engine": engine})
    counts = run.good()["counts"]
    assert [counts[name] for name in ("tables", "views", "triggers", "routines", "events")] == [6, 2, 2, 2, 1]
    assert run.warnings() == []
    my.drop("shop")
    worker.restore({"engine": engine}).good()
    assert my.schema("shop") == schema
    assert my.rows("shop") == rows
    assert my.databases() == ["shop"]


def test_what_is_there_is_replaced(my, worker):
    rows, schema = make_shop(my)
    my.sql("CREATE ROLE r; CREATE USER u@localhost; GRANT EXECUTE, ALTER ROUTINE ON PROCEDURE shop.shout TO u@localhost WITH GRANT OPTION;"
           " GRANT EXECUTE ON FUNCTION shop.twice TO r; GRANT SELECT (id) ON shop.kinds TO r; GRANT DELETE ON shop.log TO u@localhost")
    rights = my.rights()
    worker.backup()
    my.sql("DROP TABLE parts; DELETE FROM kinds WHERE id % 2 = 0; SET foreign_key_checks = 0; UPDATE children SET parent = 999 WHERE id = 10;"
           " CREATE TABLE later (i int); CREATE VIEW later_view AS SELECT 1; CREATE PROCEDURE later_p() SELECT 1;"
           " CREATE TRIGGER later_t BEFORE INSERT ON log FOR EACH ROW SET NEW.what = 'x'; DROP EVENT nightly;", "shop")
    worker.restore().good()
    assert my.schema("shop") == schema
    assert my.rows("shop") == rows
    assert my.databases() == ["shop"]
    assert my.rights() == rights
    # Keys are those of the tables that are there now.
    my.sql("INSERT INTO parents VALUES (1000, NULL); DELETE FROM parents WHERE id = 1000; INSERT INTO children VALUES (1, 1, 'new', '')", "shop")
    assert my.sql("SELECT count(*) FROM log", "shop") == "2"
    with pytest.raises(AssertionError, match="foreign key constraint fails"):
        my.sql("INSERT INTO children VALUES (2, 12345, 'x', '')", "shop")


USERS = """CREATE ROLE readers; CREATE USER `app user`@'10.%' IDENTIFIED BY 'it''s'; CREATE USER nobody@localhost ACCOUNT LOCK;
CREATE USER sock@localhost IDENTIFIED VIA unix_socket; CREATE USER limited@'%' IDENTIFIED BY 'l' WITH MAX_USER_CONNECTIONS 3;
GRANT SELECT, INSERT ON `sh\\_p`.* TO `app user`@'10.%' WITH GRANT OPTION; GRANT SELECT (id), UPDATE (t) ON shop.kinds TO readers;
GRANT EXECUTE ON FUNCTION shop.twice TO readers; GRANT readers TO `app user`@'10.%';
SET DEFAULT ROLE readers FOR `app user`@'10.%'; GRANT PROCESS ON *.* TO limited@'%';"""


def test_all_databases_come_back_with_users_and_what_they_may(my, worker):
    make_shop(my)
    my.create("b`log; x", "CREATE TABLE posts (body text); INSERT INTO posts VALUES ('hello')", "CHARACTER SET latin1")
    my.sql(USERS)
    before = [my.rows("shop"), my.schema("shop"), my.rows("b`log; x"), my.rights()]
    everything = {"database": []}
    run = worker.run("backup", everything)
    run.good()
    assert run.warnings() == []
    assert [m["title"] for m in worker.manifest()["members"]] == ["globals", "b`log; x", "shop"]
    my.clean()
    assert (my.databases(), my.accounts()) == ([], [])
    run = worker.restore(everything)
    run.good()
    assert run.warnings() == []
    assert [my.rows("shop"), my.schema("shop"), my.rows("b`log; x"), my.rights()] == before
    assert my.sql("SELECT default_character_set_name FROM information_schema.schemata WHERE schema_name = 'b`log; x'") == "latin1"


def test_users_that_are_there_keep_their_password(my, worker):
    my.sql("CREATE USER app@localhost IDENTIFIED BY 'old'")
    small_shop(my)
    worker.backup({"database": []})
    my.sql("ALTER USER app@localhost IDENTIFIED BY 'new'")
    before = my.rights()
    worker.restore({"database": []}).good()
    assert my.rights() == before


def test_one_member_comes_back_alone(my, worker):
    for name in ("shop", "blog", "other"):
        my.create(name, f"CREATE TABLE t (x text); INSERT INTO t VALUES ('{name}')")
    worker.backup({"database": ["shop", "blog"]})
    assert [m["title"] for m in worker.manifest()["members"]] == ["shop", "blog"]
    for name in ("shop", "blog"):
        my.sql("UPDATE t SET x = 'changed'", name)
    worker.restore(member="blog").good()
    assert (my.sql("SELECT x FROM t", "shop"), my.sql("SELECT x FROM t", "blog")) == ("changed", "blog")


CHURN = """CREATE TABLE a (id int PRIMARY KEY, balance bigint); CREATE TABLE b (id int PRIMARY KEY, balance bigint);
CREATE TABLE history (n int AUTO_INCREMENT PRIMARY KEY, delta bigint); CREATE TABLE noise (x varbinary(2000));
INSERT INTO a SELECT seq, 0 FROM seq_1_to_100; INSERT INTO b SELECT seq, 0 FROM seq_1_to_100;
INSERT INTO noise SELECT random_bytes(1000) FROM seq_1_to_5000;
DELIMITER ;;
CREATE PROCEDURE churn() BEGIN DECLARE d int; LOOP
	SET d = floor(rand() * 1000); START TRANSACTION; UPDATE a SET balance = balance + d WHERE id = 1 + d % 100;
	UPDATE b SET balance = balance - d WHERE id = 1 + d % 100; INSERT INTO history (delta) VALUES (d); COMMIT;
END LOOP; END;;
DELIMITER ;
"""
SUMS = "SELECT (SELECT sum(balance) FROM a), (SELECT -sum(balance) FROM b), (SELECT sum(delta) FROM history), (SELECT count(*) FROM history)"


def test_a_dump_of_a_database_that_is_written_to_is_of_one_moment(my, worker):
    my.create("bank", CHURN)
    with subprocess.Popen(["mariadb", "--no-defaults", f"--socket={my.socket}", "--user=root", "bank", "-e", "CALL churn()"],
                          env={**os.environ, "MYSQL_PWD": my.password}) as load:
        try:
            first = until(lambda: int(my.sql("SELECT count(*) FROM history", "bank")), 20, "transactions")
            worker.backup({"database": ["bank"], "compression": "none", "bandwidth": 15_000_000})
            last = int(my.sql("SELECT count(*) FROM history", "bank"))
        finally:
            load.kill()
            my.end_connections("bank")  # the server goes on without its client
    worker.restore(member="bank", into="bank2").good()
    a, b, history, n = map(int, my.sql(SUMS, "bank2").split("\t"))
    assert a == b == history
    assert first <= n < last


# --- what must fail

def test_a_wrong_password_is_a_failure_and_says_where_to_look(my, worker, tmp_path):
    small_shop(my)
    result = worker.run("backup", my.job(tmp_path, password="wrong-and-secret")).bad("Access denied for user")
    assert "password_file" in result["error"]
    assert "wrong-and-secret" not in json.dumps(result)
    worker.nothing_left()


@pytest.fixture
def weak(my, worker, tmp_path):
    my.sql("CREATE USER weak@'127.0.0.1' IDENTIFIED BY 'w'; GRANT SELECT, SHOW VIEW, EVENT ON shop.* TO weak@'127.0.0.1'")
    worker.job.update(my.job(tmp_path, "weak", "w"))
    return worker


def test_row_06_triggers_that_would_be_left_out_are_a_failure(my, weak):
    make_shop(my)
    weak.run("backup").bad("GRANT TRIGGER ON `shop`.* TO it")
    weak.nothing_left()
    my.sql("GRANT TRIGGER ON shop.* TO weak@'127.0.0.1'")
    run = weak.run("backup")
    assert run.good()["counts"]["triggers"] == 2
    # Those of others are not even in the list that this user sees.
    assert any("procedures and functions" in w and "GRANT SELECT ON mysql.proc" in w for w in run.warnings())


def test_row_06_of_all_databases_users_that_cannot_be_read_are_said(my, weak):
    my.sql("GRANT TRIGGER ON shop.* TO weak@'127.0.0.1'")
    small_shop(my)
    run = weak.run("backup", {"database": []})
    run.good()
    assert any(w.startswith("users and their rights are not in the backup") for w in run.warnings())


def test_row_06_a_database_that_is_not_there_is_a_failure(my, worker):
    my.create("shop2")
    assert "shop2" in worker.run("backup").bad("there is no shop")["error"]
    worker.nothing_left()


def test_row_06_a_database_without_tables_is_said(my, worker):
    my.create("shop")
    run = worker.run("backup")
    run.good()
    assert run.warnings() == ["database shop has no tables: is it the right one?"]


def test_row_06_tables_that_are_not_of_one_moment_are_said(my, worker):
    my.create("shop", "CREATE TABLE a (i int) ENGINE = MyISAM; CREATE TABLE b (i int) ENGINE = InnoDB")
    run = worker.run("backup")
    run.good()
    assert any(w.startswith("1 tables are MyISAM") for w in run.warnings())


def test_row_06_history_that_a_dump_leaves_out_is_said(my, worker):
    my.create("shop", "CREATE TABLE prices (p int) WITH SYSTEM VERSIONING; INSERT INTO prices VALUES (1); UPDATE prices SET p = 2;")
    run = worker.run("backup")
    run.good()
    assert [w for w in run.warnings() if "--dump-history" in w]
    whole = {"arguments": ["--dump-history"]}
    run = worker.run("backup", whole)
    run.good()
    assert run.warnings() == []
    my.drop("shop")
    worker.restore(whole).good()
    assert my.sql("SELECT p FROM prices FOR SYSTEM_TIME ALL ORDER BY 1", "shop").split() == ["1", "2"]


@pytest.mark.parametrize("name", ["mariadb-dump", "mariadb"])
def test_a_tool_that_is_missing_is_named_with_its_package(my, worker, tools, name):
    small_shop(my)
    worker.environment = tools.only(*(n for n in ("mariadb-dump", "mariadb") if n != name))
    assert "mariadb-client" in worker.run("backup").bad(f"neither {name} nor ")["error"]
    worker.nothing_left()


def test_a_tool_older_than_the_server_is_said(my, worker, tools):
    small_shop(my)
    tools.say_version("mariadb-dump", "mysqldump  Ver 10.16 Distrib 5.5.68-MariaDB, for Linux")
    run = worker.run("backup")
    run.good()
    assert any("older than the server" in w for w in run.warnings())
    assert worker.manifest()["tool_version"] == "mariadb-dump 5.5.68"


def large_shop(my):
    """More than goes through at once."""
    my.create("shop", "CREATE TABLE noise (b varbinary(2000)); INSERT INTO noise SELECT random_bytes(1000) FROM seq_1_to_8000;")


def test_row_01_a_dump_that_is_killed_in_the_middle_is_a_failure(my, worker):
    large_shop(my)
    run = worker.slow_backup()
    os.kill(find_below(run.process.pid, "mariadb-dump"), signal.SIGKILL)
    run.wait().bad("signal")
    worker.nothing_left()


def test_row_01_a_server_that_ends_the_dump_is_a_failure(my, worker):
    large_shop(my)
    run = worker.slow_backup()
    my.end_connections("shop")
    run.wait().bad("mariadb-dump")
    worker.nothing_left()


def test_row_01_a_bad_status_after_a_whole_dump_is_a_failure(my, worker, tools):
    small_shop(my)
    tools.end_badly("mariadb-dump")
    worker.run("backup").bad("at the very end")
    worker.nothing_left()


def test_row_05_a_dump_that_ends_early_with_status_0_is_a_failure(my, worker, tools):
    small_shop(my)
    tools.cut_short("mariadb-dump")
    worker.run("backup").bad("shop")
    worker.nothing_left()


def test_row_32_the_password_is_in_no_argument_of_any_tool(my, worker, tools, tmp_path):
    rows = small_shop(my)
    log = tmp_path / "arguments"
    tools.write_down(log, "mariadb-dump", "mariadb")
    worker.backup({"database": []})
    run = worker.restore({"database": []})
    run.good()
    assert my.rows("shop") == rows
    assert {"mariadb-dump", "mariadb"} <= set(log.read_text().split("\n"))
    assert my.password not in log.read_text()
    assert my.password not in json.dumps(run.lines)

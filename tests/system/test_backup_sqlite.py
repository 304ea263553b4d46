# SPDX-License-Identifier: Apache-2.0
"""SQLite databases by a worker: dumped while they are written to, wiped, restored, drilled."""

import hashlib
import os
import sqlite3
import subprocess
import sys

import pytest

from harness.worker import Worker

WRITER = """
import sqlite3, sys
db = sqlite3.connect(sys.argv[1], timeout=30, isolation_level=None)
while True:
    db.execute("begin immediate")
    db.execute("insert into moves(n) select 1 from accounts limit 1")
    db.execute("update accounts set balance = balance - 1 where id % 2 = 0")
    db.execute("update accounts set balance = balance + 1 where id % 2 = 1")
    db.execute("commit")
    print("x", flush=True)
"""


def make(path, mode="wal", rows=2000):
    db = sqlite3.connect(path)
    db.execute(f"pragma journal_mode = {mode}")
    db.executescript("""
        create table accounts(id integer primary key, name text, balance int, extra blob);
        create table moves(id integer primary key, n int);
        create index by_name on accounts(name);
        create view rich as select name from accounts where balance > 100;
        create trigger no_delete before delete on accounts begin select raise(abort, 'no'); end;
    """)
    db.executemany("insert into accounts(name, balance, extra) values(?, ?, ?)",
                   [(f"näme {i}", i, os.urandom(i % 300)) for i in range(rows)])
    db.commit()
    db.close()


def content(path):
    """All rows of all tables and the whole schema."""
    db = sqlite3.connect(f"file:{path}?mode=ro", uri=True)
    tables = [r[0] for r in db.execute("select name from sqlite_master where type = 'table' order by name")]
    everything = [list(db.execute("select type, name, sql from sqlite_master order by type, name"))]
    everything += [list(db.execute(f"select * from {t} order by id")) for t in tables]
    db.close()
    return everything


@pytest.fixture
def app(tmp_path):
    folder = tmp_path / "app"
    folder.mkdir()
    return folder / "app.db"


@pytest.fixture
def worker(tmp_path, app):
    worker = Worker(tmp_path, {"name": "app", "engine": "sqlite", "path": str(app)})
    del worker.job["command"]
    return worker


def remove(app):
    for name in (app, f"{app}-wal", f"{app}-shm", f"{app}-journal"):
        if os.path.exists(name):
            os.unlink(name)


@pytest.mark.parametrize("mode", ["wal", "delete"])
def test_dump_wipe_restore_compare(worker, app, mode):
    make(app, mode)
    before = content(app)
    result = worker.backup()
    assert result["counts"] == {"tables": 2, "indexes": 1, "triggers": 1, "views": 1, "rows": 2000}
    remove(app)
    worker.run("restore", restore={"yes": True}).good()
    assert content(app) == before
    db = sqlite3.connect(app)
    assert db.execute("pragma journal_mode").fetchone()[0] == mode
    assert db.execute("pragma integrity_check").fetchone()[0] == "ok"
    db.close()


@pytest.mark.parametrize("mode", ["wal", "delete"])
def test_a_dump_while_it_is_written_to_restores_to_one_moment(worker, app, mode):
    make(app, mode)
    other = app.parent / "other.db"
    with subprocess.Popen([sys.executable, "-c", WRITER, str(app)], stdout=subprocess.PIPE) as writer:
        try:
            writer.stdout.read(2)
            for _ in range(3):
                worker.backup()
                assert writer.poll() is None
                worker.run("restore", restore={"into": str(other), "yes": True}).good()
                db = sqlite3.connect(other)
                moves = db.execute("select count(*) from moves").fetchone()[0]
                odd = db.execute("select sum(balance - (id - 1)) from accounts where id % 2 = 1").fetchone()[0]
                even = db.execute("select sum(balance - (id - 1)) from accounts where id % 2 = 0").fetchone()[0]
                assert (odd, even) == (moves * 1000, -moves * 1000) and moves > 0
                db.close()
                remove(other)
        finally:
            writer.kill()


def test_row_06_a_wrong_path_is_a_failure_and_makes_no_database(worker, app):
    worker.run("backup").bad("app.db")
    assert not app.exists() and worker.manifests() == []
    app.write_bytes(b"")
    worker.run("backup").bad("is empty")
    assert worker.files() == []


def test_row_30_a_restore_over_a_database_in_use_is_refused(worker, app):
    make(app)
    worker.backup()
    db = sqlite3.connect(app)
    db.execute("insert into moves(n) values(7)")
    db.commit()
    run = worker.run("restore", restore={"yes": True})
    run.bad("is open in ")
    assert db.execute("select count(*) from moves").fetchone()[0] == 1
    db.close()
    worker.run("restore", restore={"yes": True}).good()
    assert content(app)[2] == []


def test_a_restore_asks_before_it_replaces(worker, app):
    make(app)
    worker.backup()
    run = worker.run("restore")
    assert run.bad()["code"] == "confirm"
    [plan] = run.said("plan")
    assert plan["destructive"] and f"{app} (" in plan["text"] and "will be replaced" in plan["text"]


def test_a_drill_and_a_verification_leave_nothing(worker, app):
    make(app)
    worker.backup()
    digest = hashlib.sha256(app.read_bytes()).hexdigest()
    worker.run("drill").good()
    worker.run("verify").good()
    [backup] = worker.backups()
    assert backup["verified_ms"] > 0 and backup["drilled_ms"] > 0 and backup["bad_ms"] == 0
    assert hashlib.sha256(app.read_bytes()).hexdigest() == digest
    assert not list((worker.state / "backup").glob("sqlite-*"))


def test_the_plain_file_opens_with_sqlite3(worker, app, tmp_path):
    make(app)
    worker.backup()
    plain = worker.restored()
    path = tmp_path / "plain.db"
    path.write_bytes(plain)
    out = subprocess.run(["sqlite3", str(path), "pragma integrity_check; select count(*) from accounts"],
                         check=True, capture_output=True, text=True).stdout
    assert out.split() == ["ok", "2000"]

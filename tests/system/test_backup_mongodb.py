# SPDX-License-Identifier: Apache-2.0
"""Backups of MongoDB, with stand-ins for its tools (harness/mongodb.py)."""

import json
import os
import signal
import subprocess
from pathlib import Path

import pytest

from harness import mongo_archive
from harness.agent import BINARY
from harness.mongo_archive import document
from harness.mongodb import Mongodb
from harness.tools import find_below
from harness.wait import until
from harness.worker import Worker


@pytest.fixture
def mongo(tmp_path):
    server = Mongodb(tmp_path / "mongo")
    server.put("shop", "orders", [document(_id=i, text="ü" * (i % 50)) for i in range(500)])
    server.put("shop", "empty", [])
    server.put("blog", "posts", [document(_id=1, title="hello")])
    return server


@pytest.fixture
def worker(mongo, tmp_path):
    return Worker(tmp_path, {"database": ["shop"], "compression": "none", **mongo.job(tmp_path)}, environment=mongo.environment())


def change(mongo):
    mongo.put("shop", "orders", [document(_id=1, text="changed")])
    return mongo.all()


def test_the_engine_is_one_that_the_configuration_knows(tmp_path):
    config = tmp_path / "agent.conf"
    config.write_text('databases: { shop = { engine = "mongodb"; host = "127.0.0.1"; user = "backup"; auth_database = "admin"; }; };\n')
    r = subprocess.run([BINARY, "config", "check", "--config", str(config)], stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                       text=True, check=False)
    assert r.returncode == 0, r.stdout


# --- what comes back

def test_a_database_comes_back(mongo, worker):
    before = mongo.all()
    result = worker.backup()
    assert (result["counts"]["collections"], result["counts"]["documents"]) == (2, 500)
    [name] = worker.manifests()
    assert json.loads((Path(worker.stores[0]["path"]) / name).read_text())["tool_version"] == "mongodump 100.9.4"
    mongo.drop("shop")
    worker.restore().good()
    assert mongo.all() == before


def test_the_dump_is_an_archive_as_mongorestore_takes_it(mongo, worker):
    worker.backup()
    found = mongo_archive.read(worker.restored())
    assert {f"{db}.{name}": b"".join(documents) for (db, name), documents in found.items()} == {
        k: v for k, v in mongo.all().items() if k.startswith("shop.")}


def test_only_the_database_that_is_named_is_replaced(mongo, worker):
    worker.backup()
    mongo.put("blog", "posts", [])
    before = mongo.all()
    change(mongo)
    worker.restore().good()
    assert mongo.all() == before


def test_the_whole_server_with_its_oplog_is_of_one_moment(mongo, worker):
    everything = {"database": [], "arguments": ["--oplog"]}
    before = mongo.all()
    assert worker.backup(everything)["counts"]["collections"] == 3
    mongo.drop("shop")
    mongo.drop("blog")
    worker.restore({"database": []}).good()  # whatever the job says by then
    assert mongo.all() == before
    assert "--oplogReplay" in mongo.calls()[-1]


def test_into_another_name_the_old_one_stays(mongo, worker):
    before = mongo.all()
    worker.backup()
    after = change(mongo)
    worker.restore(into="shop2").good()
    assert mongo.all() == {**after, "shop2.orders": before["shop.orders"], "shop2.empty": b""}


def test_several_databases_do_not_go_into_one(mongo, worker):
    both = {"database": ["shop", "blog"]}
    worker.backup(both)
    worker.restore(both, into="one").bad("name the member")
    worker.backup({"database": []})
    worker.restore({"database": []}, into="one").bad("whole server")


def test_a_restore_is_confirmed_first(mongo, worker):
    worker.backup()
    after = change(mongo)
    run = worker.run("restore", restore={})
    assert run.bad()["code"] == "confirm"
    assert "database shop" in run.said("plan")[0]["text"]
    assert mongo.all() == after


# --- what must fail

def test_row_32_the_password_is_in_no_argument_and_no_environment(mongo, worker):
    worker.backup()
    run = worker.restore()
    run.good()
    assert {c.split()[0] for c in mongo.calls()} == {"mongodump", "mongorestore"}
    said = "\n".join(mongo.calls()) + json.dumps(run.lines, ensure_ascii=False)
    assert mongo.password not in said and "AGENT_MONGO" not in said


def test_a_wrong_password_is_a_failure_and_says_where_to_look(mongo, worker, tmp_path):
    result = worker.run("backup", mongo.job(tmp_path, "wrong-and-secret")).bad("Authentication failed")
    assert result["error"].startswith("mongodump: ")
    assert "password_file" in result["error"]
    assert "wrong-and-secret" not in json.dumps(result)
    worker.nothing_left()


def test_a_server_that_is_not_there_is_a_failure(mongo, worker):
    assert "is the server running?" in worker.run("backup", {"port": 1}).bad("server selection")["error"]
    worker.nothing_left()


def test_a_tool_that_is_missing_is_named(mongo, worker):
    (mongo.bin / "mongodump").unlink()
    worker.run("backup").bad("mongodump is not there")
    worker.nothing_left()


def test_row_06_a_database_that_is_not_there_is_a_failure(mongo, worker):
    """mongodump writes an archive without anything in it, and is content."""
    worker.run("backup", {"database": ["shopp"]}).bad("no collection in it")
    worker.nothing_left()


def test_row_01_a_bad_status_after_a_whole_dump_is_a_failure(mongo, worker):
    mongo.fault("late")
    worker.run("backup").bad("cursor killed")
    worker.nothing_left()


def test_row_05_a_dump_that_ends_early_with_status_0_is_a_failure(mongo, worker):
    mongo.fault("cut")
    worker.run("backup").bad("shop")
    worker.nothing_left()


def half_a_dump(mongo, worker, how):
    mongo.fault(how)
    run = worker.begin("backup")
    until(lambda: (mongo.folder / "half").exists(), 20, "the middle of the dump")
    return run


def test_row_01_a_dump_that_is_killed_in_the_middle_is_a_failure(mongo, worker):
    run = half_a_dump(mongo, worker, "half")
    os.kill(find_below(run.process.pid, "python3"), signal.SIGKILL)
    run.wait().bad("signal")
    worker.nothing_left()


def test_a_dump_that_does_not_hear_term_is_killed(mongo, worker):
    """mongodump says that it attempts to shut down, and stays."""
    run = half_a_dump(mongo, worker, "deaf")
    dump = find_below(run.process.pid, "python3")
    assert run.stop().bad()["code"] == "cancelled"
    assert not Path(f"/proc/{dump}").exists()
    worker.nothing_left()


# --- broken in the middle

def test_row_30_documents_that_were_refused_are_a_failure(mongo, worker):
    """The exit status of mongorestore says nothing about them."""
    worker.backup()
    mongo.fault("refuse")
    result = worker.restore().bad("2 documents did not go in")
    assert result["partial"] is True


def test_row_30_a_restore_that_breaks_off_is_called_partial(mongo, worker):
    worker.backup()
    mongo.fault("broken")
    result = worker.restore().bad("socket was unexpectedly closed")
    assert result["partial"] is True
    assert "partial: some collections of shop" in result["error"]


def test_row_30_a_damaged_backup_touches_nothing(mongo, worker):
    worker.backup()
    after = change(mongo)
    [data] = [f for f in worker.files() if f.endswith(".archive")]
    path = Path(worker.stores[0]["path"]) / data
    stored = bytearray(path.read_bytes())
    stored[len(stored) // 2] ^= 1
    path.write_bytes(stored)
    run = worker.restore()
    run.bad()
    assert "restore" not in run.stages()
    assert mongo.all() == after


def test_verify_reads_it_back(worker):
    worker.backup()
    worker.run("verify").good()

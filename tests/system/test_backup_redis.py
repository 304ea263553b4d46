# SPDX-License-Identifier: Apache-2.0
"""Backups of a real Redis server: what comes back, what stays, and what must fail."""

import subprocess

import pytest

from harness.wait import until
from harness.worker import Worker


@pytest.fixture
def worker(redis, tmp_path):
    return Worker(tmp_path, redis.job(tmp_path))


# --- what comes back

def test_all_kinds_of_keys_come_back_and_stay_after_a_restart(redis, worker):
    before = redis.fill(5000)
    assert len({key for _, key in before}) == len(before) > 5000
    run = worker.run("backup")
    counts = run.good()["counts"]
    assert counts["lasting keys"] == len(before) - 3
    assert counts["keys"] == {"about": len(before)}
    assert counts["libraries"] == 1
    assert run.warnings() == []
    redis.many([("FLUSHALL",), ("FUNCTION", "FLUSH"), ("SET", "newer", "gone after the restore")])
    run = worker.restore()
    run.good()
    assert run.warnings() == []
    assert redis.dump() == before
    assert redis.ask("FCALL", "f", 0) == 7
    assert redis.ask("XPENDING", "stream", "readers")[0] == 1
    redis.assert_as_before()
    redis.restart()
    assert redis.dump() == before


def test_times_to_live_go_on(redis, worker):
    redis.ask("SET", "soon", "x", "EX", 100000)
    at = redis.ask("PEXPIRETIME", "soon")
    worker.backup()
    redis.ask("FLUSHALL")
    worker.restore().good()
    assert redis.ask("PEXPIRETIME", "soon") == at


def test_a_key_that_has_expired_meanwhile_does_not_come_back(redis, worker):
    redis.many([("SET", "a", 1), ("SET", "short", "x", "PX", 60000)])
    worker.backup()
    redis.ask("PEXPIRE", "short", 1)
    redis.ask("FLUSHALL")
    worker.restore().good()
    assert set(redis.dump()) == {(0, b"a"), (0, b"short")}  # its own time has not come yet


# The dump has the replication id and offset of its server: "go on where you were" would send nothing.
def test_a_server_that_has_not_written_since_gets_the_data_too(redis, worker):
    before = redis.fill()
    worker.backup()
    worker.backup()
    worker.restore().good()
    assert redis.dump() == before
    assert redis.info()["sync_partial_ok"] == "0"
    assert redis.info()["rdb_last_load_keys_loaded"] == str(len(before))


@pytest.mark.parametrize("settings", [
    {"appendonly": "yes"}, {"appendonly": "yes", "save": ""}, {"repl-diskless-load": "swapdb"}], ids=["both", "aof", "snapshot"])
def test_the_servers_files_hold_what_was_restored(make_redis, tmp_path, settings):
    redis = make_redis(**settings)
    worker = Worker(tmp_path, redis.job(tmp_path))
    before = redis.fill(100)
    worker.backup()
    redis.many([("FLUSHALL",), ("SET", "newer", 1)])
    worker.restore().good()
    assert redis.info()["aof_enabled"] == ("1" if "appendonly" in settings else "0")
    redis.restart()
    assert redis.dump() == before


def test_a_server_that_keeps_nothing_is_told(make_redis, tmp_path):
    redis = make_redis(save="")
    worker = Worker(tmp_path, redis.job(tmp_path))
    before = redis.fill()
    worker.backup()
    redis.ask("FLUSHALL")
    run = worker.restore()
    run.good()
    assert redis.dump() == before
    assert any("nothing on disk" in text for text in run.warnings())


def test_a_copy_from_the_servers_disk_has_no_mark(make_redis, tmp_path):
    redis = make_redis(**{"repl-diskless-sync": "no"})
    worker = Worker(tmp_path, redis.job(tmp_path))
    before = redis.fill(100)
    worker.backup()
    redis.ask("FLUSHALL")
    worker.restore().good()
    assert redis.dump() == before


def test_through_a_socket_without_a_password(make_redis, tmp_path):
    redis = make_redis(password=None)
    worker = Worker(tmp_path, {"engine": "redis", "socket": redis.socket})
    before = redis.fill()
    worker.backup()
    redis.ask("FLUSHALL")
    worker.restore().good()
    assert redis.dump() == before
    redis.assert_as_before()


def test_the_file_is_what_redis_itself_reads(redis, worker, tmp_path):
    redis.fill(100)
    worker.backup()
    path = tmp_path / "dump.rdb"
    worker.run("restore", restore={"to": str(path), "yes": True}).good()
    r = subprocess.run(["redis-check-rdb", str(path)], stdout=subprocess.PIPE, check=False, text=True)
    assert r.returncode == 0, r.stdout
    assert "\\o/ RDB looks OK! \\o/" in r.stdout


def test_a_dump_while_it_is_written_to(redis, worker):
    """One moment: of two keys that are always set together both are there, and the same."""
    script = ("local n = redis.call('INCR', 'n') redis.call('SET', 'a:' .. n % 5000, n)"
              " redis.call('SET', 'b:' .. n % 5000, n) return n")
    redis.many([("EVAL", script, 0) for _ in range(5000)])
    run = worker.begin("backup")
    while run.process.poll() is None:
        redis.many([("EVAL", script, 0) for _ in range(100)])
    run.wait().good()
    redis.ask("FLUSHALL")
    worker.restore().good()
    values = redis.many([c for i in range(5000) for c in (("GET", f"a:{i}"), ("GET", f"b:{i}"))])
    assert values[::2] == values[1::2]
    newest = int(redis.ask("GET", "n"))
    assert max(int(v) for v in values) == newest


def test_programs_of_valkey_do_it_too(redis, worker, tmp_path):
    folder = tmp_path / "valkey"
    folder.mkdir()
    for name in ("cli", "server"):
        (folder / f"valkey-{name}").symlink_to(f"/usr/bin/redis-{name}")
    worker.environment = {"PATH": str(folder)}
    before = redis.fill()
    worker.backup()
    assert worker.manifest()["tool_version"].startswith("valkey-cli ")
    worker.run("drill").good()
    redis.ask("FLUSHALL")
    worker.restore().good()
    assert redis.dump() == before


# --- users

def test_a_user_with_only_the_rights_it_needs(redis, tmp_path):
    redis.many([("ACL", "SETUSER", "backup", "reset", "on", ">hush-hush", "+info", "+psync", "+sync", "+replconf", "+ping")])
    worker = Worker(tmp_path, redis.job(tmp_path, "backup", "hush-hush"))
    before = redis.fill()
    assert worker.run("backup").good()["counts"]["lasting keys"] == len(before) - 3
    redis.ask("FLUSHALL")
    run = worker.restore()
    assert "ACL SETUSER" in run.bad("NOPERM")["error"]
    redis.assert_as_before()
    redis.ask("ACL", "SETUSER", "backup", "+config", "+replicaof", "+bgsave")
    worker.restore().good()
    assert redis.dump() == before
    redis.ask("ACL", "DELUSER", "backup")


@pytest.mark.parametrize("user, password", [(None, "wrong-password"), ("nobody-there", "secret-of-redis")])
def test_a_wrong_password_is_a_failure(redis, tmp_path, user, password):
    redis.fill()
    worker = Worker(tmp_path, redis.job(tmp_path, user, password))
    assert "password_file" in worker.run("backup").bad()["error"]
    worker.nothing_left()


def test_a_password_that_is_missing_is_a_failure(redis, tmp_path):
    worker = Worker(tmp_path, {"engine": "redis", "port": redis.port})
    assert "password_file" in worker.run("backup").bad("NOAUTH")["error"]
    worker.nothing_left()


def test_a_server_that_is_not_there_is_a_failure(redis, tmp_path):
    worker = Worker(tmp_path, {**redis.job(tmp_path), "port": 1})
    assert "is the server running" in worker.run("backup").bad("Could not connect")["error"]


def test_row_32_no_argument_and_no_environment_of_ours_has_the_password(redis, worker, tools, tmp_path):
    log = tmp_path / "log"
    tools.write_down(log, "redis-cli", "redis-server")
    before = redis.fill()
    run = worker.run("backup")
    run.good()
    redis.ask("FLUSHALL")
    again = worker.restore()
    again.good()
    assert redis.dump() == before
    text = log.read_text()
    assert "--rdb" in text and "--dbfilename" in text
    for said in (text, run.report.read_text(), again.report.read_text(), run.stderr.read_text()):
        assert redis.password not in said
        assert "agent-restore-" not in said


# --- what must fail

def test_row_06_an_empty_server_is_told(redis, worker):
    assert any("no key" in text for text in worker.run("backup").warnings())


def test_row_01_a_dump_that_is_cut_is_a_failure(redis, worker, tools):
    redis.fill(1000)
    for status in (0, 1):
        tools.add("redis-cli", f'case "$*" in *--rdb*) "$REAL" "$@" | head -c 9000; exit {status};; *) exec "$REAL" "$@";; esac')
        worker.run("backup").bad()
        worker.nothing_left()


@pytest.mark.parametrize("how", ["stop", "kill"])
def test_row_11_a_worker_ended_in_the_middle_leaves_nothing(redis, worker, how):
    redis.more(100000)
    run = worker.begin("backup", {"bandwidth": 100000, "compression": "none"})
    run.wait_stage("dump")
    until(lambda: run.said("progress") or run.process.poll() is not None, 20, "bytes", step=0.01)
    getattr(run, how)()
    assert worker.manifests() == []
    if how == "stop":
        run.bad()
    worker.run("sweep")
    worker.nothing_left()
    until(lambda: redis.info()["connected_slaves"] == "0", 20, "the end of redis-cli")

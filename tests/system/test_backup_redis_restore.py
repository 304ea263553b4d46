# SPDX-License-Identifier: Apache-2.0
"""Restores into a real Redis server: what is refused before anything is touched, replicas, modules, settings. Drills."""

import hashlib
import signal
import subprocess
from pathlib import Path

import pytest

from harness import proc, unprivileged
from harness.tools import Tools
from harness.wait import until
from harness.worker import Worker


@pytest.fixture
def worker(redis, tmp_path):
    return Worker(tmp_path, redis.job(tmp_path))


def throw_away_servers(run):
    """Those that it has started and that still run."""
    return [words for pid in proc.in_session(run.process.pid) if (words := proc.cmdline(pid)) and "redis-server" in words[0]]


def rewrite(worker, change):
    """The dump in the store and its manifest, changed as if they had always been so; a worker that has not seen them."""
    [name] = [f for f in worker.files() if f.endswith(".rdb")]
    path, manifest_path = Path(worker.stores[0]["path"]) / name, worker.manifest_path()
    data = path.read_bytes()
    text = manifest_path.read_text().replace(hashlib.sha256(data).hexdigest(), hashlib.sha256(change(data)).hexdigest())
    path.write_bytes(change(data))
    manifest_path.write_text(text)
    return Worker(worker.folder / "fresh", worker.job, worker.stores)


def test_a_backup_of_a_newer_version_is_refused_before_anything_is_touched(redis, worker):
    before = redis.fill()
    worker.backup({"compression": "none"})
    # As a newer server writes it: another number of the version, and the sum is switched off.
    fresh = rewrite(worker, lambda data: data[:5] + b"0099" + data[9:-8] + bytes(8))
    assert "newer version" in fresh.restore().bad()["error"]
    assert redis.dump() == before
    redis.assert_as_before()


def test_a_dump_that_the_server_cannot_load_is_refused_before_anything_is_touched(redis, worker):
    before = redis.fill()
    worker.backup({"compression": "none"})
    at = lambda data: data.index(b"hello")
    fresh = rewrite(worker, lambda data: data[:at(data) - 1] + b"\xf1" + data[at(data):-8] + bytes(8))
    assert "did not load it" in fresh.restore().bad()["error"]
    assert redis.dump() == before
    redis.assert_as_before()


def test_more_databases_than_the_server_has_are_refused(redis, worker, make_redis, tmp_path):
    redis.fill()
    worker.backup()
    small = make_redis(databases="4")
    small.ask("SET", "mine", 1)
    run = worker.restore(small.job(tmp_path))
    assert "databases" in run.bad()["error"]
    assert set(small.dump()) == {(0, b"mine")}


def test_a_replica_is_not_restored(redis, worker, make_redis, tmp_path):
    redis.fill()
    worker.backup()
    replica = make_redis(masterauth=redis.password, replicaof=f"127.0.0.1 {redis.port}")
    until(lambda: replica.info()["master_link_status"] == "up", 20, "the replica")
    assert "master" in worker.restore(replica.job(tmp_path)).bad("replica")["error"]
    other = Worker(tmp_path / "of-replica", replica.job(tmp_path))
    assert other.run("backup").good()["counts"]["lasting keys"] > 0  # but backed up


def test_replicas_of_a_server_follow_what_is_restored(redis, worker, make_redis):
    before = redis.fill()
    worker.backup()
    replica = make_redis(masterauth=redis.password, replicaof=f"127.0.0.1 {redis.port}")
    until(lambda: replica.info()["master_link_status"] == "up", 20, "the replica")
    redis.many([("FLUSHALL",), ("SET", "newer", 1)])
    worker.restore().good()
    until(lambda: replica.dump() == before, 20, "the replica's data")


# Without its header: a module is given a function that finds the others.
MODULE = """
typedef int (*get_api)(const char *, void *);
int RedisModule_OnLoad(void **ctx, void **argv, int argc)
{
	void (*name)(void *, const char *, int, int);
	((get_api)ctx[0])("RedisModule_SetModuleAttribs", &name);
	name(ctx, "shelf", 1, 1);
	return argc == 2 ? 0 : 1;
}
"""


def test_modules_of_the_server_are_there_when_its_dump_is_loaded(make_redis, tmp_path):
    source, module = tmp_path / "shelf.c", tmp_path / "shelf.so"
    source.write_text(MODULE)
    subprocess.run(["gcc", "-w", "-shared", "-fPIC", "-o", str(module), str(source)], check=True)
    unprivileged.give(tmp_path)
    redis = make_redis(loadmodule=f"{module} one two")
    worker = Worker(tmp_path, redis.job(tmp_path))
    before = redis.fill()
    worker.backup()
    log, tools = tmp_path / "log", Tools(tmp_path / "tools")
    tools.write_down(log, "redis-server")
    worker.environment = tools.environment()
    redis.ask("FLUSHALL")
    worker.restore().good()
    assert f"--loadmodule\n{module}\none\ntwo\n" in log.read_text()
    assert redis.dump() == before


def test_the_settings_of_the_server_stay(make_redis, tmp_path):
    redis = make_redis(masteruser="somebody")
    redis.ask("CONFIG", "SET", "masterauth", 'of "its" own\\')
    worker = Worker(tmp_path, redis.job(tmp_path))
    before = redis.fill()
    worker.backup()
    redis.ask("FLUSHALL")
    worker.restore().good()
    assert redis.dump() == before
    assert redis.ask("CONFIG", "GET", "masterauth")[1] == b'of "its" own\\'
    assert redis.ask("CONFIG", "GET", "masteruser")[1] == b"somebody"


def test_a_restore_killed_in_the_middle_is_put_right_by_the_next_run(redis, worker, tools, tmp_path):
    before = redis.fill(1000)
    worker.backup()
    mark = tmp_path / "follows"
    # Ends the worker for good when it tells the server to follow.
    tools.add("redis-cli", f"""case "$*" in *"REPLICAOF 127.0.0.1 6"*) : >{mark}; kill -9 $(awk '/^PPid/ {{print $2}}' /proc/$$/status);; esac
exec "$REAL" "$@" """)
    run = worker.begin("restore", restore={"yes": True})
    assert run.process.wait(30) == -signal.SIGKILL
    assert mark.exists()
    assert redis.ask("CONFIG", "GET", "masterauth")[1].startswith(b"agent-restore-")
    until(lambda: not throw_away_servers(run), 20, "the end of the throw-away server")
    redis.ask("REPLICAOF", "127.0.0.1", "61000")  # the last thing that worker may have done
    until(lambda: redis.info()["master_link_status"] == "down", 20, "the replica of nothing")
    worker.environment = None
    run = worker.run("backup")
    run.good()
    assert any("a restore that was killed" in text for text in run.warnings())
    redis.assert_as_before()
    assert redis.dump() == before


# --- drill and verify

def test_a_drill_counts_what_a_restore_gives(redis, worker):
    redis.fill(100)
    worker.backup()
    redis.ask("FLUSHALL")
    run = worker.run("drill")
    run.good()
    assert redis.dump() == {}
    assert throw_away_servers(run) == []
    worker.run("verify").good()


def test_row_05_a_drill_finds_keys_missing(redis, worker):
    redis.fill(100)
    worker.backup()
    keys = worker.manifest()["members"][0]["counts"]["lasting keys"]
    worker.change_manifest(lambda m: m["members"][0]["counts"].update({"lasting keys": keys + 1}))
    run = worker.run("drill")
    assert "lasting keys" in run.bad()["error"]
    assert throw_away_servers(run) == []

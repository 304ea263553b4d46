# SPDX-License-Identifier: Apache-2.0
"""Backups of a real Redis server: what comes back, what stays, and what must fail."""

import hashlib
import json
import os
import signal
import subprocess
from pathlib import Path

import pytest

from harness import unprivileged
from harness.wait import until
from harness.worker import Worker

@pytest.fixture
def worker(redis, tmp_path):
    return Worker(tmp_path, redis.job(tmp_path))


def as_before(redis):
    """A master with its own settings."""
    info = redis.info()
    assert (info["role"], info["connected_slaves"]) == ("master", "0")
    assert redis.ask("CONFIG", "GET", "masterauth") == [b"masterauth", b""]


def throw_away_servers():
    """Processes of redis-server that load their stdin."""
    found = []
    for path in Path("/proc").glob("[0-9]*/cmdline"):
        try:
            words = path.read_bytes().split(b"\0")
        except OSError:
            continue
        if b"--dbfilename" in words or b"redis-server 127.0.0.1:6" in words[0]:
            found.append(words)
    return found


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
    as_before(redis)
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
    as_before(redis)


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


# --- users

def test_a_user_with_only_the_rights_it_needs(redis, tmp_path):
    redis.many([("ACL", "SETUSER", "backup", "reset", "on", ">hush-hush", "+info", "+psync", "+sync", "+replconf", "+ping")])
    worker = Worker(tmp_path, redis.job(tmp_path, "backup", "hush-hush"))
    before = redis.fill()
    assert worker.run("backup").good()["counts"]["lasting keys"] == len(before) - 3
    redis.ask("FLUSHALL")
    run = worker.restore()
    assert "ACL SETUSER" in run.bad("NOPERM")["error"]
    as_before(redis)
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


def test_row_32_no_argument_and_no_environment_of_ours_has_the_password(redis, worker, tmp_path):
    """A program in front of redis-cli and redis-server writes down what it is given."""
    folder, log = tmp_path / "tools", tmp_path / "log"
    folder.mkdir()
    for name in ("redis-cli", "redis-server"):
        tool = folder / name
        tool.write_text(f'#!/bin/sh\nprintf "%s\\n" "$0 $*" >>{log}\nexec /usr/bin/{name} "$@"\n')
        tool.chmod(0o755)
    worker.environment = {"PATH": f"{folder}:{os.environ['PATH']}"}
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


def test_row_01_a_dump_that_is_cut_is_a_failure(redis, worker, tmp_path):
    redis.fill(1000)
    tool = tmp_path / "redis-cli"
    for end in ("exit 0", "exit 1"):
        tool.write_text(f"""#!/bin/sh
case "$*" in *--rdb*) /usr/bin/redis-cli "$@" | head -c 9000; {end};; *) exec /usr/bin/redis-cli "$@";; esac\n""")
        tool.chmod(0o755)
        worker.environment = {"PATH": f"{tmp_path}:{os.environ['PATH']}"}
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


def rewrite(worker, change):
    """The dump in the store and its manifest, changed as if they had always been so; a worker that has not seen them."""
    [name] = [f for f in worker.files() if f.endswith(".rdb")]
    path, manifest_path = (Path(worker.stores[0]["path"]) / n for n in (name, worker.manifests()[0]))
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
    as_before(redis)


def test_a_dump_that_the_server_cannot_load_is_refused_before_anything_is_touched(redis, worker):
    before = redis.fill()
    worker.backup({"compression": "none"})
    at = lambda data: data.index(b"hello")
    fresh = rewrite(worker, lambda data: data[:at(data) - 1] + b"\xf1" + data[at(data):-8] + bytes(8))
    assert "did not load it" in fresh.restore().bad()["error"]
    assert redis.dump() == before
    as_before(redis)


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
    log, tool = tmp_path / "log", tmp_path / "redis-server"
    tool.write_text(f'#!/bin/sh\necho "$*" >>{log}\nexec /usr/bin/redis-server "$@"\n')
    tool.chmod(0o755)
    worker.environment = {"PATH": f"{tmp_path}:{os.environ['PATH']}"}
    redis.ask("FLUSHALL")
    worker.restore().good()
    assert f"--loadmodule {module} one two" in log.read_text()
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


def test_a_restore_killed_in_the_middle_is_put_right_by_the_next_run(redis, worker, tmp_path):
    before = redis.fill(1000)
    worker.backup()
    mark, tool = tmp_path / "follows", tmp_path / "redis-cli"
    # Ends the worker for good when it tells the server to follow.
    tool.write_text(f"""#!/bin/sh
case "$*" in *"REPLICAOF 127.0.0.1 6"*) : >{mark}; kill -9 $(awk '/^PPid/ {{print $2}}' /proc/$$/status);; esac
exec /usr/bin/redis-cli "$@"
""")
    tool.chmod(0o755)
    worker.environment = {"PATH": f"{tmp_path}:{os.environ['PATH']}"}
    run = worker.begin("restore", restore={"yes": True})
    assert run.process.wait(30) == -signal.SIGKILL
    assert mark.exists()
    assert redis.ask("CONFIG", "GET", "masterauth")[1].startswith(b"agent-restore-")
    until(lambda: not throw_away_servers(), 20, "the end of the throw-away server")
    redis.ask("REPLICAOF", "127.0.0.1", "61000")  # the last thing that worker may have done
    until(lambda: redis.info()["master_link_status"] == "down", 20, "the replica of nothing")
    worker.environment = None
    run = worker.run("backup")
    run.good()
    assert any("a restore that was killed" in text for text in run.warnings())
    as_before(redis)
    assert redis.dump() == before


# --- drill and verify

def test_a_drill_counts_what_a_restore_gives(redis, worker):
    redis.fill(100)
    worker.backup()
    redis.ask("FLUSHALL")
    worker.run("drill").good()
    assert redis.dump() == {}
    assert throw_away_servers() == []
    worker.run("verify").good()


def test_row_05_a_drill_finds_keys_missing(redis, worker):
    redis.fill(100)
    worker.backup()
    [name] = worker.manifests()
    file = Path(worker.stores[0]["path"]) / name
    counts = json.loads(file.read_text())
    for member in counts["members"]:
        member["counts"]["lasting keys"] += 1
    file.write_text(json.dumps(counts))
    assert "lasting keys" in worker.run("drill").bad()["error"]
    assert throw_away_servers() == []

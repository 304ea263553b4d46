# SPDX-License-Identifier: Apache-2.0
"""Backups of a real Redis server: what comes back, what stays, and what must fail."""

import hashlib
import json
import os
import signal
import subprocess
from pathlib import Path

import pytest

from harness import redis
from harness.wait import until
from harness.worker import Worker

pytestmark = pytest.mark.skipif(redis.missing() is not None, reason=f"no {redis.missing()}")


@pytest.fixture(scope="module")
def module_server(tmp_path_factory):
    with redis.Redis(tmp_path_factory.mktemp("redis")) as server:
        yield server


@pytest.fixture
def server(module_server):
    """Empty."""
    module_server.many([("FLUSHALL",), ("FUNCTION", "FLUSH")])
    yield module_server


@pytest.fixture
def make_server(tmp_path):
    made = []

    def make(name="other", **settings):
        made.append(redis.Redis(tmp_path / name, **settings).start())
        return made[-1]

    yield make
    for one in made:
        one.stop()


def connection(server, folder, user=None, password=None):
    """Options of a job."""
    job = {"engine": "redis", "host": "127.0.0.1", "port": server.port}
    if password or server.password:
        secret = folder / f"password-{server.port}"
        secret.write_text(f"{password or server.password}\n")
        secret.chmod(0o600)
        job["password_file"] = str(secret)
    return {**job, **({"user": user} if user else {})}


@pytest.fixture
def worker(server, tmp_path):
    return Worker(tmp_path, connection(server, tmp_path))


def manifest(worker):
    [name] = worker.manifests()
    return json.loads((Path(worker.stores[0]["path"]) / name).read_text())


def nothing_left(worker):
    assert worker.files() == []
    assert worker.journals() == []


def as_before(server):
    """A master with its own settings."""
    info = server.info()
    assert (info["role"], info["connected_slaves"]) == ("master", "0")
    assert server.ask("CONFIG", "GET", "masterauth") == [b"masterauth", b""]


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

def test_all_kinds_of_keys_come_back_and_stay_after_a_restart(server, worker):
    before = server.fill(5000)
    assert len({key for _, key in before}) == len(before) > 5000
    run = worker.run("backup")
    counts = run.good()["counts"]
    assert counts["lasting keys"] == len(before) - 3
    assert counts["keys"] == {"about": len(before)}
    assert counts["libraries"] == 1
    assert run.warnings() == []
    server.many([("FLUSHALL",), ("FUNCTION", "FLUSH"), ("SET", "newer", "gone after the restore")])
    run = worker.restore()
    run.good()
    assert run.warnings() == []
    assert server.dump() == before
    assert server.ask("FCALL", "f", 0) == 7
    assert server.ask("XPENDING", "stream", "readers")[0] == 1
    as_before(server)
    server.restart()
    assert server.dump() == before


def test_times_to_live_go_on(server, worker):
    server.ask("SET", "soon", "x", "EX", 100000)
    at = server.ask("PEXPIRETIME", "soon")
    worker.backup()
    server.ask("FLUSHALL")
    worker.restore().good()
    assert server.ask("PEXPIRETIME", "soon") == at


def test_a_key_that_has_expired_meanwhile_does_not_come_back(server, worker):
    server.many([("SET", "a", 1), ("SET", "short", "x", "PX", 60000)])
    worker.backup()
    server.ask("PEXPIRE", "short", 1)
    server.ask("FLUSHALL")
    worker.restore().good()
    assert set(server.dump()) == {(0, b"a"), (0, b"short")}  # its own time has not come yet


# The dump has the replication id and offset of its server: "go on where you were" would send nothing.
def test_a_server_that_has_not_written_since_gets_the_data_too(server, worker):
    before = server.fill()
    worker.backup()
    worker.backup()
    worker.restore().good()
    assert server.dump() == before
    assert server.info()["sync_partial_ok"] == "0"
    assert server.info()["rdb_last_load_keys_loaded"] == str(len(before))


@pytest.mark.parametrize("settings", [
    {"appendonly": "yes"}, {"appendonly": "yes", "save": ""}, {"repl-diskless-load": "swapdb"}], ids=["both", "aof", "snapshot"])
def test_the_servers_files_hold_what_was_restored(make_server, tmp_path, settings):
    server = make_server(**settings)
    worker = Worker(tmp_path, connection(server, tmp_path))
    before = server.fill(100)
    worker.backup()
    server.many([("FLUSHALL",), ("SET", "newer", 1)])
    worker.restore().good()
    assert server.info()["aof_enabled"] == ("1" if "appendonly" in settings else "0")
    server.restart()
    assert server.dump() == before


def test_a_server_that_keeps_nothing_is_told(make_server, tmp_path):
    server = make_server(save="")
    worker = Worker(tmp_path, connection(server, tmp_path))
    before = server.fill()
    worker.backup()
    server.ask("FLUSHALL")
    run = worker.restore()
    run.good()
    assert server.dump() == before
    assert any("nothing on disk" in text for text in run.warnings())


def test_a_copy_from_the_servers_disk_has_no_mark(make_server, tmp_path):
    server = make_server(**{"repl-diskless-sync": "no"})
    worker = Worker(tmp_path, connection(server, tmp_path))
    before = server.fill(100)
    worker.backup()
    server.ask("FLUSHALL")
    worker.restore().good()
    assert server.dump() == before


def test_through_a_socket_without_a_password(make_server, tmp_path):
    server = make_server(password=None)
    worker = Worker(tmp_path, {"engine": "redis", "socket": server.socket})
    before = server.fill()
    worker.backup()
    server.ask("FLUSHALL")
    worker.restore().good()
    assert server.dump() == before
    as_before(server)


def test_the_file_is_what_redis_itself_reads(server, worker, tmp_path):
    server.fill(100)
    worker.backup()
    path = tmp_path / "dump.rdb"
    worker.run("restore", restore={"to": str(path), "yes": True}).good()
    r = subprocess.run(["redis-check-rdb", str(path)], stdout=subprocess.PIPE, check=False, text=True)
    assert r.returncode == 0, r.stdout
    assert "\\o/ RDB looks OK! \\o/" in r.stdout


def test_a_dump_while_it_is_written_to(server, worker):
    """One moment: of two keys that are always set together both are there, and the same."""
    script = ("local n = redis.call('INCR', 'n') redis.call('SET', 'a:' .. n % 5000, n)"
              " redis.call('SET', 'b:' .. n % 5000, n) return n")
    server.many([("EVAL", script, 0) for _ in range(5000)])
    run = worker.begin("backup")
    while run.process.poll() is None:
        server.many([("EVAL", script, 0) for _ in range(100)])
    run.wait().good()
    server.ask("FLUSHALL")
    worker.restore().good()
    values = server.many([c for i in range(5000) for c in (("GET", f"a:{i}"), ("GET", f"b:{i}"))])
    assert values[::2] == values[1::2]
    newest = int(server.ask("GET", "n"))
    assert max(int(v) for v in values) == newest


# --- users

def test_a_user_with_only_the_rights_it_needs(server, tmp_path):
    server.many([("ACL", "SETUSER", "backup", "reset", "on", ">hush-hush", "+info", "+psync", "+sync", "+replconf", "+ping")])
    worker = Worker(tmp_path, connection(server, tmp_path, "backup", "hush-hush"))
    before = server.fill()
    assert worker.run("backup").good()["counts"]["lasting keys"] == len(before) - 3
    server.ask("FLUSHALL")
    run = worker.restore()
    assert "ACL SETUSER" in run.bad("NOPERM")["error"]
    as_before(server)
    server.ask("ACL", "SETUSER", "backup", "+config", "+replicaof", "+bgsave")
    worker.restore().good()
    assert server.dump() == before
    server.ask("ACL", "DELUSER", "backup")


@pytest.mark.parametrize("user, password", [(None, "wrong-password"), ("nobody-there", "secret-of-redis")])
def test_a_wrong_password_is_a_failure(server, tmp_path, user, password):
    server.fill()
    worker = Worker(tmp_path, connection(server, tmp_path, user, password))
    assert "password_file" in worker.run("backup").bad()["error"]
    nothing_left(worker)


def test_a_password_that_is_missing_is_a_failure(server, tmp_path):
    worker = Worker(tmp_path, {"engine": "redis", "port": server.port})
    assert "password_file" in worker.run("backup").bad("NOAUTH")["error"]
    nothing_left(worker)


def test_a_server_that_is_not_there_is_a_failure(server, tmp_path):
    worker = Worker(tmp_path, {**connection(server, tmp_path), "port": 1})
    assert "is the server running" in worker.run("backup").bad("Could not connect")["error"]


def test_row_32_no_argument_and_no_environment_of_ours_has_the_password(server, worker, tmp_path):
    """A program in front of redis-cli and redis-server writes down what it is given."""
    folder, log = tmp_path / "tools", tmp_path / "log"
    folder.mkdir()
    for name in ("redis-cli", "redis-server"):
        tool = folder / name
        tool.write_text(f'#!/bin/sh\nprintf "%s\\n" "$0 $*" >>{log}\nexec /usr/bin/{name} "$@"\n')
        tool.chmod(0o755)
    worker.environment = {"PATH": f"{folder}:{os.environ['PATH']}"}
    before = server.fill()
    run = worker.run("backup")
    run.good()
    server.ask("FLUSHALL")
    again = worker.restore()
    again.good()
    assert server.dump() == before
    text = log.read_text()
    assert "--rdb" in text and "--dbfilename" in text
    for said in (text, run.report.read_text(), again.report.read_text(), run.stderr.read_text()):
        assert server.password not in said
        assert "agent-restore-" not in said


# --- what must fail

def test_row_06_an_empty_server_is_told(server, worker):
    assert any("no key" in text for text in worker.run("backup").warnings())


def test_row_01_a_dump_that_is_cut_is_a_failure(server, worker, tmp_path):
    server.fill(1000)
    tool = tmp_path / "redis-cli"
    for end in ("exit 0", "exit 1"):
        tool.write_text(f"""#!/bin/sh
case "$*" in *--rdb*) /usr/bin/redis-cli "$@" | head -c 9000; {end};; *) exec /usr/bin/redis-cli "$@";; esac\n""")
        tool.chmod(0o755)
        worker.environment = {"PATH": f"{tmp_path}:{os.environ['PATH']}"}
        worker.run("backup").bad()
        nothing_left(worker)


@pytest.mark.parametrize("how", ["stop", "kill"])
def test_row_11_a_worker_ended_in_the_middle_leaves_nothing(server, worker, how):
    server.more(100000)
    run = worker.begin("backup", {"bandwidth": 100000, "compression": "none"})
    run.wait_stage("dump")
    until(lambda: run.said("progress") or run.process.poll() is not None, 20, "bytes", step=0.01)
    getattr(run, how)()
    assert worker.manifests() == []
    if how == "stop":
        run.bad()
    worker.run("sweep")
    nothing_left(worker)
    until(lambda: server.info()["connected_slaves"] == "0", 20, "the end of redis-cli")


def rewrite(worker, change):
    """The dump in the store and its manifest, changed as if they had always been so; a worker that has not seen them."""
    [name] = [f for f in worker.files() if f.endswith(".rdb")]
    path, manifest_path = (Path(worker.stores[0]["path"]) / n for n in (name, worker.manifests()[0]))
    data = path.read_bytes()
    text = manifest_path.read_text().replace(hashlib.sha256(data).hexdigest(), hashlib.sha256(change(data)).hexdigest())
    path.write_bytes(change(data))
    manifest_path.write_text(text)
    return Worker(worker.folder / "fresh", worker.job, worker.stores)


def test_a_backup_of_a_newer_version_is_refused_before_anything_is_touched(server, worker):
    before = server.fill()
    worker.backup({"compression": "none"})
    # As a newer server writes it: another number of the version, and the sum is switched off.
    fresh = rewrite(worker, lambda data: data[:5] + b"0099" + data[9:-8] + bytes(8))
    assert "newer version" in fresh.restore().bad()["error"]
    assert server.dump() == before
    as_before(server)


def test_a_dump_that_the_server_cannot_load_is_refused_before_anything_is_touched(server, worker):
    before = server.fill()
    worker.backup({"compression": "none"})
    at = lambda data: data.index(b"hello")
    fresh = rewrite(worker, lambda data: data[:at(data) - 1] + b"\xf1" + data[at(data):-8] + bytes(8))
    assert "did not load it" in fresh.restore().bad()["error"]
    assert server.dump() == before
    as_before(server)


def test_more_databases_than_the_server_has_are_refused(server, worker, make_server, tmp_path):
    server.fill()
    worker.backup()
    small = make_server(databases="4")
    small.ask("SET", "mine", 1)
    run = worker.restore(connection(small, tmp_path))
    assert "databases" in run.bad()["error"]
    assert set(small.dump()) == {(0, b"mine")}


def test_a_replica_is_not_restored(server, worker, make_server, tmp_path):
    server.fill()
    worker.backup()
    replica = make_server(masterauth=server.password, replicaof=f"127.0.0.1 {server.port}")
    until(lambda: replica.info()["master_link_status"] == "up", 20, "the replica")
    assert "master" in worker.restore(connection(replica, tmp_path)).bad("replica")["error"]
    other = Worker(tmp_path / "of-replica", connection(replica, tmp_path))
    assert other.run("backup").good()["counts"]["lasting keys"] > 0  # but backed up


def test_replicas_of_a_server_follow_what_is_restored(server, worker, make_server):
    before = server.fill()
    worker.backup()
    replica = make_server(masterauth=server.password, replicaof=f"127.0.0.1 {server.port}")
    until(lambda: replica.info()["master_link_status"] == "up", 20, "the replica")
    server.many([("FLUSHALL",), ("SET", "newer", 1)])
    worker.restore().good()
    until(lambda: replica.dump() == before, 20, "the replica's data")


def test_programs_of_valkey_do_it_too(server, worker, tmp_path):
    folder = tmp_path / "valkey"
    folder.mkdir()
    for name in ("cli", "server"):
        (folder / f"valkey-{name}").symlink_to(f"/usr/bin/redis-{name}")
    worker.environment = {"PATH": str(folder)}
    before = server.fill()
    worker.backup()
    assert manifest(worker)["tool_version"].startswith("valkey-cli ")
    worker.run("drill").good()
    server.ask("FLUSHALL")
    worker.restore().good()
    assert server.dump() == before


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


def test_modules_of_the_server_are_there_when_its_dump_is_loaded(make_server, tmp_path):
    source, module = tmp_path / "shelf.c", tmp_path / "shelf.so"
    source.write_text(MODULE)
    subprocess.run(["gcc", "-w", "-shared", "-fPIC", "-o", str(module), str(source)], check=True)
    server = make_server(loadmodule=f"{module} one two")
    worker = Worker(tmp_path, connection(server, tmp_path))
    before = server.fill()
    worker.backup()
    log, tool = tmp_path / "log", tmp_path / "redis-server"
    tool.write_text(f'#!/bin/sh\necho "$*" >>{log}\nexec /usr/bin/redis-server "$@"\n')
    tool.chmod(0o755)
    worker.environment = {"PATH": f"{tmp_path}:{os.environ['PATH']}"}
    server.ask("FLUSHALL")
    worker.restore().good()
    assert f"--loadmodule {module} one two" in log.read_text()
    assert server.dump() == before


def test_the_settings_of_the_server_stay(make_server, tmp_path):
    server = make_server(masteruser="somebody")
    server.ask("CONFIG", "SET", "masterauth", 'of "its" own\\')
    worker = Worker(tmp_path, connection(server, tmp_path))
    before = server.fill()
    worker.backup()
    server.ask("FLUSHALL")
    worker.restore().good()
    assert server.dump() == before
    assert server.ask("CONFIG", "GET", "masterauth")[1] == b'of "its" own\\'
    assert server.ask("CONFIG", "GET", "masteruser")[1] == b"somebody"


def test_a_restore_killed_in_the_middle_is_put_right_by_the_next_run(server, worker, tmp_path):
    before = server.fill(1000)
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
    assert server.ask("CONFIG", "GET", "masterauth")[1].startswith(b"agent-restore-")
    until(lambda: not throw_away_servers(), 20, "the end of the throw-away server")
    server.ask("REPLICAOF", "127.0.0.1", "61000")  # the last thing that worker may have done
    until(lambda: server.info()["master_link_status"] == "down", 20, "the replica of nothing")
    worker.environment = None
    run = worker.run("backup")
    run.good()
    assert any("a restore that was killed" in text for text in run.warnings())
    as_before(server)
    assert server.dump() == before


# --- drill and verify

def test_a_drill_counts_what_a_restore_gives(server, worker):
    server.fill(100)
    worker.backup()
    server.ask("FLUSHALL")
    worker.run("drill").good()
    assert server.dump() == {}
    assert throw_away_servers() == []
    worker.run("verify").good()


def test_row_05_a_drill_finds_keys_missing(server, worker):
    server.fill(100)
    worker.backup()
    [name] = worker.manifests()
    file = Path(worker.stores[0]["path"]) / name
    counts = json.loads(file.read_text())
    for member in counts["members"]:
        member["counts"]["lasting keys"] += 1
    file.write_text(json.dumps(counts))
    assert "lasting keys" in worker.run("drill").bad()["error"]
    assert throw_away_servers() == []

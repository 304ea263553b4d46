# SPDX-License-Identifier: Apache-2.0
"""Backups by one worker: what goes in, what is in the store afterwards, and what it says when things go wrong."""

import hashlib
import os
import socket
import subprocess
from pathlib import Path

import pytest

from harness import proc
from harness.wait import until
from harness.worker import Worker


def sh(script, *arguments):
    return ["/bin/sh", "-c", script, "sh", *map(str, arguments)]


@pytest.fixture
def worker(tmp_path):
    return Worker(tmp_path)


# --- a good one

def test_a_dump_goes_into_the_store_and_back(worker):
    data = os.urandom(3_000_000)
    (worker.folder / "data").write_bytes(data)
    run = worker.run("backup", {"command": ["/bin/cat", str(worker.folder / "data")]})
    result = run.good()
    assert result["plain_bytes"] == len(data)
    assert [s for s in run.stages() if s in ("probe", "dump", "commit")] == ["probe", "dump", "commit"]

    [backup] = worker.backups()
    assert backup["id"] == result["id"]
    assert backup["plain_bytes"] == len(data)
    assert not backup["encrypted"]
    assert worker.restored() == data
    assert worker.journals() == []


@pytest.mark.parametrize("codec, program", [
    ("none", ["cat"]), ("gzip", ["gzip", "-dc"]), ("lz4", ["lz4", "-dc"]), ("xz", ["xz", "-dc"]), ("zstd", ["zstd", "-dc"])])
def test_the_usual_programs_open_it(worker, codec, program):
    text = b"all work and no play\n" * 50_000
    (worker.folder / "data").write_bytes(text)
    worker.backup({"command": ["/bin/cat", str(worker.folder / "data")], "compression": codec})
    [data] = [f for f in worker.files() if not f.endswith(".json")]
    with open(Path(worker.stores[0]["path"]) / data, "rb") as f:
        out = subprocess.run(program, stdin=f, stdout=subprocess.PIPE, check=True).stdout
    assert out == text
    assert worker.restored() == text


def test_hashes_and_sizes_in_the_manifest_are_those_of_the_bytes(worker):
    worker.backup({"command": sh("seq 1 100000")})
    text = subprocess.run(["seq", "1", "100000"], stdout=subprocess.PIPE, check=True).stdout
    [member] = worker.manifest()["members"]
    [data] = [f for f in worker.files() if not f.endswith(".json")]
    stored = (Path(worker.stores[0]["path"]) / data).read_bytes()
    assert member["plain_sha256"] == hashlib.sha256(text).hexdigest()
    assert member["stored_sha256"] == hashlib.sha256(stored).hexdigest()
    assert (member["plain_bytes"], member["stored_bytes"]) == (len(text), len(stored))


# --- the status of the dump

def test_row_01_a_dump_that_fails_at_its_end_is_a_failure(worker):
    result = worker.run("backup", {"command": sh("seq 1 100000; echo no rights on table orders >&2; exit 3")}).bad()
    assert "no rights on table orders" in result["error"]
    assert "3" in result["error"]
    worker.nothing_left()


def test_row_02_nothing_is_complete_before_the_dump_ended_well(worker):
    """It closes its output and ends badly later: until then no object may be there under its name."""
    fifo = worker.folder / "go"
    os.mkfifo(fifo)
    run = worker.begin("backup", {"command": sh('seq 1 100000; exec >&-; read -r x <"$1"; exit 1', fifo)})
    # The dump's shell opens the other end once its output is closed.
    with open(fifo, "w", encoding="ascii") as go:
        assert not [f for f in worker.files() if f.endswith("manifest.json") or f.endswith(".zst")]
        go.write("go\n")
    run.wait().bad()
    worker.nothing_left()


def test_row_03_the_dump_runs_once(worker):
    count = worker.folder / "count"
    worker.backup({"command": sh('echo once >>"$1"; seq 1 1000', count)})
    assert count.read_text() == "once\n"


@pytest.mark.parametrize("script", ["exit 0", "true >&2"])
def test_row_05_an_empty_dump_is_a_failure(worker, script):
    worker.run("backup", {"command": sh(script)}).bad("empty")
    worker.nothing_left()


def test_row_05_a_dump_smaller_than_min_size_is_a_failure(worker):
    worker.run("backup", {"min_size": 1000}).bad("min_size")
    worker.nothing_left()


def test_row_05_a_dump_half_as_large_as_usual_is_a_warning(worker):
    run = worker.run("backup", {"command": sh("seq 1 1000")}, last={"median_bytes": 100_000})
    run.good()
    assert any("less than half" in w for w in run.warnings())
    assert any("less than half" in w for w in worker.manifest()["warnings"])
    run = worker.run("backup", {"command": sh("seq 1 1000")}, last={"median_bytes": 5_000})
    run.good()
    assert run.warnings() == []


# --- stores

@pytest.mark.root
def test_row_08_a_full_disk_for_the_state_is_told_before_anything_begins(worker):
    fill = 'mount -t tmpfs -o size=64k none "$0" && cat /dev/zero >"$0/full" 2>/dev/null; exec "$@"'
    worker.prefix = ["unshare", "-m", "/bin/sh", "-c", fill, str(worker.state)]
    began = worker.folder / "began"
    worker.run("backup", {"command": sh('touch "$1"; echo hello', began)}).bad("No space left on device: free some space")
    assert not began.exists()
    assert worker.files() == []


def test_row_09_a_store_that_is_not_in_the_configuration_is_a_failure(worker):
    result = worker.run("backup", {"stores": ["offsite"]}).bad("offsite")
    assert result["stores"] == [{"name": "offsite", "ok": False, "error": result["stores"][0]["error"]}]
    worker.nothing_left()


def test_row_09_a_job_without_any_store_is_a_failure(worker):
    worker.stores = []
    worker.run("backup", {"stores": []}).bad("store")


def two_stores(worker):
    worker.stores.append(worker.directory_store("offsite"))
    worker.job["stores"] = ["local", "offsite"]
    return worker


def test_each_store_gets_a_whole_backup(worker):
    two_stores(worker).backup({"command": sh("seq 1 100000")})
    for store in worker.stores:
        assert len(worker.manifests(store)) == 1
        run = worker.run("restore", restore={"to": "-", "store": store["name"]})
        run.good()
        assert run.stdout.read_bytes() == "".join(f"{i}\n" for i in range(1, 100001)).encode()


def test_one_bad_store_of_two_makes_a_partial_backup(worker):
    two_stores(worker)
    folder = Path(worker.stores[1]["path"])
    folder.rmdir()
    folder.write_text("a file where the folder should be")
    result = worker.run("backup").bad("offsite")
    assert result["partial"] is True
    assert [(s["name"], s["ok"]) for s in result["stores"]] == [("local", True), ("offsite", False)]
    assert worker.restored(store="local") == b"hello\n"
    assert worker.journals() == []


def test_a_bandwidth_limit_is_kept_there_and_back(worker):
    """By its own clock: 600,000 bytes at 1,000,000 a second, less the tenth of a second that may go at once."""
    job = {"command": sh("head -c 600000 /dev/urandom"), "compression": "none", "bandwidth": 1_000_000}
    assert 450 <= worker.backup(job)["duration_ms"]
    # Once for the check, once for the restore.
    assert 950 <= worker.run("restore", job, restore={"to": "-"}).good()["duration_ms"]


# --- runs side by side, and their end

def gate(worker, job=None):
    """A backup whose dump waits, after its first bytes, until the returned file is opened for writing."""
    fifo = worker.folder / f"gate-{worker.number}"
    os.mkfifo(fifo)
    run = worker.begin("backup", {"command": sh('seq 1 200000; echo $$ >"$1.pid"; read -r x <"$1"; seq 1 10', fifo), **(job or {})})
    until(lambda: Path(f"{fifo}.pid").exists() or run.process.poll() is not None, 20, "the dump")
    return run, fifo


def open_gate(fifo):
    fifo.write_text("go\n")


def test_row_13_a_second_run_waits_for_the_first(worker):
    first, fifo = gate(worker)
    second = worker.begin("backup")
    second.wait_stage("wait")
    assert "probe" not in second.stages()
    open_gate(fifo)
    first.wait().good()
    second.wait().good()
    assert len(worker.manifests()) == 2


def test_row_13_two_never_remove_at_once(worker):
    made = [worker.backup()["id"] for _ in range(2)]
    first, fifo = gate(worker, {"keep": {"last": 1}})
    prune = worker.begin("prune", {"keep": {"last": 1}})
    prune.wait_stage("wait")
    assert "prune" not in prune.stages() and len(worker.manifests()) == 2
    open_gate(fifo)
    assert {r["id"] for r in first.wait().said("removed")} == set(made)
    assert prune.wait().good()["removed"] == 0


def test_row_13_other_jobs_do_not_wait(worker):
    first, fifo = gate(worker)
    worker.backup({"name": "blog"})
    open_gate(fifo)
    first.wait().good()


def test_a_stopped_backup_leaves_nothing_behind(worker):
    failed = worker.folder / "failed"
    run, fifo = gate(worker, {"on_failure": sh('echo "$BACKUP_STATUS" >"$1"', failed)})
    dump = int(Path(f"{fifo}.pid").read_text())
    assert run.stop().bad()["code"] == "cancelled"
    assert not proc.alive(dump)
    assert failed.read_text() == "cancelled\n"
    worker.nothing_left()


def test_a_run_that_waits_can_be_stopped(worker):
    first, fifo = gate(worker)
    second = worker.begin("backup")
    second.wait_stage("wait")
    assert second.stop().bad()["code"] == "cancelled"
    open_gate(fifo)
    first.wait().good()


# --- retention

def test_old_backups_go_after_a_good_one_only(worker):
    keep = {"keep": {"last": 2}}
    ids = [worker.backup(keep)["id"] for _ in range(3)]
    assert [b["id"] for b in worker.backups()] == [ids[2], ids[1]]
    worker.run("backup", {"command": sh("exit 1"), "keep": {"last": 1}}).bad()
    assert [b["id"] for b in worker.backups()] == [ids[2], ids[1]]


def test_prune_can_show_what_it_would_do(worker):
    ids = [worker.backup()["id"] for _ in range(3)]
    run = worker.run("prune", {"keep": {"last": 1}}, dry_run=True)
    run.good()
    assert {d["id"]: d["keep"] for d in run.said("decided")} == {ids[0]: False, ids[1]: False, ids[2]: True}
    assert len(worker.manifests()) == 3
    run = worker.run("prune", {"keep": {"last": 1}})
    assert run.good()["removed"] == 2
    assert [b["id"] for b in worker.backups()] == [ids[2]]
    assert len([f for f in worker.files() if ids[0] in f or ids[1] in f]) == 0


def test_row_14_another_job_is_not_touched(worker):
    other = worker.backup({"name": "shop2"})["id"]
    for _ in range(2):
        worker.backup({"keep": {"last": 1}})
    assert any(other in f for f in worker.manifests())


# --- check, for the doctor

def test_check_looks_at_stores_tools_and_keys(worker):
    run = worker.run("check")
    run.good()
    assert any(c["what"].startswith("store local") and c["ok"] for c in run.said("check"))
    run = worker.run("check", {"command": ["/nonexistent/dump"]})
    run.bad()
    assert any("/nonexistent/dump" in c["text"] and not c["ok"] for c in run.said("check"))


# --- orders that cannot be done

@pytest.mark.parametrize("change, words", [
    ({"do": "dance"}, "dance"),
    ({"job": None}, "job"),
])
def test_a_wrong_order_is_refused(worker, change, words):
    order = {k: v for k, v in {**worker.order("backup"), **change}.items() if v is not None}
    worker.order = lambda *a, **k: order
    worker.run("backup").bad(words)


def test_who_waits_for_a_store_that_is_away_is_told(tmp_path):
    secret = tmp_path / "cred"
    secret.touch(mode=0o600)
    secret.write_text("access_key_id = a\nsecret_access_key = b\n")
    with socket.socket() as s:  # nobody listens
        s.bind(("127.0.0.1", 0))
        away = {"name": "away", "type": "s3", "endpoint": f"http://127.0.0.1:{s.getsockname()[1]}", "bucket": "b",
                "credentials_file": str(secret), "retry_base_ms": 20, "notice_ms": 50}
        worker = Worker(tmp_path, stores=[away])
        run = worker.begin("backup")
        until(lambda: any("store away: " in w and "tried again for up to 29m" in w for w in run.warnings()), 20, "the word")
        run.stop()
        run.wait()
    assert len(run.warnings()) == 1

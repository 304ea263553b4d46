# SPDX-License-Identifier: Apache-2.0
"""Stores in which something was changed, mixed up, or taken away: what list, verify, restore and prune make of it."""

import json
import random
import shutil
import time
from pathlib import Path

import pytest

from harness.worker import Worker

DAY = 86400 * 1000
NUMBERS = "".join(f"{i}\n" for i in range(1, 5001))


@pytest.fixture
def worker(tmp_path):
    return Worker(tmp_path, {"command": ["/usr/bin/seq", "1", "5000"]})


def another(worker, name, job=None, host="vps1"):
    """Another agent with the same store."""
    other = Worker(worker.folder / name, {**worker.job, **(job or {})}, stores=worker.stores)
    other.order_members["host"] = host
    return other


def folder(worker, backup_id, job="shop"):
    return Path(worker.stores[0]["path"]) / job / backup_id


def data(worker, backup_id, job="shop"):
    [path] = [p for p in folder(worker, backup_id, job).iterdir() if p.suffix != ".json"]
    return path


def manifest(worker, backup_id):
    return folder(worker, backup_id) / "manifest.json"


def ids(worker):
    return [b["id"] for b in worker.backups()]


def stdout(run):
    return run.stdout.read_text()


def change(worker, backup_id, **members):
    """Of the manifest; without the copy of it, which never changes."""
    path = manifest(worker, backup_id)
    path.write_text(json.dumps({**json.loads(path.read_text()), **members}))
    forget(worker)


def forget(worker):
    shutil.rmtree(worker.state / "backup" / "manifests", ignore_errors=True)


# --- the manifest

def test_a_manifest_that_was_damaged_never_gives_other_bytes(worker):
    """Whatever bit is wrong: it is told, or it is in a text for people; what comes out is what went in."""
    backup_id = worker.backup()["id"]
    path, good = manifest(worker, backup_id), manifest(worker, backup_id).read_bytes()
    rng = random.Random(4)
    refused = 0
    for n in range(40):
        at = n * len(good) // 40
        changed = bytearray(good)
        changed[at] ^= 1 << rng.randrange(7)
        path.write_bytes(changed if n % 4 else good[:at])
        forget(worker)
        run = worker.run("restore", restore={"to": "-"})
        if run.result["ok"]:
            assert stdout(run) == NUMBERS, changed
        else:
            assert run.result["error"] and stdout(run) in NUMBERS
            refused += 1
    assert refused > 20
    path.write_bytes(good)
    forget(worker)
    worker.run("verify").good()


def test_without_its_manifest_it_is_no_backup(worker):
    first, second = worker.backup()["id"], worker.backup()["id"]
    manifest(worker, second).unlink()
    assert ids(worker) == [first]
    run = worker.run("restore", restore={"to": "-"})
    assert run.good()["id"] == first and stdout(run) == NUMBERS
    worker.run("restore", restore={"id": second, "to": "-"}).bad("there is no backup with id")
    # Retention does not count it, and what is left of it is nobody's.
    worker.run("prune", {"keep": {"last": 1}}).good()
    assert ids(worker) == [first] and data(worker, second).exists()


# --- mixed up

def test_a_backup_in_the_folder_of_another_job_is_none(worker):
    blog = another(worker, "blog", {"name": "blog", "command": ["/bin/echo", "blog"]})
    of_blog = blog.backup()["id"]
    mine = worker.backup()["id"]
    shutil.copytree(folder(worker, of_blog, "blog"), folder(worker, of_blog))
    run = worker.run("list")
    [line] = run.said("catalogue")
    assert [b["id"] for b in line["backups"]] == [mine]
    assert line["broken"] == 1 and "it is of blog/" in line["broken_why"]
    worker.run("prune", {"keep": {"last": 1}}).good()
    assert folder(worker, of_blog).exists() and blog.restored() == b"blog\n"


def test_objects_that_were_swapped_are_found(worker):
    """Of one length, so that only the hash tells."""
    blog = another(worker, "blog", {"name": "blog", "command": ["/usr/bin/seq", "2", "5001"], "compression": "none"})
    worker.job["compression"] = "none"
    mine, of_blog = worker.backup()["id"], blog.backup()["id"]
    a, b = data(worker, mine), data(worker, of_blog, "blog")
    a_bytes, b_bytes = a.read_bytes(), b.read_bytes()
    b_bytes = b_bytes[:len(a_bytes)].ljust(len(a_bytes), b"\n")
    a.write_bytes(b_bytes)
    b.write_bytes(a_bytes)
    for one in (worker, blog):
        one.run("restore", {"restore_command": ["/usr/bin/tee", str(one.folder / "restored")]}, restore={"yes": True}).bad()
        assert not (one.folder / "restored").exists()
        one.run("verify").bad()
        assert one.backups()[0]["bad_ms"] > 0


@pytest.mark.parametrize("at", [0, 0.1, 0.5, 0.9, 1])
@pytest.mark.parametrize("codec", ["none", "gzip", "zstd"])
def test_a_bad_object_is_marked_and_the_next_older_one_restored(worker, codec, at):
    worker.job["compression"] = codec
    older = worker.backup()["id"]
    newer = worker.backup()["id"]
    stored = bytearray(data(worker, newer).read_bytes())
    stored[int(at * (len(stored) - 1))] ^= 0x40
    data(worker, newer).write_bytes(stored)
    worker.run("verify", restore={"id": newer}).bad()
    run = worker.run("restore", restore={"to": "-"})
    assert run.good()["id"] == older and stdout(run) == NUMBERS


# --- hosts and clocks

def test_row_25_two_hosts_with_one_job_name_share_a_store(worker):
    """Begun in the same second, too: no object of one is in the way of the other's."""
    other = another(worker, "vps2", {"command": ["/bin/echo", "of the other"]}, host="vps2")
    for _ in range(2):
        under_way = [one.begin("backup", {"keep": {"last": 1}}) for one in (worker, other)]
        for run in under_way:
            run.wait().good()
    assert sorted(b["host"] for b in worker.backups()) == ["vps1", "vps2"]
    for one, text in ((worker, NUMBERS), (other, "of the other\n")):
        run = one.run("restore", restore={"to": "-"})
        assert run.good() and stdout(run) == text and run.warnings() == []
    # A new server takes what there is, and says whose it is.
    run = another(worker, "vps3", host="vps3").run("restore", restore={"to": "-"})
    run.good()
    assert ["another host, vps" in w for w in run.warnings()] == [True]


def test_a_clock_that_went_back_costs_no_backup(worker):
    """One of tomorrow, made before the clock was put right: it is kept, and takes nobody's place."""
    tomorrow = worker.backup()["id"]
    change(worker, tomorrow, started_ms=int(time.time() * 1000) + DAY, ended_ms=int(time.time() * 1000) + DAY)
    made = [worker.backup({"keep": {"last": 2}})["id"] for _ in range(3)]
    assert ids(worker) == [tomorrow, *reversed(made[1:])]


def test_a_clock_that_went_back_does_not_hide_a_verdict(worker):
    backup_id = worker.backup()["id"]
    worker.run("verify").good()
    [verdict] = folder(worker, backup_id).glob("verified-*.json")
    verdict.rename(verdict.with_name(f"verified-{int(time.time() * 1000) + DAY}.json"))
    data(worker, backup_id).write_bytes(b"x")
    stored = data(worker, backup_id)
    stored.write_bytes(b"x" * json.loads(manifest(worker, backup_id).read_text())["members"][0]["stored_bytes"])
    worker.run("verify").bad()
    assert worker.backups()[0]["bad_ms"] > 0


# --- retention

def test_row_14_the_newest_that_was_verified_stays(worker):
    verified = worker.backup()["id"]
    worker.run("verify").good()
    made = [worker.backup({"keep": {"last": 1}})["id"] for _ in range(3)]
    assert ids(worker) == [made[-1], verified]
    worker.run("verify").good()
    worker.run("prune", {"keep": {"last": 1}}).good()
    assert ids(worker) == [made[-1]]


def failing(worker, *paths, error="EIO"):
    """Nothing in these folders can be removed."""
    worker.prefix = ["strace", "-f", "-o", "/dev/null", *[word for path in paths for word in ("-P", str(path))],
                     "-e", "trace=unlinkat", "-e", f"inject=unlinkat:error={error}"]


def test_row_15_an_object_that_cannot_be_removed_is_told_and_the_backup_is_good(worker):
    old = worker.backup()["id"]
    failing(worker, folder(worker, old))
    run = worker.run("backup", {"keep": {"last": 1}})
    run.good()
    [removed] = run.said("removed")
    assert removed["id"] == old and not removed["ok"] and "Input/output error" in removed["error"]
    assert worker.run("prune", {"keep": {"last": 1}}).bad("1 of 1 backups could not be removed")
    # Nothing was forgotten, so the next one does it.
    worker.prefix = []
    assert len(ids(worker)) == 2
    worker.run("prune", {"keep": {"last": 1}}).good()
    assert old not in ids(worker) and not folder(worker, old).exists()


@pytest.mark.parametrize("error, is_failure", [("EBUSY", False), ("EACCES", True)])
def test_row_26_what_may_not_be_deleted_is_all_kept(worker, error, is_failure):
    """Under a lock of the store it is no failure; keys that may not delete are told, for storage grows."""
    made = [worker.backup()["id"] for _ in range(3)]
    failing(worker, *[folder(worker, i) for i in made], error=error)
    run = worker.run("prune", {"keep": {"last": 1}})
    assert run.bad("remove shop/") if is_failure else run.good()
    assert [(r["ok"], r["retained"]) for r in run.said("removed")] == [(False, not is_failure)] * 2
    worker.prefix = []
    assert sorted(ids(worker)) == sorted(made)
    for i in made:
        worker.run("verify", restore={"id": i}).good()

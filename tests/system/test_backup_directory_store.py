# SPDX-License-Identifier: Apache-2.0
"""The store `directory` under whole backups: what is there after faults, and what is never touched."""

import json
import os
import re
import shutil
import time
from pathlib import Path

import pytest

from harness.wait import until
from harness.worker import Worker


@pytest.fixture
def worker(tmp_path):
    return Worker(tmp_path, {"command": ["/usr/bin/seq", "1", "20000"]})


def root(worker):
    return Path(worker.stores[0]["path"])


def data_of(worker, backup_id):
    """The only object of a backup."""
    [name] = [f for f in worker.files() if backup_id in f and not f.endswith(".json")]
    return root(worker) / name


def test_all_of_it_is_private(worker):
    worker.backup()
    for path in [root(worker), *root(worker).rglob("*")]:
        assert path.stat().st_mode & 0o077 == 0, path
    assert len(worker.files()) == 2


def test_a_folder_that_is_missing_is_made_but_not_what_is_above(worker):
    root(worker).rmdir()
    worker.backup()
    worker.stores[0]["path"] = str(root(worker) / "none" / "store")
    worker.run("backup").bad("is its disk mounted?")
    assert not (root(worker).parent).exists()


def test_a_prefix(worker):
    worker.stores[0]["prefix"] = "vps1/"
    worker.backup()
    assert all(name.startswith("vps1/shop/") for name in worker.files())
    assert len(worker.backups()) == 1


def test_row_14_retention_touches_only_its_own(worker):
    others = Worker(worker.folder / "others", {"name": "blog"}, stores=worker.stores)
    others.backup()
    host2 = Worker(worker.folder / "host2", stores=worker.stores)
    host2.order_members["host"] = "vps2"
    host2.backup()
    (root(worker) / "notes of mine").write_text("x")
    (root(worker) / "shop" / "list.txt").write_text("x")
    for _ in range(4):
        worker.backup({"keep": {"last": 2}})
    assert sorted(b["host"] for b in worker.backups()) == ["vps1", "vps1", "vps2"]
    assert len(others.manifests()) == 4
    assert (root(worker) / "notes of mine").exists() and (root(worker) / "shop" / "list.txt").exists()


def test_row_14_a_failed_backup_does_not_count_and_removes_nothing(worker):
    for _ in range(2):
        worker.backup({"keep": {"last": 2}})
    before = worker.manifests()
    for _ in range(3):
        worker.run("backup", {"keep": {"last": 2}, "command": ["/bin/false"]}).bad()
    assert worker.manifests() == before


def test_row_14_a_bad_one_does_not_take_the_place_of_a_good_one(worker):
    worker.backup()
    data_of(worker, worker.backup()["id"]).write_bytes(b"x")
    kept = {line["id"]: (line["keep"], line["why"])
            for line in worker.run("prune", {"keep": {"last": 1}}, dry_run=True).said("decided")}
    assert sorted(kept.values()) == [(True, "last"), (True, "no newer good one")]


def test_row_16_a_removal_that_was_cut_short_is_finished(worker):
    oldest = worker.backup()["id"]
    worker.backup()
    data_of(worker, oldest).unlink()
    backup = worker.backups()[-1]
    assert backup["id"] == oldest
    assert backup["bad_ms"] > 0 and "is missing" in backup["bad_why"]
    worker.run("restore", restore={"id": backup["id"], "to": "-", "yes": True}).bad("is missing")
    worker.run("prune", {"keep": {"last": 1}}).good()
    assert len(worker.manifests()) == 1 and len(worker.files()) == 2


def test_row_16_the_store_is_the_truth(worker):
    worker.backup()
    assert len(worker.backups()) == 1
    shutil.rmtree(root(worker) / "shop")
    assert worker.backups() == []
    assert not list((worker.state / "backup" / "manifests").rglob("shop.*"))


def test_row_26_rules_of_the_store_remove_instead(worker):
    worker.stores[0]["delete"] = "lifecycle"
    for _ in range(3):
        worker.backup({"keep": {"last": 1}})
    assert len(worker.manifests()) == 3


def test_a_copy_of_the_list_may_be_anything(worker):
    worker.backup()
    assert len(worker.backups()) == 1
    copies = [p for p in (worker.state / "backup" / "manifests").rglob("*") if p.is_file()]
    assert copies
    for nonsense in (b"", b"{}", b"\0" * 5000, copies[0].read_bytes()[:-5]):
        copies[0].write_bytes(nonsense)
        assert len(worker.backups()) == 1


def test_a_manifest_of_a_newer_version_is_told_not_used(worker):
    worker.backup()
    path = root(worker) / worker.manifests()[0]
    manifest = json.loads(path.read_text())
    manifest["version"] = 2
    path.write_text(json.dumps(manifest))
    run = worker.run("list")
    [line] = run.said("catalogue")
    assert line["backups"] == [] and line["broken"] == 1 and "newer version" in line["broken_why"]


def test_row_11_what_a_kill_left_days_ago_is_swept(worker):
    worker.backup()
    left = root(worker) / "shop" / "20200101T000000Z-abcdef" / "output.zst.part"
    left.parent.mkdir()
    left.write_bytes(b"half")
    fresh = root(worker) / "shop" / "20200101T000000Z-abcde0" / "output.zst.part"
    fresh.parent.mkdir()
    fresh.write_bytes(b"half")
    os.utime(left, (time.time() - 90000,) * 2)
    worker.run("sweep", jobs=["shop"]).good()
    assert not left.exists() and not left.parent.exists() and fresh.exists()
    assert len(worker.backups()) == 1


# --- what a disk does

ON_ANOTHER_DISK = 'mount -t tmpfs -o "$1" none "$0"; files=$2; shift 2; "$@"; status=$?; find "$0" -type f >"$files"; exit $status'


def on_a_disk(worker, options):
    """The store's folder is a disk of its own; what is left on it at the end is in the file that is returned."""
    files = worker.folder / "files"
    worker.prefix = ["unshare", "-m", "/bin/sh", "-c", ON_ANOTHER_DISK, str(root(worker)), options, str(files)]
    return files


@pytest.mark.root
def test_row_08_a_store_that_gets_full_is_a_failure_and_keeps_nothing(worker):
    files = on_a_disk(worker, "size=200k")
    result = worker.run("backup", {"compression": "none", "command": ["/usr/bin/head", "-c", "1000000", "/dev/zero"]}).bad()
    assert "No space left" in result["error"] and str(root(worker)) in result["error"]
    assert files.read_text() == ""
    worker.backup()
    assert len(files.read_text().split()) == 2


@pytest.mark.root
def test_a_store_that_cannot_be_written_is_a_failure_before_the_dump(worker):
    began = worker.folder / "began"
    on_a_disk(worker, "ro")
    worker.run("backup", {"command": ["/usr/bin/touch", str(began)]}).bad("Read-only file system")
    assert not began.exists()


def strace(worker, *arguments):
    out = worker.folder / f"strace-{worker.number}"
    worker.prefix = ["strace", "-f", "-y", "-o", str(out), *arguments]
    return out


def test_what_is_in_the_store_is_on_the_disk(worker):
    """Each object is synced before it has its name, its name before anything else; the data before the manifest."""
    out = strace(worker, "-e", "trace=fsync,rename,renameat,renameat2")
    worker.backup()
    said = []
    for line in out.read_text().splitlines():
        if str(root(worker)) in line and (call := re.match(r'\d+ +(\w+)\(\d+<([^>]*)>(?:, "([^"]*)")?', line)):
            said.append(f"{call[1]} {call[3] or os.path.basename(call[2])}")
    folder = worker.backups()[0]["id"]
    for part in ("output.zst.part", "manifest.json.part"):
        at = said.index(f"renameat2 {part}")
        assert said[at - 1] == f"fsync {part}" and said[at + 1] == f"fsync {folder}", said
        del said[:at + 2]
    assert said == []


def test_a_disk_that_cannot_sync_never_has_a_backup_that_failed(worker):
    """Each sync of a run fails once: it fails, and nothing is left in its name."""
    failed = 0
    while True:
        strace(worker, "-e", "trace=fsync", "-e", f"inject=fsync:error=EIO:when={failed + 1}")
        run = worker.run("backup")
        worker.prefix = []
        if run.result["ok"]:
            break
        failed += 1
        assert "Input/output error" in run.result["error"]
        worker.run("sweep", jobs=["shop"]).good()
        assert worker.files() == [], f"sync number {failed}: {run.explain()}"
    assert failed >= 4 and len(worker.backups()) == 1


def test_row_14_a_disk_that_cannot_be_read_is_no_list_with_holes(worker):
    old = worker.backup()["id"]
    worker.backup()
    strace(worker, "-P", str(data_of(worker, old).parent), "-e", "trace=newfstatat,fstatat64",
           "-e", "inject=newfstatat,fstatat64:error=EIO")
    worker.run("list").bad("Input/output error")
    worker.run("prune", {"keep": {"last": 1}}).bad("Input/output error")
    worker.prefix = []
    assert len(worker.backups()) == 2


def test_what_is_not_whole_is_not_listed(worker):
    go = worker.folder / "go"
    os.mkfifo(go)
    run = worker.begin("backup", {"command": ["/bin/sh", "-c", f"seq 1 1000; read -r x <{go}"], "compression": "none"})
    with open(go, "w", encoding="ascii") as gate:
        until(lambda: [f for f in worker.files() if f.endswith(".part")], 20, "the unfinished object")
        assert worker.backups() == []
        worker.run("sweep", jobs=["shop"]).good()
        assert len(worker.files()) == 1
        gate.write("x\n")
    run.wait().good()
    assert len(worker.backups()) == 1 and not [f for f in worker.files() if f.endswith(".part")]

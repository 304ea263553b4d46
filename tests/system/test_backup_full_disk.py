# SPDX-License-Identifier: Apache-2.0
"""The agent whose disk is full: a backup is made and is right, or is refused loudly; measuring goes on."""

import hashlib
import json
import os
import subprocess

import pytest

from harness import control
from harness.backups import files_in, job, manifests, run_to_end, runs, settings, state_of_run
from harness.wait import until

pytestmark = pytest.mark.root


@pytest.fixture
def disk(tmp_path):
    """8 MiB for the state folder alone."""
    path = tmp_path / "disk"
    path.mkdir()
    subprocess.run(["mount", "-t", "tmpfs", "-o", "size=8M", "none", path], check=True)
    yield path
    subprocess.run(["umount", "-l", path], check=True)


@pytest.fixture
def agent(make_agent, disk, tmp_path):
    store = tmp_path / "store"
    store.mkdir(mode=0o700)
    return make_agent(state=disk / "state", settings={
        **settings(shop=job(keep={"last": 2})), "stores": {"nas": {"type": "directory", "path": str(store)}}}).start(samples=1)


def leave(disk, kib):
    """Room for so much and nothing more."""
    with open(disk / "ballast", "wb", buffering=0) as f:
        try:
            while True:
                f.write(bytes(4096))
        except OSError:
            pass
        f.truncate(max(0, os.fstat(f.fileno()).st_size - kib * 1024))


def check_store(folder):
    """Whole backups and nothing else; how many there are."""
    known = set()
    for m in manifests(folder):
        known.add(f"shop/{m['id']}/manifest.json")
        for member in m["members"]:
            data = b"".join((folder / s["key"]).read_bytes() for s in member["segments"])
            assert hashlib.sha256(data).hexdigest() == member["stored_sha256"]
            known |= {s["key"] for s in member["segments"]}
    assert set(files_in(folder)) == known
    return len(manifests(folder))


def test_row_08_a_full_disk_of_the_agent_makes_no_bad_backup(agent, disk, tmp_path):
    states = set()
    for kib in range(0, 160, 8):
        leave(disk, kib)
        answer = control.ask_raw(agent, json.dumps({"id": 1, "op": "backup.start", "job": "shop"}).encode())
        if answer["ok"]:
            states.add(until(lambda: state_of_run(agent, answer["run"]), 20, "the end of the run"))
        else:
            assert "full" in answer["error"], answer
            states.add("refused")
        check_store(tmp_path / "store")
    assert "refused" in states or "failed" in states, states
    before = agent.sample_time()
    until(lambda: agent.sample_time() > before, 10, "the next sample")
    (disk / "ballast").unlink()
    assert run_to_end(agent, "shop")["state"] == "done"
    assert check_store(tmp_path / "store") == 2
    # What could not be written down while the disk was full is known after a new start, too.
    before = [(r["run"], r["state"]) for r in runs(agent, "shop")]
    assert {s for _, s in before} <= {"done", "failed"}
    agent.expected_errors = ["No space left", "full"]
    agent.stop()
    agent.start(samples=1)
    assert [(r["run"], r["state"]) for r in runs(agent, "shop")] == before


def test_row_08_a_command_says_that_the_disk_is_full_and_what_to_do(agent, disk):
    leave(disk, 0)
    r = agent.cli("backup", "now", "shop")
    assert r.returncode == 1 and "full" in r.stderr and "free some space" in r.stderr, r

# SPDX-License-Identifier: Apache-2.0
"""History on a disk that misbehaves."""

import shutil
import subprocess

import pytest

from harness.rrd import Rrd
from harness.wait import until

MIB = 1 << 20


def next_sample(agent, n=1):
    start = agent.sample_time()
    until(lambda: agent.sample_time() >= start + n, 10 + n, f"{n} more samples")


@pytest.mark.parametrize("damage", [
    lambda path: path.write_bytes(b"this is no RRD file" * 100),
    lambda path: path.write_bytes(b""),
    lambda path: path.write_bytes(path.read_bytes()[:-5000]),
    lambda path: path.write_bytes(path.read_bytes()[:64] + b"\xff" * 4000 + path.read_bytes()[4064:]),
], ids=["other content", "empty", "cut short", "broken header"])
def test_a_broken_file_is_kept_aside_and_a_new_one_made(make_agent, damage):
    agent = make_agent().start(samples=4)
    agent.stop()
    path = agent.state / "rrd/host/host.rrd"
    others = {p for p in path.parent.iterdir()}
    damage(path)
    damaged = path.read_bytes()
    agent.start()
    text = until(lambda: next((t for t in agent.problems().values() if "host.rrd" in t), None), 10, "the problem")
    aside = set(path.parent.iterdir()) - others
    assert [p.read_bytes() for p in aside] == [damaged], "the broken file is kept as it was"
    assert next(iter(aside)).name in text, "and named"
    rrd = Rrd()
    until(lambda: path.exists() and rrd.last(path) >= agent.sample_time() - 1, 10, "rows in the new file")
    rrd.close()


def test_a_broken_database_is_kept_aside_and_a_new_one_made(make_agent):
    agent = make_agent().start()
    agent.stop()
    (agent.state / "state.db").write_bytes(b"no database" * 1000)
    agent.start()
    assert any("state.db" in text for text in agent.problems().values()), agent.problems()
    assert any(p.name.startswith("state.db") and p.read_bytes().startswith(b"no database")
               for p in agent.state.iterdir())


@pytest.mark.root
def test_a_full_disk_is_survived_reported_and_recovered_from(make_agent, tmp_path):
    disk = tmp_path / "disk"
    disk.mkdir()
    subprocess.run(["mount", "-t", "tmpfs", "-o", "size=24M", "agenttest", disk], check=True)
    try:
        agent = make_agent(state=disk / "state").start(samples=4)
        assert agent.problems().keys() & {"store.full"} == set()
        ballast = disk / "ballast"
        with open(ballast, "wb") as f:
            f.write(bytes(shutil.disk_usage(disk).free))
        until(lambda: "store.full" in agent.problems(), 10, "the problem")
        assert str(disk) in agent.problems()["store.full"]
        next_sample(agent, 3)
        assert agent.get("/health").status == 200
        assert agent.entities("host")["host"]["values"]["cpu_used_percent"] is not None
        ballast.unlink()
        until(lambda: "store.full" not in agent.problems(), 10, "the end of the problem")
        next_sample(agent, 3)
        series = agent.api("series?entity=host/host&metric=load1&from=-3")["series"][0]
        assert [v for v in series["values"][0] if v is not None], "rows are stored again"
        agent.finish()
    finally:
        subprocess.run(["umount", disk], check=True)


@pytest.mark.root
def test_a_first_start_on_a_full_disk(make_agent, tmp_path):
    disk = tmp_path / "disk"
    disk.mkdir()
    subprocess.run(["mount", "-t", "tmpfs", "-o", "size=1M", "agenttest", disk], check=True)
    try:
        ballast = disk / "ballast"
        with open(ballast, "wb") as f:
            f.write(bytes(shutil.disk_usage(disk).free))
        agent = make_agent(state=disk / "state").launch()
        link = until(lambda: next((l for l in agent.log().splitlines() if "#token=" in l), None), 15, "the link")
        agent.shown_token = link.split("#token=")[1].split()[0]
        agent.wait_ready()
        assert any("No space left" in text or "full" in text for text in agent.problems().values()), agent.problems()
        agent.finish()
    finally:
        subprocess.run(["umount", disk], check=True)


def test_a_history_in_a_file_of_an_older_release_is_carried_over(make_agent):
    """A release that adds metrics finds files without their data sources. The history stays."""
    agent = make_agent().start(samples=5)
    before = agent.sample_time() - 1
    agent.stop()
    path = agent.state / "rrd/host/host.rrd"
    # As a release without load15 would have left it.
    subprocess.run(["rrdtool", "tune", path, "DEL:load15"], check=True, stdout=subprocess.DEVNULL)
    agent.start(samples=3)
    series = agent.api(f"series?entity=host/host&metric=load1,load15&from={before - 2}")["series"][0]
    times = [series["start"] + i * series["step"] for i, v in enumerate(series["values"][0]) if v is not None]
    assert before in times, "load1 of before"
    until(lambda: agent.api("series?entity=host/host&metric=load15&from=-2")["series"][0]["values"][0][-1] is not None,
          5, "load15 of now")

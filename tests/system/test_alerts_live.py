# SPDX-License-Identifier: Apache-2.0
"""Alerts of things that really happen: a container that is killed for lack of memory, a disk that fills up and is
emptied again, with the agent restarted in between. What is told goes through a real channel to a real receiver."""

import json
import subprocess
import time
from datetime import datetime

import pytest

from harness.providers import Webhook
from harness.wait import until

BUILTIN = ["clock_offset", "clock_unsynchronized", "container_memory", "cpu", "disk", "disk_forecast", "disk_read_only",
           "inodes", "memory", "oom_kill", "pressure_io", "pressure_memory", "reboot_pending", "restart_loop",
           "service_oom_kill", "swap", "temperature", "unhealthy"]
MIB = 1 << 20
DISK = 20 * MIB


def only(*names, **own):
    """Those built-in rules and the test's own; what else is wrong with this machine is not looked at."""
    return {**{name: {"enabled": False} for name in BUILTIN if name not in names}, **own}


@pytest.fixture
def hook():
    provider = Webhook()
    yield provider
    provider.close()


@pytest.fixture
def channels(hook, tmp_path):
    options, secrets = hook.settings()
    for name, text in secrets.items():
        path = tmp_path / name
        path.write_text(text)
        path.chmod(0o600)
        options[name] = str(path)
    return {"hook": {**options, "group": "0s"}}


def told(hook):
    return [r.data for r in hook.requests if r.accepted]


def wait_told(hook, n, seconds=15):
    until(lambda: len(told(hook)) >= n, seconds, f"{n} messages; there were {[t['title'] for t in told(hook)]}")
    return told(hook)


def next_sample(agent, n=1):
    start = agent.sample_time()
    until(lambda: agent.sample_time() >= start + n, 10 + n, f"{n} more samples")


# --- a container without memory

# Lives three seconds: tail keeps the one endless line in memory.
GREEDY = ("sh", "-c", "sleep 3; exec tail /dev/zero")


def finished_at(docker, name):
    """When Docker says that the container ended; Unix time."""
    state = docker.inspect(name)["State"]
    assert not state["Running"], "it still runs"
    assert state["OOMKilled"], state
    return datetime.fromisoformat(state["FinishedAt"][:19] + "+00:00").timestamp()


@pytest.mark.root
def test_a_container_killed_for_lack_of_memory_is_told_by_its_name(make_agent, docker, hook, channels):
    agent = make_agent(settings={"interval": "2s", "retention": ["2s for 10m"], "rules": only("oom_kill"),
                                 "channels": channels, **docker.settings()}).start()
    name = docker.run("greedy", *GREEDY, options=("--memory=16m", "--memory-swap=16m"))
    ended = until(lambda: finished_at(docker, name), 20, "the end of the container")
    event = wait_told(hook, 1)[0]
    assert event["kind"] == "alert.firing" and event["rule"] == "oom_kill" and event["severity"] == "critical"
    assert event["title"] == f"{name} was killed for lack of memory"
    assert event["entity"] == f"container/{name}"
    # Two samples, and the second that FinishedAt was rounded down by.
    assert event["time_ms"] / 1000 - ended <= 2 * 2 + 1
    next_sample(agent, 8)
    assert len(told(hook)) == 1, "it is told once"


@pytest.mark.root
def test_a_container_that_left_no_trace_is_told_too(make_agent, docker, hook, channels):
    """With --rm there is nothing left to ask the engine about, and it was in one sample at most."""
    agent = make_agent(settings={"interval": "5s", "retention": ["5s for 10m"], "rules": only("oom_kill"),
                                 "channels": channels, **docker.settings()}).start()
    began = time.time()
    name = docker.run("flash", "tail", "/dev/zero", options=("--rm", "--memory=16m", "--memory-swap=16m"))
    until(lambda: name not in docker.containers(), 20, "the end of the container")
    event = wait_told(hook, 1)[0]
    assert event["title"] == f"{name} was killed for lack of memory"
    assert event["time_ms"] / 1000 - began <= 2 * 5 + 5
    assert agent.cli("alerts").returncode == 0


@pytest.mark.root
def test_a_container_with_a_restart_policy_is_told_once(make_agent, docker, hook, channels):
    agent = make_agent(settings={"rules": only("oom_kill"), "channels": channels, **docker.settings()}).start()
    name = docker.run("again", "tail", "/dev/zero", options=("--memory=16m", "--memory-swap=16m", "--restart=always"))
    wait_told(hook, 1, 25)
    until(lambda: docker.inspect(name)["RestartCount"] >= 3, 40, "some restarts")
    next_sample(agent, 2)
    assert [t["title"] for t in told(hook)] == [f"{name} was killed for lack of memory"]


# --- a disk that fills up

FULL = {"metric": "filesystem.used_percent", "warning": "> 80", "clear": "< 70", "for": "2s", "clear_for": "2s"}


class Disk:
    """A small filesystem of its own."""

    def __init__(self, path):
        self.path = path
        path.mkdir()
        subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={DISK}", "test", str(path)], check=True)

    def fill(self, percent):
        with open(self.path / "file", "wb") as f:
            f.write(bytes(DISK * percent // 100))

    def unmount(self):
        subprocess.run(["umount", "-l", str(self.path)], check=False)


@pytest.fixture
def disk(tmp_path):
    d = Disk(tmp_path / "disk")
    yield d
    d.unmount()


@pytest.fixture
def disk_agent(make_agent, disk, channels):
    agent = make_agent(settings={"filesystems": {"include": [str(disk.path)]}, "rules": only(full=FULL),
                                 "channels": channels}).start()
    until(lambda: used(agent, disk) is not None, 15, "the disk")
    return agent


def used(agent, disk):
    return agent.entities("filesystem")[str(disk.path)]["values"]["used_percent"]


def alerts(agent):
    return json.loads(agent.cli("alerts", "--json").stdout)["alerts"]


@pytest.mark.root
def test_a_disk_around_its_limit_sends_two_messages(disk_agent, disk, hook):
    for i in range(12):
        disk.fill(84 if i % 2 else 76)
        next_sample(disk_agent)
    disk.fill(84)
    event = wait_told(hook, 1)[0]
    assert event["title"] == f"Disk {disk.path} is 84 % full"
    for i in range(12):
        disk.fill(84 if i % 2 else 76)
        next_sample(disk_agent)
    disk.fill(10)
    end = wait_told(hook, 2)[1]
    assert end["kind"] == "alert.recovered" and end["is_end"]
    assert end["title"].startswith(f"Disk {disk.path} is back to 10 % after ")
    assert end["key"] == event["key"]
    next_sample(disk_agent, 5)
    assert len(told(hook)) == 2


@pytest.mark.root
def test_a_restart_neither_tells_again_nor_loses_the_recovery(disk_agent, disk, hook):
    disk.fill(90)
    wait_told(hook, 1)
    until(lambda: {d["state"] for d in disk_agent.api("deliveries?limit=100")["deliveries"]} == {"sent"}, 10, "its answer is known")
    disk_agent.stop()
    disk_agent.start()
    next_sample(disk_agent, 5)
    assert [a["state"] for a in alerts(disk_agent)] == ["firing"]
    disk_agent.kill()
    disk_agent.start()
    next_sample(disk_agent, 5)
    assert len(told(hook)) == 1, "told again after a restart"
    disk_agent.stop()
    disk.fill(10)  # while nobody looks
    disk_agent.start()
    end = wait_told(hook, 2)[1]
    assert end["kind"] == "alert.recovered" and end["rule"] == "full"
    next_sample(disk_agent, 5)
    assert len(told(hook)) == 2 and alerts(disk_agent) == []


@pytest.mark.root
def test_a_disk_that_is_taken_away_while_full_waits_as_no_data(disk_agent, disk, hook):
    disk.fill(90)
    wait_told(hook, 1)
    disk.unmount()
    until(lambda: [a["state"] for a in alerts(disk_agent)] == ["no-data"], 15, "no data")
    next_sample(disk_agent, 5)
    assert len(told(hook)) == 1


# --- a container that must run

@pytest.mark.root
def test_a_container_that_is_gone_and_comes_back(make_agent, docker, hook, channels):
    agent = make_agent(settings={
        "rules": only(must_run={"type": "gone", "metric": "container.running", "severity": "critical", "for": "2s"}),
        "channels": channels, "containers": {"include": ["agenttest-*"]}, **docker.settings()}).start()
    job = docker.run("job", "true")  # ends before anybody could have relied on it
    name = docker.run("shop", "sleep", "1000")
    until(lambda: name in agent.entities("container"), 10, "the container")
    next_sample(agent, 3)
    agent.stop()
    agent.start()
    next_sample(agent, 5)
    assert [t for t in told(hook) if t["entity"] != f"container/{job}"] == [], "a restart of the agent is no loss"
    docker.remove(name)
    gone = until(lambda: [t for t in told(hook) if t["entity"] == f"container/{name}"], 15, "gone")[0]
    assert gone["title"] == f"{name} is gone"
    docker.run("shop", "sleep", "1000")
    back = until(lambda: [t for t in told(hook) if t["entity"] == f"container/{name}"][1:], 15, "back")[0]
    assert back["title"].startswith(f"{name} is back after ") and back["is_end"]

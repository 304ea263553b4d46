# SPDX-License-Identifier: Apache-2.0
"""What was accepted arrives, whatever dies: 10,000 events while every channel is down, the agent killed a hundred times,
then some more while they are sent. And a mail server that hangs delays no sample."""

import collections
import contextlib
import os
import random
import re
import socket
import sqlite3
import stat
import threading
import time

import pytest

from harness.control import Control
from harness.providers import Slack, Telegram, Webhook
from harness.wait import until

EVENTS = int(os.environ.get("AGENT_TEST_EVENTS", "10000"))
KILLS = int(os.environ.get("AGENT_TEST_KILLS", "100"))
STORIES = 50
TITLE = re.compile(r"no (\d+) of story (\d+)")
FAILURES = [("500", {}), ("hang", {}), ("cut", {}), ("reset", {}), ("429", {"wait": 1}), ("garbage", {})]
# Nothing else is to cost memory.
SMALL = {"retention": ["1s for 2m"], "containers": {"exclude": ["*"]}, "services": {"exclude": ["*"]}}

SCRIPT = """#!/bin/sh
# Fails until the file is there; then writes down what it is told.
[ -e "$0.up" ] || exit 75
echo "$AGENT_TITLE" >>"$0.told"
"""


def secret(folder, name, text):
    path = folder / name
    path.write_text(text)
    path.chmod(0o600)
    return str(path)


def channel_of(provider, folder, **more):
    options, secrets = provider.settings()
    files = {option: secret(folder, f"{provider.name}.{option}", text) for option, text in secrets.items()}
    return {**options, **files, "events": ["message"], **more}


class Command:
    """A program of the user's."""

    name = "program"

    def __init__(self, folder):
        self.path = folder / "tell"
        self.path.write_text(SCRIPT)
        self.path.chmod(self.path.stat().st_mode | stat.S_IXUSR)

    def up(self):
        (self.path.parent / "tell.up").touch()

    def texts(self):
        told = self.path.parent / "tell.told"
        return told.read_text().splitlines() if told.exists() else []


def memory_mib(pid):
    """(proportional set size, what of it is the process's own). The first counts less of the libraries the more
    processes run: what grows shows in the second."""
    with open(f"/proc/{pid}/smaps_rollup", encoding="ascii") as f:
        text = f.read()
    return [int(re.search(rf"^{name}:\s+(\d+) kB", text, re.M).group(1)) / 1024 for name in ("Pss", "Pss_Anon")]


class Raiser:
    """Raises numbered events over the control socket and knows which were accepted."""

    def __init__(self, agent, rng):
        self.agent, self.rng = agent, rng
        self.n = 0  # the last one that was asked for
        self.accepted = set()

    def event(self):
        self.n += 1
        story = self.rng.randrange(STORIES)
        # Programs are told one event at a time, and only of these.
        severity = "critical" if self.rng.random() < 0.01 else "info"
        return {"title": f"no {self.n} of story {story}", "key": f"story {story}", "severity": severity,
                "end": self.rng.random() < 0.3}

    def raise_for(self, seconds, most):
        """Then one more without waiting for the answer: the kill that follows falls somewhere into it."""
        control = Control(self.agent)
        deadline = time.monotonic() + seconds
        while time.monotonic() < deadline and self.n < most:
            control.ask("notify.send", **self.event())
            self.accepted.add(self.n)
        time.sleep(max(0, deadline - time.monotonic()))  # the random moment is what is tested
        control.send("notify.send", **self.event())
        control.close()

    def raise_rest(self, most):
        control = Control(self.agent)
        while self.n < most:
            control.ask("notify.send", **self.event())
            self.accepted.add(self.n)
        control.close()


def rows(agent, sql):
    with contextlib.closing(sqlite3.connect(agent.state / "state.db", timeout=5)) as db:
        return db.execute(sql).fetchall()


def waiting(agent):
    return rows(agent, "SELECT count(*) FROM delivery WHERE state = 0")[0][0]


STATES = ["waiting", "sent", "collapsed", "counted", "refused", "expired"]


def told(texts):
    """Of messages in their order: how often each event was told, and how many were only counted. No story goes back."""
    times, newest, counted, earlier = collections.Counter(), collections.Counter(), 0, 0
    for text in texts:
        for n, story in {(int(n), story) for n, story in TITLE.findall(text)}:
            assert n >= newest[story], f"story {story}: {n} after {newest[story]}"
            newest[story] = n
            times[n] += 1
        counted += sum(int(n) for n in re.findall(r"And (\d+) more", text))
        earlier += sum(int(n) for n in re.findall(r"(\d+) earlier change", text))
    return times, counted, earlier


def check_channel(agent, name, texts):
    states = {int(TITLE.match(title).group(1)): STATES[state] for title, state in rows(
        agent, f"SELECT title, state FROM event JOIN delivery ON event.id = delivery.event WHERE channel = '{name}'")}
    times, counted, earlier = told(texts)
    lost = [n for n, state in states.items() if state == "sent" and not times[n]]
    assert not lost, f"{name}: never told: {lost[:20]}"
    by_state = collections.Counter(states.values())
    assert set(by_state) <= {"sent", "collapsed", "counted"}, f"{name}: {by_state}"
    assert counted >= by_state["counted"] and earlier >= by_state["collapsed"], (name, by_state, counted, earlier)
    twice = sum(1 for n in times.values() if n > 1)
    print(f"{name}: {len(texts)} messages; " + ", ".join(f"{n} {s}" for s, n in by_state.items()) + f"; {twice} told twice")
    return states


def check_memory(memory):
    """From the empty spool to the end. What the reading of 2,000 deliveries takes for a moment is in it."""
    pss, own = zip(*memory)
    print(f"PSS: {pss[0]:.1f} MiB with an empty spool, {max(pss):.1f} at most, {pss[-1]:.1f} in the end; "
          f"of its own: {own[0]:.1f}, {max(own):.1f}, {own[-1]:.1f}")
    assert max(own) - own[0] < 3


def test_nothing_accepted_is_lost_though_the_agent_is_killed_a_hundred_times(make_agent, tmp_path):
    rng = random.Random(os.environ.get("AGENT_TEST_SEED", "1"))
    slack, telegram, webhook, command = Slack(), Telegram(), Webhook(), Command(tmp_path)
    providers = [slack, telegram, webhook]
    channels = {
        "slack": channel_of(slack, tmp_path, group="0s"),
        "telegram": channel_of(telegram, tmp_path, group="0s", per_minute=120),
        "hook": channel_of(webhook, tmp_path, min_severity="critical", per_minute=600),
        "program": {"type": "command", "command": [str(command.path)], "min_severity": "critical", "per_minute": 600,
                    "events": ["message"]},
    }
    agent = make_agent(settings={**SMALL, "channels": channels}).start(samples=3)
    agent.expected_errors = ["web: the daemon does not answer"]
    raiser = Raiser(agent, rng)
    memory = [memory_mib(agent.pid)]
    began = time.monotonic()

    def kill_after(seconds, most):
        raiser.raise_for(seconds, most)
        memory.append(memory_mib(agent.pid))
        agent.kill()
        agent.launch()

    for i in range(KILLS):
        for p in providers:
            mode, how = rng.choice(FAILURES)
            p.always(mode, **how)
        kill_after(rng.uniform(0, 0.25), EVENTS * (i + 1) // KILLS)
    raiser.raise_rest(EVENTS)
    assert not any(p.accepted for p in providers) and not command.texts()
    memory.append(memory_mib(agent.pid))
    raised = time.monotonic() - began
    # They are back. A start tries at once what waits; some more kills fall into the sending.
    for p in providers:
        p.always("ok")
    command.up()
    for _ in range(KILLS // 10 or 1):
        agent.kill()
        agent.launch()
        Control(agent).close()
        time.sleep(rng.uniform(0, 0.3))  # the random moment is what is tested
        memory.append(memory_mib(agent.pid))
    until(lambda: waiting(agent) == 0, 60, "the last delivery", step=0.2)
    memory.append(memory_mib(agent.pid))
    for p in providers:
        p.close()

    texts = {"slack": [slack.text(r) for r in slack.accepted], "telegram": [telegram.text(r) for r in telegram.accepted],
             "hook": [r.data["title"] for r in webhook.accepted], "program": command.texts()}
    print(f"\n{raiser.n} events raised in {raised:.1f} s with {KILLS} kills; sent after {time.monotonic() - began:.1f} s")
    states = {name: check_channel(agent, name, texts[name]) for name in channels}
    assert not raiser.accepted - set(states["slack"]) and not raiser.accepted - set(states["telegram"])
    assert states["hook"].keys() == states["program"].keys() and len(states["hook"]) > EVENTS // 200
    check_memory(memory)


class SilentMailServer:
    """Takes connections and never says a word."""

    def __init__(self):
        self.socket = socket.create_server(("127.0.0.1", 0), backlog=128)
        self.connections = []
        self.thread = threading.Thread(target=self._accept, daemon=True)
        self.thread.start()

    def _accept(self):
        with contextlib.suppress(OSError):
            while True:
                self.connections.append(self.socket.accept()[0])

    @property
    def address(self):
        return "127.0.0.1:%d" % self.socket.getsockname()[1]

    def close(self):
        self.socket.shutdown(socket.SHUT_RDWR)
        self.socket.close()
        self.thread.join()
        for c in self.connections:
            c.close()


@pytest.fixture
def silent_server():
    server = SilentMailServer()
    yield server
    server.close()


HANG_SECONDS = int(os.environ.get("AGENT_TEST_HANG_SECONDS", "30"))  # 600 for the ten-minute form


def delays(agent, first, last):
    """How late each second's sample began."""
    series = agent.api(f"series?entity=agent/agent&metric=sample_delay_seconds&from={first}&to={last}&points=2000")
    series = series["series"][0]
    return {series["start"] + i * series["step"]: v for i, v in enumerate(series["values"][0])
            if first <= series["start"] + i * series["step"] <= last}


def jitter(name, values):
    known = sorted(v for v in values.values() if v is not None)
    missing = [t for t, v in values.items() if v is None]
    print(f"{name}: {len(known)} samples, {len(missing)} missing, began late by {1000 * known[len(known) // 2]:.1f} ms "
          f"(median), {1000 * known[-1]:.1f} ms (worst)")
    assert not missing, missing
    return known


def test_a_mail_server_that_hangs_delays_no_sample(make_agent, silent_server):
    mail = {"type": "email", "server": silent_server.address, "security": "none", "from": "agent@example.com",
            "to": ["you@example.com"], "group": "0s", "events": ["message"]}
    # Several of them: each has a message under way all the time.
    agent = make_agent(settings={**SMALL, "retention": ["1s for 20m"],
                                 "channels": {f"mail{i}": mail for i in range(5)}}).start(samples=3)
    before = agent.sample_time()
    until(lambda: agent.sample_time() >= before + 5, 10, "some samples before")
    control = Control(agent)
    began = agent.sample_time()
    end = time.monotonic() + HANG_SECONDS
    while time.monotonic() < end:
        control.ask("notify.send", title="The mail server hangs", severity="critical")
        time.sleep(0.1)  # a person, or a script, that goes on sending
    last = agent.sample_time()
    waits = control.ask("notify.channels")["channels"]
    control.close()
    assert len(silent_server.connections) >= 5, "a message of each channel was under way"
    assert all(c["waiting"] > HANG_SECONDS for c in waits), waits
    print()
    jitter("before", delays(agent, before + 1, before + 4))
    known = jitter(f"while {len(silent_server.connections)} connections hung", delays(agent, began + 1, last - 1))
    assert len(known) >= HANG_SECONDS - 4
    assert known[len(known) // 2] < 0.05 and known[-1] < 0.5

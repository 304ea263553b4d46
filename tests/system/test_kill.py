# SPDX-License-Identifier: Apache-2.0
"""Sudden death of either process."""

import contextlib
import math
import os
import random
import signal
import sqlite3
import time
from concurrent.futures import ThreadPoolExecutor

import pytest

from harness import proc
from harness.rrd import Rrd
from harness.wait import until

KILLS = 200
AGENTS = 4  # killed side by side


def test_the_web_process_is_back_within_a_second_and_no_sample_is_lost(agent):
    began = agent.sample_time()
    old = agent.web_pid
    os.kill(old, signal.SIGKILL)
    killed = time.monotonic()
    # The listening socket is the daemon's: a request made now waits and is answered by the next process.
    assert agent.get("/health").status == 200
    assert time.monotonic() - killed < 1
    assert agent.web_pid not in (None, old)
    until(lambda: agent.sample_time() >= began + 5, 10, "five more samples")
    assert missing_rows(agent, began, began + 4) == []


def test_a_web_process_killed_again_and_again_comes_back(agent):
    daemon = agent.pid
    for _ in range(4):
        os.kill(until(lambda: agent.web_pid, 20, "a web process", step=0.02), signal.SIGKILL)
    until(lambda: agent.web_pid and agent.get("/health").status == 200, 30, "an answer")
    assert proc.alive(daemon) and agent.pid == daemon


def test_the_web_process_ends_with_the_daemon(agent):
    web = agent.web_pid
    os.kill(agent.pid, signal.SIGKILL)
    agent.process.wait()
    until(lambda: not proc.alive(web), 2, "the end of the web process")
    agent.process = None


def missing_rows(agent, first, last):
    """Seconds in [first, last] without a stored value."""
    series = agent.api(f"series?entity=host/host&metric=load1&from={first - 1}&to={last}&points=1000")["series"][0]
    known = {series["start"] + i * series["step"] for i, v in enumerate(series["values"][0]) if v is not None}
    return [t for t in range(first, last + 1) if t not in known]


@pytest.mark.alone
def test_the_daemon_killed_at_200_random_moments(make_agent):
    """Every RRD file and the database still open each time, and no sample is missing but the one due at the moment of
    the kill (0.4 s are given for taking and storing a sample)."""
    settings = {"retention": ["1s for 20m"], "containers": {"exclude": ["*"]}, "services": {"exclude": ["*"]}}
    agents = [make_agent(f"agent{n}", settings=settings).start(samples=3) for n in range(AGENTS)]
    seed = os.environ.get("AGENT_TEST_SEED", "1")
    with ThreadPoolExecutor(AGENTS) as pool:
        list(pool.map(lambda n: kill_again_and_again(agents[n], random.Random(f"{seed} {n}")), range(AGENTS)))


def kill_again_and_again(agent, rng):
    agent.expected_errors = ["web: the daemon does not answer"]
    rrd = Rrd()
    up_since = time.time() - 2
    history = []
    try:
        for _ in range(KILLS // AGENTS):
            time.sleep(rng.uniform(0, 1.5))  # the random moment is what is tested
            os.kill(agent.pid, signal.SIGKILL)
            killed = time.time()
            agent.process.wait()
            check_files(agent, rrd)
            last = rrd.last(agent.state / "rrd/host/host.rrd")
            history.append((f"up since {up_since:.2f}", f"killed {killed:.2f}", f"last sample {last}"))
            due = math.floor(killed - 0.4)
            if due >= up_since + 0.2:
                assert last >= due, history[-4:]
            until(lambda: not proc.in_session(agent.process.pid), 5, "the end of the web process", step=0.01)
            agent.launch()
            until(lambda: agent.web_pid, 10, "the start", step=0.01)
            up_since = time.time()
        agent.wait_ready()
    finally:
        rrd.close()


def check_files(agent, rrd):
    files = list((agent.state / "rrd").rglob("*.rrd"))
    assert len(files) > 3
    for path in files:
        rrd.info(path)
    with contextlib.closing(sqlite3.connect(agent.state / "state.db")) as db:
        assert db.execute("PRAGMA integrity_check").fetchone() == ("ok",)

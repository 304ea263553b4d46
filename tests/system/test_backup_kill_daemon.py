# SPDX-License-Identifier: Apache-2.0
"""The agent killed at random moments of its backups: no run is done twice, none is lost, and what is in the store is whole."""

import contextlib
import hashlib
import os
import shutil
import signal
import subprocess
from concurrent.futures import ThreadPoolExecutor

import pytest

from harness import control, proc
from harness.backups import files_in, job, manifests, settings
from harness.moments import ENVIRONMENT, moments_of, seeded
from harness.wait import until

pytestmark = pytest.mark.root

SIDE_BY_SIDE, KILLS = 4, 10


class Traced:
    """strace at a daemon that runs already."""

    def __init__(self, agent, *arguments):
        self.log = agent.folder / "strace"
        with open(self.log, "wb") as log:
            self.process = subprocess.Popen(["strace", "-p", str(agent.pid), *arguments], stdout=log, stderr=log)
        until(lambda: "attached" in self.log.read_text() or self.process.poll() is not None, 10, "strace", step=0.01)
        assert self.process.poll() is None, self.log.read_text()

    def end(self):
        self.process.send_signal(signal.SIGINT)
        self.process.wait(10)


def launch(agent):
    agent.launch()
    until(lambda: control.ask(agent, "backup.jobs"), 15, "the control socket", step=0.01)


def begin(agent):
    return control.ask(agent, "backup.start", job="shop")["run"]


def state_of(agent, number):
    return control.ask(agent, "backup.run", run=number)["run"]["state"]


def wait_end(agent, number):
    return until(lambda: (s := state_of(agent, number)) not in ("waiting", "running") and s, 20, f"the end of run {number}",
                 step=0.01)


def check_store(agent):
    folder = agent.state / "backups"
    for m in manifests(folder):
        for member in m["members"]:
            data = b"".join((folder / s["key"]).read_bytes() for s in member["segments"])
            assert hashlib.sha256(data).hexdigest() == member["stored_sha256"], m["id"]


def nothing_but_backups(agent):
    folder = agent.state / "backups"
    whole = {f"shop/{m['id']}" for m in manifests(folder)}
    assert {os.path.dirname(f) for f in files_in(folder)} == whole
    assert [f for f in files_in(agent.state / "backup" / "uploads") if f.endswith(".journal")] == []
    return True


def record(agent):
    """The daemon's system calls from a request to the end of its run."""
    log = agent.folder / "calls"
    traced = Traced(agent, "-o", str(log))
    wait_end(agent, begin(agent))
    traced.end()
    return moments_of(log.read_text(errors="replace"))


def killed_at(agent, moment):
    """Asks for a run and has the daemon killed at that call, or at the end of the run. The run's number; None: it was
    never told."""
    call, nth = moment
    traced = Traced(agent, "-o", "/dev/null", "-e", f"trace={call}", "-e", f"inject={call}:signal=KILL:when={nth}")
    number = None
    with contextlib.suppress(OSError, AssertionError):
        number = begin(agent)
        until(lambda: agent.process.poll() is not None or state_of(agent, number) not in ("waiting", "running"), 20,
              "the end of the run or of the daemon", step=0.01)
    if agent.process.poll() is None:
        agent.process.kill()
    agent.process.wait(10)
    traced.process.wait(10)
    return number


def test_row_11_a_daemon_killed_at_40_random_moments(make_agent):
    if not shutil.which("strace"):
        pytest.skip("no strace")
    rng = seeded()

    def chain(n):
        begun, asked = agents[n].folder / "begun", 0
        agent = agents[n]
        launch(agent)
        moments = record(agent)
        asked += 1
        for moment in rng.sample(moments, KILLS):
            old = agent.pid
            number = killed_at(agent, moment)
            asked += 1
            until(lambda: not proc.in_session(old), 20, "the end of what the daemon had started")
            check_store(agent)
            launch(agent)
            if number is not None:
                wait_end(agent, number)
            # What was begun is not begun again; what was only accepted is done now, once.
            assert len(begun.read_text().splitlines()) <= asked
        until(lambda: nothing_but_backups(agent), 20, "the sweep")
        assert wait_end(agent, begin(agent)) == "done"
        check_store(agent)
        status, _ = agent.stop()
        assert status == 0

    agents = []
    for n in range(SIDE_BY_SIDE):
        text = "echo >>{0}; for i in 1 2 3 4; do head -c 50000 /dev/zero; done"
        agent = make_agent(f"agent{n}", environment=ENVIRONMENT)
        agent.write_config(settings(shop=job(text.format(agent.folder / "begun"), keep={"last": 3})))
        agent.expected_errors = ["web: the daemon does not answer"]
        agents.append(agent)
    with ThreadPoolExecutor(SIDE_BY_SIDE) as pool:
        list(pool.map(chain, range(SIDE_BY_SIDE)))

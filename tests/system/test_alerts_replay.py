# SPDX-License-Identifier: Apache-2.0
"""`agent alerts test`: stored history through the rules, with and without a running agent."""

import json
import re
import subprocess
import time

import pytest

from harness.agent import config_text, run_cli
from harness.wait import until

STEP = 20
DAY = 86400 // STEP


class History:
    """A state folder with RRD files such as the agent writes, made by rrdtool."""

    def __init__(self, folder):
        self.state = folder / "state"
        self.config = folder / "agent.conf"
        self.now = int(time.time()) // STEP * STEP
        self.configure({})

    def configure(self, settings):
        self.config.write_text(config_text(settings))

    def write(self, file, source, values):
        """The last value is of now; None is unknown."""
        path = self.state / "rrd" / file
        path.parent.mkdir(parents=True, exist_ok=True)
        start = self.now - STEP * len(values)
        rows = [f"{start + STEP * (i + 1)}:{'U' if v is None else v}" for i, v in enumerate(values)]
        lines = [f'create "{path}" --start {start} --step {STEP} DS:{source}:GAUGE:{2 * STEP}:U:U RRA:AVERAGE:0.5:1:{2 * DAY} '
                 f"RRA:AVERAGE:0.5:15:{30 * DAY // 15} RRA:MAX:0.5:15:{30 * DAY // 15}"]
        lines += [f'update "{path}" {" ".join(rows[i:i + 500])}' for i in range(0, len(rows), 500)]
        r = subprocess.run(["rrdtool", "-"], input="\n".join(lines) + "\n", capture_output=True, text=True, timeout=60, check=True)
        assert "ERROR" not in r.stdout, r.stdout

    def test(self, *arguments):
        return run_cli("alerts", "test", *arguments, "--state", str(self.state), "--config", str(self.config))

    def events(self, *arguments):
        r = self.test(*arguments, "--json")
        assert r.returncode == 0, r.stderr
        return json.loads(r.stdout)["events"]


@pytest.fixture
def history(tmp_path):
    return History(tmp_path)


def disk_of_a_day():
    """Over 90 % for two hours of yesterday, over 97 % for twenty minutes of them."""
    values = [70.0] * DAY
    values[1000:1360] = [93.0] * 360
    values[1200:1260] = [98.5] * 60
    return values


def test_it_shows_what_would_have_been_told(history):
    history.write("filesystem/%2F.rrd", "used_pct", disk_of_a_day())
    history.write("filesystem/%2Fdata.rrd", "used_pct", [50.0] * DAY)
    events = history.events("disk", "--since", "1d")
    assert [(e["what"], e["severity"], e["entity"]) for e in events] == [
        ("firing", "warning", "/"), ("firing", "critical", "/"), ("recovered", "critical", "/")]
    began = history.now * 1000 - (DAY - 1001) * STEP * 1000
    assert events[0]["time_ms"] == began + 120_000  # `for` of the built-in rule is 2m
    assert events[0]["value"] == 93 and events[0]["unit"] == "percent"
    lasted = events[2]["time_ms"] - events[2]["fired_ms"]
    assert lasted == 360 * STEP * 1000  # as long as it was over, `for` and clear_for being equal
    r = history.test("disk", "--since", "1d")
    assert r.returncode == 0 and r.stderr == ""
    lines = r.stdout.splitlines()
    assert lines[0].split() == ["WHEN", "RULE", "WHERE", "WHAT"]
    assert "would fire: warning, 93 %" in lines[1] and "would recover after 2h 0m" in lines[3]
    assert "3 messages in 1d about 1 of 2 filesystems" in " ".join(r.stdout.split())
    assert all(len(line) <= 80 for line in lines)


def test_a_silent_rule_says_what_was_worst(history):
    history.write("filesystem/%2F.rrd", "used_pct", [70.0] * 500 + [88.2] + [70.0] * 500)
    r = history.test("disk", "--since", "5h")
    assert r.returncode == 0
    assert "silent for 5h about 1 filesystem. Worst: 88.2 %, /," in " ".join(r.stdout.split())


def test_a_limit_can_be_tried_before_it_is_used(history):
    history.write("filesystem/%2F.rrd", "used_pct", disk_of_a_day())
    history.configure({"rules": {"disk": {"warning": "> 60"}, "mine": {
        "metric": "filesystem.used_percent", "window": "1h", "how": "maximum", "critical": "> 98", "enabled": False}}})
    assert [e["what"] for e in history.events("disk", "--since", "12h")][:1] == ["is_firing"]
    assert [e["what"] for e in history.events("mine", "--since", "1d")] == ["firing", "recovered"]
    both = history.events("*", "--since", "1d")
    assert {"disk", "mine"} <= {e["rule"] for e in both}
    assert [e["time_ms"] for e in both] == sorted(e["time_ms"] for e in both)


def test_a_full_disk_is_foretold_and_an_unpacked_archive_is_not(history):
    grows = [40 + 60 * i / (2 * DAY) for i in range(int(1.6 * DAY))]  # 100 % in half a day from now
    history.write("filesystem/%2Fgrows.rrd", "used_pct", grows)
    history.write("filesystem/%2Fstep.rrd", "used_pct", [40.0] * DAY + [75.0] * (DAY // 2))
    events = history.events("disk_forecast", "--since", "1d")
    assert {e["entity"] for e in events} == {"/grows"}
    assert events[0]["what"] == "firing" and 20 * 3600 < events[0]["value"] < 86400


def test_while_the_agent_was_off_nothing_is_concluded(history):
    off = range(2000, 2600)
    history.write("host/server.rrd", "mem_used", [None if i in off else 1e9 for i in range(DAY)])
    values = [95.0 if 1900 <= i < 2700 else 50.0 for i in range(DAY)]
    history.write("filesystem/%2F.rrd", "used_pct", [None if i in off else v for i, v in enumerate(values)])
    assert [e["what"] for e in history.events("disk", "--since", "1d")] == ["firing", "recovered"]


def test_old_history_is_coarse_and_says_so(history):
    history.write("filesystem/%2F.rrd", "used_pct", [70.0] * DAY + [95.0] * 1000 + [70.0] * (3 * DAY))
    r = history.test("disk", "--since", "5d")
    # The first row over the limit may be of minutes before it, too.
    assert r.returncode == 0 and re.search(r"would fire: warning, 9[0-5](\.\d+)? %", r.stdout), r.stdout
    assert "has one value for up to 5m" in " ".join(r.stdout.split())
    assert "has one value" not in history.test("disk", "--since", "1d").stdout


def test_wrong_usage_and_faults(history):
    history.write("filesystem/%2F.rrd", "used_pct", [70.0] * 10)
    r = history.test()
    assert r.returncode == 2 and "which rule" in r.stderr
    r = history.test("disk", "--since", "soon")
    assert r.returncode == 2 and "--since" in r.stderr
    r = history.test("dsk")
    assert r.returncode == 1 and 'did you mean "disk"' in r.stderr
    history.configure({"rules": {"disk": {"warning": "90"}}})
    r = history.test("disk")
    assert r.returncode == 1 and "agent.conf:1: " in r.stderr and "is not a limit" in r.stderr
    history.configure({"rules": {"cores": {"metric": "host.cpu_cores", "warning": "> 1"}}})
    r = history.test("cores")
    assert r.returncode == 1 and "host.cpu_cores has no history" in r.stderr


def test_without_any_history(tmp_path):
    r = run_cli("alerts", "test", "disk", "--state", str(tmp_path / "none"))
    assert r.returncode == 1 and r.stderr


def test_with_a_running_agent(make_agent):
    rules = {"busy": {"metric": "host.memory_used_percent", "warning": "> 0", "enabled": False}}
    agent = make_agent(settings={"rules": rules}).start(samples=6)

    def events():
        r = agent.cli("alerts", "test", "busy", "--since", "5m", "--config", str(agent.config), "--json")
        assert r.returncode == 0, r.stderr
        return json.loads(r.stdout)["events"]

    until(events, 15, "history of the host")
    found = events()
    assert [e["what"] for e in found] == ["firing"]
    assert found[0]["entity"] in agent.entities("host") and found[0]["metric"] == "host.memory_used_percent"

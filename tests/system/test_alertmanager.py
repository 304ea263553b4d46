# SPDX-License-Identifier: Apache-2.0
"""Alerts in Prometheus Alertmanager itself (Debian's prometheus-alertmanager)."""

import datetime
import shutil
import subprocess
import time

import pytest

from harness import control, http
from harness.agent import free_port
from harness.wait import until

PROGRAM = shutil.which("prometheus-alertmanager") or shutil.which("alertmanager")
CONFIG = """
route: { receiver: none, group_wait: 1s }
receivers: [ { name: none } ]
"""


class Alertmanager:
    def __init__(self, folder):
        folder.mkdir()
        (folder / "alertmanager.yml").write_text(CONFIG)
        self.url = f"http://127.0.0.1:{free_port()}"
        self.log = open(folder / "log", "wb")
        self.process = subprocess.Popen(
            [PROGRAM, f"--config.file={folder}/alertmanager.yml", f"--storage.path={folder}/data",
             f"--web.listen-address={self.url[7:]}", "--cluster.listen-address="],
            stdin=subprocess.DEVNULL, stdout=self.log, stderr=self.log)
        until(lambda: http.request(self.url + "/-/ready").status == 200, 20, "Alertmanager")

    def alerts(self, **labels):
        """Those that are not over, by their labels."""
        answer = http.request(self.url + "/api/v2/alerts")
        assert answer.status == 200, answer
        return [a for a in answer.json() if labels.items() <= a["labels"].items()]

    def close(self):
        self.process.kill()
        self.process.wait()
        self.log.close()


@pytest.fixture
def alertmanager(tmp_path):
    if not PROGRAM:
        pytest.skip("no Alertmanager (Debian package prometheus-alertmanager)")
    server = Alertmanager(tmp_path / "alertmanager")
    yield server
    server.close()


def settings(server, warning, critical="> 2000000"):
    rule = {"metric": "host.processes_total", "warning": warning, "critical": critical, "doc": "Too many processes."}
    return {"hostname": "web-1", "url": "https://dash.example.com",
            "channels": {"am": {"type": "alertmanager", "url": server.url, "group": "0s"}},
            "rules": {"crowd": rule}}


def unix(text):
    return datetime.datetime.fromisoformat(text.replace("Z", "+00:00")).timestamp()


def change(agent, server, *limits):
    agent.write_config(settings(server, *limits))
    control.ask(agent, "config.reload")


def test_an_alert_appears_gets_worse_and_is_resolved(make_agent, alertmanager):
    agent = make_agent(settings=settings(alertmanager, "> 0")).start()
    alert = until(lambda: alertmanager.alerts(alertname="crowd"), 20, "the alert")[0]
    labels = alert["labels"]
    assert labels["severity"] == "warning" and labels["instance"] == "web-1" and labels["class"] == "host"
    assert labels["entity"].startswith("host/") and labels["metric"] == "processes_total"
    assert alert["status"]["state"] in ("unprocessed", "active")
    assert alert["annotations"]["summary"] and "above 0" in alert["annotations"]["description"]
    assert alert["generatorURL"].startswith("https://dash.example.com/")
    assert abs(unix(alert["startsAt"]) - time.time()) < 30
    # It is not told again for hours, and must not be taken for over by then.
    assert unix(alert["endsAt"]) > time.time() + 6 * 24 * 3600

    change(agent, alertmanager, "> 0", "> 1")
    until(lambda: alertmanager.alerts(alertname="crowd", severity="critical"), 20, "the critical alert")

    change(agent, alertmanager, "> 1000000", "> 2000000")
    until(lambda: not alertmanager.alerts(alertname="crowd"), 20, "the end of both alerts")


def test_stories_by_hand_are_alerts_until_they_are_ended(make_agent, alertmanager):
    agent = make_agent(settings=settings(alertmanager, "> 1000000")).start()
    hostile = "a \"quoted\" <b>\\n{{ .Labels }} \n😀" * 20
    control.ask(agent, "notify.send", title=hostile, text=hostile * 50, severity="critical", key="move")
    control.ask(agent, "notify.send", title="Hello")
    control.ask(agent, "notify.send", title="Hello again")
    alerts = until(lambda: len(a := alertmanager.alerts(alertname="message")) == 3 and a, 20, "three alerts")
    story = next(a for a in alerts if a["labels"].get("key") == "move")
    assert story["annotations"]["summary"].startswith('a "quoted" <b>\\n{{ .Labels }} ')
    control.ask(agent, "notify.send", title="Moved", key="move", end=True)
    until(lambda: not alertmanager.alerts(key="move"), 20, "the end of the story")
    assert len(alertmanager.alerts(alertname="message")) == 2


def test_many_at_once_all_arrive_and_all_end(make_agent, alertmanager):
    agent = make_agent(settings=settings(alertmanager, "> 1000000")).start()
    for end in (False, True):
        for i in range(45):
            control.ask(agent, "notify.send", title=f"Job {i}", severity="warning", key=f"job {i}", end=end)
        until(lambda end=end: len(alertmanager.alerts(alertname="message")) == (0 if end else 45), 20, "all of them")


def test_the_command_shows_what_alertmanager_says(make_agent, alertmanager):
    agent = make_agent(settings=settings(alertmanager, "> 1000000")).start()
    result = agent.cli("notify", "test", "am")
    assert result.returncode == 0 and "200" in result.stdout, result
    assert alertmanager.alerts(alertname="test", instance="web-1")
    alertmanager.close()
    result = agent.cli("notify", "test", "am")
    assert result.returncode == 1 and "connect" in (result.stdout + result.stderr).lower(), result

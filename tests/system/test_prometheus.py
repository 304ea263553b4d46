# SPDX-License-Identifier: Apache-2.0
"""Debian's Prometheus scrapes the agent."""

import json
import os
import shutil
import subprocess
import textwrap
import urllib.parse

import pytest

from harness import http
from harness.agent import ROOT, free_port
from harness.wait import until

CONFIG = """
global: {{scrape_interval: 1s, scrape_timeout: 1s, evaluation_interval: 1s}}
rule_files: [{rules}]
scrape_configs:
- job_name: agent
  authorization: {{credentials: {token}}}
  static_configs: [{{targets: ['127.0.0.1:{port}']}}]
"""


def rules_of_the_documentation():
    text = (ROOT / "agent/web/API.md").read_text()
    block = text[text.index("    groups:\n"):]
    return textwrap.dedent(block[:block.index("\n\n")])


@pytest.fixture
def prometheus(agent, tmp_path):
    """A Prometheus that scrapes `agent`; gives its URL."""
    if not shutil.which("prometheus"):
        pytest.skip("no prometheus (Debian package prometheus)")
    folder = tmp_path / "prometheus"
    folder.mkdir()
    config = folder / "prometheus.yml"
    (folder / "rules.yml").write_text(rules_of_the_documentation())
    config.write_text(CONFIG.format(token=agent.viewer_token, port=agent.port, rules=folder / "rules.yml"))
    port = free_port()
    with open(folder / "log", "wb") as log:
        process = subprocess.Popen(
            ["prometheus", f"--config.file={config}", f"--storage.tsdb.path={folder}/data",
             f"--web.listen-address=127.0.0.1:{port}"], stdin=subprocess.DEVNULL, stdout=log, stderr=log)
    yield f"http://127.0.0.1:{port}"
    process.terminate()
    process.wait(20)


def query(prometheus, expression):
    """Results of an instant query."""
    try:
        answer = http.request(f"{prometheus}/api/v1/query?query={urllib.parse.quote(expression)}")
    except OSError:
        return []
    return json.loads(answer.body)["data"]["result"] if answer.status == 200 else []


def test_prometheus_takes_what_the_agent_gives(agent, prometheus):
    until(lambda: [r for r in query(prometheus, "up") if r["value"][1] == "1"], 30, "a scrape without error")
    assert query(prometheus, "scrape_samples_scraped")
    for name in ("node_load1", "node_memory_MemTotal_bytes", "node_cpu_seconds_total", "node_filesystem_avail_bytes",
                 "node_network_receive_bytes_total", "node_disk_read_bytes_total"):
        assert query(prometheus, name), name
    total = float(query(prometheus, "node_memory_MemTotal_bytes")[0]["value"][1])
    assert total == agent.entities("host")["host"]["values"]["memory_total_bytes"]
    modes = {r["metric"]["mode"] for r in query(prometheus, "node_cpu_seconds_total")}
    assert {"user", "system", "idle", "iowait", "steal"} <= modes
    cores = {r["metric"]["cpu"] for r in query(prometheus, "node_cpu_seconds_total")}
    assert cores == {str(n) for n in range(os.cpu_count())}
    until(lambda: query(prometheus, "rate(node_cpu_seconds_total{mode='idle'}[10s]) > 0"), 15, "a rate")


@pytest.fixture
def agent(make_agent):
    """With a backup that works and one that does not."""
    return make_agent(settings={"databases": {
        "letter": {"engine": "command", "command": ["/bin/date"]}, "shop": {"engine": "command", "command": ["/bin/false"]},
    }}).start()


def test_prometheus_alerts_by_the_rules_of_the_documentation(agent, prometheus):
    """The name of a backup is a label that Prometheus does not take for its own `job`."""
    for name in ("letter", "shop"):
        assert agent.get(f"/api/v1/backups/jobs/{name}/run", method="POST").status == 200
    until(lambda: query(prometheus, 'agent_backup_last_run_ok{backup="letter", job="agent"} == 1'), 30, "the good one")
    assert query(prometheus, "time() - agent_backup_last_success_timestamp_seconds < 60")
    (alert,) = until(lambda: query(prometheus, "ALERTS{alertstate='firing'}"), 30, "the alert")
    assert (alert["metric"]["alertname"], alert["metric"]["backup"]) == ("BackupFailed", "shop")


CASES = """
rule_files: [rules.yml]
evaluation_interval: 1m
tests:
- interval: 1m
  input_series:
  - {series: 'agent_backup_overdue{backup="shop"}', values: '0 0 1 1 _ _ stale'}
  - {series: 'agent_backup_last_verify_ok{backup="shop"}', values: '1x10 0x10'}
  - {series: 'agent_backup_last_verify_timestamp_seconds{backup="shop"}', values: '0x30000'}
  alert_rule_test:
  - {alertname: BackupOverdue, eval_time: 1m, exp_alerts: []}
  - alertname: BackupOverdue
    eval_time: 2m
    exp_alerts: [{exp_labels: {backup: shop}, exp_annotations: {summary: "no good backup of shop in time on "}}]
  - {alertname: BackupUnknown, eval_time: 2m, exp_alerts: []}
  - alertname: BackupUnknown
    eval_time: 30m
    exp_alerts: [{exp_labels: {backup: shop}, exp_annotations: {summary: "nobody tells of the backup of shop: server, agent or job are gone"}}]
  - {alertname: BackupNotVerified, eval_time: 5m, exp_alerts: []}
  - &bad
    alertname: BackupNotVerified
    eval_time: 15m
    exp_alerts: [{exp_labels: {backup: shop}, exp_annotations: {summary: "the backup of shop on  is not known to be whole"}}]
  - {<<: *bad, eval_time: 15d}
"""


def test_promtool_takes_the_rules_of_the_documentation(tmp_path):
    if not shutil.which("promtool"):
        pytest.skip("no promtool (Debian package prometheus)")
    (tmp_path / "rules.yml").write_text(rules_of_the_documentation())
    (tmp_path / "cases.yml").write_text(CASES)
    for command in (["check", "rules", "rules.yml"], ["test", "rules", "cases.yml"]):
        r = subprocess.run(["promtool", *command], cwd=tmp_path, text=True, capture_output=True, check=False)
        assert r.returncode == 0, r.stdout + r.stderr


@pytest.mark.root
def test_promtool_has_nothing_to_complain_of(docker_agent, docker):
    if not shutil.which("promtool"):
        pytest.skip("no promtool (Debian package prometheus)")
    name = docker.run("exported", "sleep", "1000", options=("--memory=64m", "--cpus=0.5"))
    text = until(lambda: (t := docker_agent.get("/metrics").text) and name in t and t, 10, "the container in /metrics")
    r = subprocess.run(["promtool", "check", "metrics"], input=text, text=True, capture_output=True, check=False)
    # node_exporter's own names are not what promtool likes; nothing else may be found.
    faults = [line for line in (r.stdout + r.stderr).splitlines() if "should be written in 'snake_case'" not in line]
    assert not faults and r.returncode in (0, 3)
    assert f'container_memory_working_set_bytes{{' in text


def test_content_type_and_no_duplicate_series(agent):
    answer = agent.get("/metrics")
    assert answer.headers["Content-Type"].startswith("text/plain; version=0.0.4")
    series = [line.rsplit(" ", 1)[0] for line in answer.text.splitlines() if not line.startswith("#")]
    assert len(series) == len(set(series)) > 50

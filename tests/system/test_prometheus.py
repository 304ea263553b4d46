# SPDX-License-Identifier: Apache-2.0
"""Debian's Prometheus scrapes the agent."""

import json
import os
import shutil
import subprocess
import urllib.parse

import pytest

from harness import http
from harness.agent import free_port
from harness.wait import until

CONFIG = """
global: {{scrape_interval: 1s, scrape_timeout: 1s}}
scrape_configs:
- job_name: agent
  authorization: {{credentials: {token}}}
  static_configs: [{{targets: ['127.0.0.1:{port}']}}]
"""


@pytest.fixture
def prometheus(agent, tmp_path):
    """A Prometheus that scrapes `agent`; gives its URL."""
    if not shutil.which("prometheus"):
        pytest.skip("no prometheus (Debian package prometheus)")
    folder = tmp_path / "prometheus"
    folder.mkdir()
    config = folder / "prometheus.yml"
    config.write_text(CONFIG.format(token=agent.viewer_token, port=agent.port))
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

# SPDX-License-Identifier: Apache-2.0
"""The HTTP API: /metrics for Prometheus and for Dokploy."""

import os
import re
import shutil
import subprocess

import pytest

from harness.wait import until


@pytest.fixture
def agent(steady_agent):
    return steady_agent


# --- Prometheus


def test_promtool_finds_no_fault_but_node_exporters_own_names(agent):
    if not shutil.which("promtool"):
        pytest.skip("no promtool (Debian package prometheus)")
    text = agent.get("/metrics").text
    r = subprocess.run(["promtool", "check", "metrics"], input=text, text=True, capture_output=True, check=False)
    faults = [line for line in (r.stdout + r.stderr).splitlines()
              if not re.match(r"node_(memory|netstat|sockstat)_\w+ metric names should be written in 'snake_case'", line)]
    assert not faults
    assert r.returncode in (0, 3), "3: nothing but remarks on names"


def test_metrics_is_text_for_prometheus_and_json_for_dokploy(agent):
    assert agent.get("/metrics").headers["Content-Type"].startswith("text/plain; version=0.0.4")
    assert agent.get("/metrics?limit=5").headers["Content-Type"] == "application/json"
    for accept in ("text/plain", "application/openmetrics-text;version=1.0.0,text/plain;q=0.5,*/*;q=0.1"):
        answer = agent.get("/metrics?limit=5", headers={"Accept": accept})
        assert answer.headers["Content-Type"].startswith("text/plain")
    text = agent.get("/metrics").text
    for name in ("node_load1 ", "node_uname_info{", "agent_build_info{", "node_time_seconds ", 'node_cpu_seconds_total{cpu="0",mode="idle"} '):
        assert f"\n{name}" in text


# --- Dokploy


def test_dokploy_server_records(agent):
    records = until(lambda: agent.get("/metrics?limit=3").json(), 10, "a stored record")
    assert 1 <= len(records) <= 3
    assert [r["timestamp"] for r in records] == sorted({r["timestamp"] for r in records})
    record = records[-1]
    assert set(record) == {"cpu", "cpuModel", "cpuCores", "cpuPhysicalCores", "cpuSpeed", "os", "distro", "kernel", "arch",
                           "memUsed", "memUsedGB", "memTotal", "uptime", "diskUsed", "totalDisk", "networkIn", "networkOut",
                           "timestamp"}
    for name in ("cpu", "memUsed", "memUsedGB", "memTotal", "diskUsed", "totalDisk", "networkIn", "networkOut"):
        assert re.fullmatch(r"\d+\.\d\d", record[name]), name
    assert record["cpuCores"] == os.cpu_count() and 1 <= record["cpuPhysicalCores"] <= record["cpuCores"]
    assert isinstance(record["uptime"], int)
    assert record["arch"] == os.uname().machine
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ", record["timestamp"])


@pytest.mark.parametrize("limit", ["all", "x", "0", "-1", "100000"])
def test_dokploy_limit_is_bounded(agent, limit):
    answer = agent.get(f"/metrics?limit={limit}")
    assert answer.status == 200
    assert isinstance(answer.json(), list) and len(answer.json()) <= 5000


@pytest.mark.parametrize("query", ["", "?limit=5", "?limit=5&appName=", "?limit=5&appName=no-such-app", "?limit=all&appName=%2e%2e/host/host"])
def test_dokploy_has_an_empty_list_for_what_there_is_not(agent, query):
    answer = agent.get("/metrics/containers" + query)
    assert (answer.status, answer.body) == (200, b"[]")


def test_dokploy_errors_are_its_own(agent, client):
    for path in ("/metrics?limit=5", "/metrics/containers?limit=5&appName=x"):
        assert agent.get(path, token=None).json() == {"error": "Authorization header is required"}
        assert agent.get(path, token="wrong", headers=client).json() == {"error": "Invalid token"}

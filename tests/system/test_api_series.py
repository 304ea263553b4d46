# SPDX-License-Identifier: Apache-2.0
"""The HTTP API: stored history."""

import time
import urllib.parse

import pytest

from harness.wait import until


@pytest.fixture
def agent(steady_agent):
    return steady_agent


def series(agent, **params):
    return agent.get("/api/v1/series?" + urllib.parse.urlencode(params, doseq=True))


def test_series_of_several_metrics_and_entities(agent):
    until(lambda: known_values(agent, "host/host", "cpu_used_percent"), 10, "a stored value")
    # Two classes have this name in common.
    answer = series(agent, entity=["host/host", "agent/agent"], metric="cpu_used_percent", **{"from": -60}).json()
    assert [s["entity"] for s in answer["series"]] == ["host/host", "agent/agent"]
    answer = series(agent, entity="host/host", metric="cpu_used_percent,load1", **{"from": -60, "points": 10}).json()
    (one,) = answer["series"]
    assert one["metrics"] == ["cpu_used_percent", "load1"]
    assert len(one["values"]) == 2 and 1 <= len(one["values"][0]) == len(one["values"][1]) <= 10
    last = one["start"] + (len(one["values"][0]) - 1) * one["step"]
    assert answer["from"] <= one["start"] and last <= answer["to"] + one["step"]
    assert all(0 <= v <= 100 for v in one["values"][0] if v is not None)


def test_everything_measured_gets_a_history(agent):
    """Whatever the class; keys that are paths are decoded."""
    stored = {c["name"]: [m["name"] for m in c["metrics"] if m["stored"]] for c in agent.api("classes")["classes"]}
    for e in agent.api("entities")["entities"]:
        known = [m for m in stored[e["class"]] if e["live"] and e["values"][m] is not None]
        if not known or e["class"] in ("container", "service"):
            continue
        name = f"{e['class']}/{e['key']}"
        until(lambda: known_values(agent, name, known[0]), 10, f"the history of {name}")


def known_values(agent, name, metric):
    (one,) = series(agent, entity=name, metric=metric, **{"from": -60}).json()["series"]
    assert one["entity"] == name
    return [v for v in one["values"][0] if v is not None]


def test_series_of_what_nobody_ever_saw_is_404(agent):
    answer = series(agent, entity="container/no-such", metric="cpu_used_percent")
    assert answer.status == 404
    assert "no-such" in answer.json()["error"]
    answer = series(agent, entity=["host/host", "host/../../etc/passwd"], metric="load1")
    assert answer.status == 404


@pytest.mark.parametrize("params, text", [
    ({"metric": "load1"}, "entity"),
    ({"entity": "host/host"}, "metric"),
    ({"entity": "host", "metric": "load1"}, "CLASS/KEY"),
    ({"entity": "planet/x", "metric": "load1"}, "planet/x"),
    ({"entity": "host/host", "metric": "loud"}, "loud"),
    ({"entity": "host/host", "metric": "cpu_cores"}, "history"),
    ({"entity": "host/host", "metric": "load1", "points": 1}, "points"),
    ({"entity": "host/host", "metric": "load1", "points": 5001}, "points"),
    ({"entity": "host/host", "metric": "load1", "points": "many"}, "points"),
    ({"entity": "host/host", "metric": "load1", "how": "median"}, "how"),
    ({"entity": "host/host", "metric": "load1", "from": -10, "to": -20}, "before"),
    ({"entity": "host/host", "metric": "load1", "from": "yesterday"}, "from"),
    ({"entity": "host/host", "metric": ["load1"] * 31}, "30 metrics"),
    ({"entity": ["host/host"] * 201, "metric": "load1"}, "200 entities"),
    ({"entity": ["host/host"] * 100, "metric": "load1", "points": 5000}, "400000"),
])
def test_series_mistakes_are_named(agent, params, text):
    answer = series(agent, **params)
    assert answer.status == 400
    assert text in answer.json()["error"]


def test_series_of_any_range_stay_small_and_quick(agent):
    began = time.monotonic()
    for first, last in ((1, 253402300799), (-10**11, 0), (-31536000, 0)):
        answer = series(agent, entity=["host/host"] * 200, metric="load1", points=100, **{"from": first, "to": last})
        assert answer.status == 200
        assert all(len(s["values"][0]) <= 100 for s in answer.json()["series"])
    assert time.monotonic() - began < 10

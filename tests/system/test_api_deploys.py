# SPDX-License-Identifier: Apache-2.0
"""The routes of deploys: what is asked of the daemon, what is refused before, the live stream, Prometheus. The daemon is a stand-in:
what it has to say must be foretold."""

import shutil
import subprocess

import pytest

from harness.deploy_story import HOSTILE, Story
from harness.sse import Stream
from harness.wait import until
from harness.web_process import WebProcess

READ = ["apps", "deploys", "deploys/7", "deploys/7/log"]
ADMIN = ["apps/shop/check", "deploys/refused"]
ACT = [("apps/shop/deploy", {}), ("apps/shop/rollback", {}), ("deploys/7/cancel", {})]


@pytest.fixture(name="story")
def a_story():
    return Story()


@pytest.fixture(name="agent")
def process(tmp_path, story):
    process = WebProcess(tmp_path, story.handlers)
    yield process
    process.finish()


def ask(agent, method, path, body=None, **how):
    return agent.get("/api/v1/" + path, method=method, body=body, **how)


def last(agent, op):
    """The last question of that kind, without what all have."""
    return {k: v for k, v in agent.questions(op)[-1].items() if k not in ("id", "op", "as")}


def refused(agent, method, path, body, status, text):
    answer = ask(agent, method, path, body)
    assert answer.status == status, answer
    assert text in answer.json()["error"]


def metrics(agent):
    return agent.get("/metrics").text.splitlines()


def test_viewers_read_and_only_admins_act(agent):
    for path in READ:
        assert ask(agent, "GET", path, token="viewer").status == 200, path
        assert ask(agent, "GET", path, token=None).status == 401, path
    for path in ADMIN:
        assert ask(agent, "GET", path).status == 200, path
        assert ask(agent, "GET", path, token="viewer").status == 403, path
    for path, body in ACT:
        assert ask(agent, "POST", path, body, token="viewer").status == 403, path
        assert ask(agent, "POST", path, body, token=None).status == 401, path
        assert ask(agent, "POST", path, body, headers={"Origin": "https://evil.example"}).status == 403, path
    for op in ("deploy.start", "deploy.rollback", "deploy.cancel"):
        assert not agent.questions(op)
    assert agent.questions("deploy.apps")[-1]["as"] == {"role": "viewer", "from": "127.0.0.1"}
    assert agent.questions("deploy.log")[-1]["as"] == {"role": "viewer", "from": "127.0.0.1"}


def test_apps_and_deploys_are_the_daemons(agent, story):
    answer = agent.api("apps")
    assert [a["name"] for a in answer["apps"]] == ["blog", "shop", "worker"] and answer["max_builds"] == 1
    assert HOSTILE in answer["apps"][1]["source"] and answer["apps"][1]["serves"]["id"] == story.apps["shop"]["serves"]["id"]
    assert len(agent.api("deploys")["deploys"]) == 16
    agent.api("deploys?app=shop&limit=20&before=100")
    assert last(agent, "deploy.list") == {"app": "shop", "limit": 20, "before": 100}
    for bad in ("limit=0", "limit=501", "before=x", "app=" + "x" * 64):
        assert ask(agent, "GET", "deploys?" + bad).status == 400, bad
    assert agent.api("deploys/12")["deploy"]["id"] == 12
    refused(agent, "GET", "deploys/999", None, 404, "999")
    for bad in ("0", "x", "1e3", str(2**60)):
        assert ask(agent, "GET", "deploys/" + bad).status == 400, bad


def test_a_deploy_is_begun_with_what_was_asked(agent):
    answer = ask(agent, "POST", "apps/shop/deploy")
    assert answer.status == 200 and answer.json() == {"deploy": 17, "superseded": 0, "duplicate": False}
    assert last(agent, "deploy.start") == {"app": "shop"}
    assert agent.questions("deploy.start")[-1]["as"] == {"role": "admin", "from": "127.0.0.1"}
    body = {"ref": "release/7.1 ✓", "commit": "0123456789abcdef"}
    assert ask(agent, "POST", "apps/shop/deploy", body).status == 200
    assert last(agent, "deploy.start") == {"app": "shop", **body}
    assert ask(agent, "POST", "apps/shop/deploy", {"image": "registry.example.com:5000/shop:7"}).status == 200
    refused(agent, "POST", "apps/nothing/deploy", {}, 404, "nothing")
    refused(agent, "POST", "apps/shop/deploy", {"app": "blog"}, 400, "may not have \"app\"; it may have ref, commit, image")
    refused(agent, "POST", "apps/shop/deploy", {"ref": ""}, 400, "ref must not be empty")
    refused(agent, "POST", "apps/shop/deploy", {"ref": "x" * 256}, 400, "256")
    refused(agent, "POST", "apps/shop/deploy", {"commit": 7}, 400, "commit must be a string")


def test_a_rollback_and_a_cancel(agent, story):
    assert ask(agent, "POST", "apps/shop/rollback").status == 200
    assert last(agent, "deploy.rollback") == {"app": "shop"}
    assert ask(agent, "POST", "apps/shop/rollback", {"to": 3}).status == 200
    assert last(agent, "deploy.rollback") == {"app": "shop", "to": 3}
    refused(agent, "POST", "apps/shop/rollback", {"to": "3"}, 400, "to must be an integer")
    d = story.begin("blog")
    answer = ask(agent, "POST", f"deploys/{d['id']}/cancel")
    assert answer.status == 200 and answer.json()["deploy"]["state"] == "cancelled"
    refused(agent, "POST", f"deploys/{d['id']}/cancel", None, 404, "under way")
    d["state"] = "returning"
    refused(agent, "POST", f"deploys/{d['id']}/cancel", None, 409, "is finished first")
    refused(agent, "POST", "deploys/7/cancel", {"why": "x"}, 400, "must be empty")


def test_hooks_and_refused_deliveries_are_shown(agent, story):
    story.refused = [{"time_ms": 5, "app": "shop", "peer": "203.0.113.9", "provider": "github", "event": "push", "status": 401,
                      "why": HOSTILE}]
    assert agent.api("deploys/refused?limit=7")["refused"] == story.refused
    assert last(agent, "deploy.refused") == {"limit": 7}
    assert agent.api("apps/shop/check") == {"stages": [], "problems": 0}
    assert last(agent, "deploy.check") == {"app": "shop"}
    assert ask(agent, "POST", "deploys/refused", {}).status == 405


def test_the_live_stream_tells_of_deploys(agent, story):
    stream = Stream(agent, "?class=agent")
    stream.event()
    d = story.begin("shop")
    agent.push("deploy", deploy={**d, "document": {"commits": ["x" * 500000]}})
    agent.push("backup", run={"run": d["id"], "state": "running"})
    assert stream.data("deploy")["deploy"] == d, "without what only hooks need"
    assert stream.data("backup")["run"]["run"] == d["id"]
    story.end(d)
    agent.push("deploy", deploy=d)
    assert stream.data("deploy")["deploy"]["state"] == "done"
    stream.close()


def test_prometheus_has_the_apps(agent, story):
    story.begin("blog")
    lines = metrics(agent)
    good = story.apps["shop"]["serves"]
    took = (good["ended_ms"] - good["started_ms"]) / 1000
    assert f'agent_deploy_last_success_timestamp_seconds{{app="shop"}} {good["ended_ms"] / 1000:.3f}'.rstrip("0") in lines
    assert f'agent_deploy_last_duration_seconds{{app="shop"}} {took:g}' in lines
    assert 'agent_deploy_last_downtime_seconds{app="shop"} 0' in lines
    assert 'agent_deploy_last_ok{app="shop"} 1' in lines and 'agent_deploy_last_ok{app="blog"} 0' in lines
    assert 'agent_deploy_running{app="blog"} 1' in lines and 'agent_deploy_running{app="shop"} 0' in lines
    assert not any(line.startswith("agent_deploy_last") and "worker" in line for line in lines), "unknown is left out"


def test_promtool_finds_no_fault(agent):
    if not shutil.which("promtool"):
        pytest.skip("no promtool (Debian package prometheus)")
    text = agent.get("/metrics").text
    r = subprocess.run(["promtool", "check", "metrics"], input=text, text=True, capture_output=True, check=False)
    assert (r.returncode, r.stdout + r.stderr) == (0, "")
    assert text.count("# TYPE agent_deploy_") == 6 and "# TYPE agent_deploys_total counter" in text


def test_scrapes_ask_again_only_after_news(agent, story):
    metrics(agent)
    asked = len(agent.questions("deploy.apps"))
    for _ in range(5):
        metrics(agent)
    assert len(agent.questions("deploy.apps")) == asked
    for event in ({"event": "deploy", "deploy": story.deploys[0]}, {"event": "config.changed"}):
        agent.push(**event)
        until(lambda: metrics(agent) and len(agent.questions("deploy.apps")) > asked, 5, f"a new question after {event['event']}")
        asked = len(agent.questions("deploy.apps"))


def test_ends_are_counted(agent, story):
    d = story.begin("shop")
    agent.push("deploy", deploy=d)
    assert 'agent_deploys_total{app="shop",state="done"} 0' in metrics(agent)
    story.end(d)
    for _ in range(3):
        agent.push("deploy", deploy=d)
    until(lambda: 'agent_deploys_total{app="shop",state="done"} 1' in metrics(agent), 5, "it is counted, once")


def test_metrics_do_without_the_apps(agent):
    del agent.handlers["deploy.apps"]
    lines = metrics(agent)
    assert any(line.startswith("node_time_seconds") for line in lines) and not any("agent_deploy" in line for line in lines)


def test_the_description_has_the_routes(agent):
    paths = agent.api("openapi.json")["paths"]
    body = paths["/api/v1/apps/{app}/deploy"]["post"]["requestBody"]["content"]["application/json"]["schema"]
    assert set(body["properties"]) == {"ref", "commit", "image"}
    assert "text/plain" in paths["/api/v1/deploys/{deploy}/log"]["get"]["responses"]["200"]["content"]
    assert {p for p in paths if "/apps" in p or "/deploys" in p} == {
        "/api/v1/apps", "/api/v1/apps/{app}/check", "/api/v1/apps/{app}/deploy", "/api/v1/apps/{app}/rollback", "/api/v1/deploys",
        "/api/v1/deploys/refused", "/api/v1/deploys/{deploy}", "/api/v1/deploys/{deploy}/cancel", "/api/v1/deploys/{deploy}/log"}

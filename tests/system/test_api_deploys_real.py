# SPDX-License-Identifier: Apache-2.0
"""The routes of deploys with the real daemon and real hooks: from the button to Prometheus."""

import pytest

from harness.agent import Agent
from harness.deploy_jobs import Jobs, ended
from harness.log_stream import LogStream
from harness.sse import Stream
from harness.wait import until


@pytest.fixture(name="shop", scope="module")
def a_shop(tmp_path_factory):
    folder = tmp_path_factory.mktemp("shop")
    jobs = Jobs(folder)
    jobs.agent = Agent(folder / "agent", jobs.settings).start(samples=1)
    yield jobs
    jobs.agent.finish()


def post(agent, path, body=None, status=200):
    answer = agent.get("/api/v1/" + path, method="POST", body=body)
    assert answer.status == status, answer
    return answer.json()


def app(agent):
    return agent.api("apps")["apps"][0]


def metrics(agent):
    return [line for line in agent.get("/metrics").text.splitlines() if line.startswith("agent_deploy")]


def test_from_the_button_to_prometheus(shop):
    agent = shop.agent
    assert "serves" not in app(agent) and not [line for line in metrics(agent) if "last" in line]
    commit = shop.commit("Mend the basket", slow="yes")
    live = Stream(agent, "?class=agent")
    live.event()
    number = post(agent, "apps/shop/deploy")["deploy"]
    log = LogStream(agent, number)
    while not any("step 3 of 3" in line for line in log.lines):
        assert log.event()[0] == "log"
    until(lambda: app(agent)["current"]["state"] == "building", 10, "the build")
    assert 'agent_deploy_running{app="shop"} 1' in metrics(agent)
    shop.gate.write_text("go")
    log.rest()
    d = ended(agent, number)
    assert (d["state"], d["commit"], d["subject"], d["author"]) == ("done", commit, "Mend the basket", "Ann"), log.lines
    assert d["trigger"] == "api" and "web admin" in d["by"]
    assert shop.serves == f"line-{number}"
    states = []
    while "done" not in states:
        told = live.data("deploy")["deploy"]
        assert told["id"] == number and "document" not in told
        states.append(told["state"])
    live.close()
    assert [s for s in ("queued", "fetching", "building", "starting", "routing") if s in states] == [
        "queued", "fetching", "building", "starting", "routing"]
    assert agent.get(f"/api/v1/deploys/{number}/log").text.splitlines() == log.lines
    assert app(agent)["serves"]["id"] == number and "current" not in app(agent)
    assert f'agent_deploy_last_success_timestamp_seconds{{app="shop"}} {d["ended_ms"] / 1000:.3f}'.rstrip("0").rstrip(".") in metrics(agent)
    assert 'agent_deploy_last_ok{app="shop"} 1' in metrics(agent) and 'agent_deploy_running{app="shop"} 0' in metrics(agent)


def test_a_failure_has_the_programs_own_words_and_changes_nothing(shop):
    agent, serves = shop.agent, shop.serves
    shop.commit("Break it", broken="yes", slow=None)
    number = post(agent, "apps/shop/deploy", {"ref": "main"})["deploy"]
    d = ended(agent, number)
    assert d["state"] == "failed" and d["failed_in"] == "building" and d["error"]
    assert "the compiler says: no" in agent.get(f"/api/v1/deploys/{number}/log").text
    assert shop.serves == serves and app(agent)["last"]["id"] == number
    assert 'agent_deploy_last_ok{app="shop"} 0' in metrics(agent)


def test_there_and_back(shop):
    agent = shop.agent
    first = app(agent)["serves"]
    shop.commit("The next version", broken=None, slow=None)
    number = post(agent, "apps/shop/deploy")["deploy"]
    assert ended(agent, number)["state"] == "done" and app(agent)["can_rollback"]
    back = post(agent, "apps/shop/rollback")["deploy"]
    d = ended(agent, back)
    assert (d["state"], d["rollback_of"], d["commit"]) == ("done", first["id"], first["commit"])
    assert "build" not in [s["stage"] for s in d["stages"]]
    answer = agent.get("/api/v1/apps/shop/rollback", method="POST", body={"to": 9999})
    assert answer.status == 404 and "9999" in answer.json()["error"]


def test_a_build_that_is_cancelled(shop):
    agent, serves = shop.agent, shop.serves
    shop.gate.unlink()
    shop.commit("Slow", slow="yes")
    number = post(agent, "apps/shop/deploy")["deploy"]
    log = LogStream(agent, number)
    while not any("step 3 of 3" in line for line in log.lines):
        assert log.event()[0] == "log"
    assert post(agent, f"deploys/{number}/cancel")["deploy"]["state"] == "cancelled"
    log.rest()
    assert shop.serves == serves
    assert agent.get(f"/api/v1/deploys/{number}/cancel", method="POST").status == 404


def test_hooks_and_refused_deliveries(shop):
    agent = shop.agent
    check = agent.api("apps/shop/check")
    rows = {(s["stage"], s["name"]): s for s in check["stages"]}
    assert rows["build", "make"]["override"] and rows["build", "make"]["path"].endswith("hooks/build/make"), check
    headers = {"Content-Type": "application/json", "X-GitHub-Event": "push", "X-GitHub-Delivery": "1",
               "X-Hub-Signature-256": "sha256=" + "0" * 64}
    body = b'{"ref": "refs/heads/main", "after": "%s", "repository": {"full_name": "a/b"}}' % (b"1" * 40)
    assert agent.get("/deploy/shop", headers, token=None, method="POST", body=body).status == 401
    until(lambda: agent.api("deploys/refused")["refused"], 10, "the refused delivery")
    refused = agent.api("deploys/refused")["refused"][0]
    assert (refused["app"], refused["status"], refused["provider"]) == ("shop", 401, "github") and refused["why"]


def test_what_is_not_there(shop):
    for path in ("apps/nothing/deploy", "apps/nothing/rollback", "deploys/9999/cancel"):
        assert shop.agent.get("/api/v1/" + path, method="POST").status == 404, path
    for path in ("deploys/9999", "deploys/9999/log", "apps/nothing/check"):
        assert shop.agent.get("/api/v1/" + path).status == 404, path

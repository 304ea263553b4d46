# SPDX-License-Identifier: Apache-2.0
"""The routes of alerts, silences, events, channels and deliveries, with rules that fire at once. One agent serves all tests."""

import json
import time

import pytest

from harness.agent import Agent, free_port
from harness.alerting import BUILTIN_OFF, channel, rule
from harness.providers import Webhook
from harness.sse import Stream
from harness.wait import until

READ = ["alerts", "alerts/rules", "channels", "deliveries", "events", "silences"]
ACT = [
    ("POST", "alerts/ack", {"alert": 1}),
    ("POST", "channels/hook/test", {}),
    ("POST", "events", {"title": "x"}),
    ("POST", "silences", {"seconds": 60}),
    ("DELETE", "silences/1", None),
]
# Whenever the tests run, the window of maintenance is not now.
ANOTHER_DAY = time.strftime("%a", time.localtime(time.time() + 3 * 86400)).lower()
HOSTILE = "<img src=x onerror=alert(1)> \u202e\U0001f525"


@pytest.fixture(scope="module")
def hook():
    provider = Webhook()
    yield provider
    provider.close()


@pytest.fixture(scope="module")
def agent(tmp_path_factory, hook):
    folder = tmp_path_factory.mktemp("alerts")
    settings = {
        "rules": {
            **BUILTIN_OFF,
            "low": rule("> 0.1", doc="Made to fire.", critical="> 100"),
            "later": rule("> 0.1", **{"for": "1h"}),
            "never": rule("> 100"),
        },
        "channels": {
            "hook": channel(hook, folder),
            "dead": {"type": "webhook", "url": f"http://127.0.0.1:{free_port()}/", "group": "0s"},
            "slow": {"type": "command", "command": ["/bin/sh", "-c", "sleep 6; echo took its time"], "events": ["none"]},
        },
        "maintenance": {"weekly": {"schedule": f"0 3 * * {ANOTHER_DAY}", "duration": "2h"}},
    }
    agent = Agent(folder, settings=settings).start(samples=3)
    yield agent
    agent.finish()


def ask(agent, method, path, body=None, **how):
    return agent.get("/api/v1/" + path, method=method, body=body, **how)


def done(agent, method, path, body=None):
    answer = ask(agent, method, path, body)
    assert answer.status == 200, answer
    return answer.json()


def refused(agent, method, path, body, status, text):
    answer = ask(agent, method, path, body)
    assert answer.status == status, answer
    assert text in answer.json()["error"]


def alert(agent, name="low"):
    return next((a for a in agent.api("alerts")["alerts"] if a["rule"] == name), None)


def firing(agent):
    return until(lambda: (a := alert(agent)) and a["state"] == "firing" and a["id"] and a, 10, "the alert of the rule `low`")


def test_viewers_read_and_only_admins_act(agent):
    for path in READ:
        assert ask(agent, "GET", path, token="viewer").status == 200, path
        assert ask(agent, "GET", path, token=None).status == 401, path
    for method, path, body in ACT:
        assert ask(agent, method, path, body, token="viewer").status == 403, path
        assert ask(agent, method, path, body, token=None).status == 401, path


def test_another_site_cannot_act(agent):
    for method, path, body in ACT:
        answer = ask(agent, method, path, body, headers={"Origin": "https://evil.example"})
        assert answer.status == 403, path


def test_what_fires(agent):
    low = firing(agent)
    host = agent.entities("host")["host"]["values"]
    assert (low["class"], low["entity"], low["metric"], low["unit"]) == ("host", "host", "memory_used_percent", "percent")
    assert (low["level"], low["worst"]) == ("warning", "warning")
    assert abs(low["value"] - host["memory_used_percent"]) < 5
    assert "0.1" in low["limit"] and low["title"] and low["doc"] == "Made to fire."
    now = time.time() * 1000
    assert now - 60000 < low["since_ms"] <= low["fired_ms"] <= now
    later = alert(agent, "later")
    assert later["state"] == "pending" and later["fired_ms"] == 0
    assert alert(agent, "never") is None
    answer = agent.api("alerts")
    assert (answer["firing"], answer["pending"], answer["worst"]) == (1, 1, "warning")
    assert "id" not in answer and "ok" not in answer


def test_rules_with_their_state(agent):
    firing(agent)
    rules = {r["name"]: r for r in agent.api("alerts/rules")["rules"]}
    low = rules["low"]
    assert (low["watched"], low["firing"], low["enabled"], low["builtin"]) == (1, 1, True, False)
    assert low["metric"] == "host.memory_used_percent" and "0.1" in low["warning"] and "100" in low["critical"]
    assert low["origin"].startswith(str(agent.config) + ":")
    assert rules["later"]["pending"] == 1 and rules["later"]["for_ms"] == 3600 * 1000
    assert rules["never"]["firing"] == 0
    assert all(rules[name]["builtin"] and not rules[name]["enabled"] for name in BUILTIN_OFF)


def test_acknowledge(agent):
    low = firing(agent)
    refused(agent, "POST", "alerts/ack", {"alert": low["id"] + 1000}, 404, "")
    refused(agent, "POST", "alerts/ack", {}, 400, "alert")
    refused(agent, "POST", "alerts/ack", {"id": low["id"]}, 400, "may not have \"id\"; it may have alert, rule, entity, reason")
    refused(agent, "POST", "alerts/ack", b"nonsense", 400, "JSON object")
    assert done(agent, "POST", "alerts/ack", {"alert": low["id"], "reason": HOSTILE}) == {"acknowledged": 1}
    low = alert(agent)
    assert low["acknowledged_by"] and "127.0.0.1" in low["acknowledged_by"]
    assert low["acknowledged_reason"].startswith("<img src=x onerror=alert(1)>")


def test_a_silence_mutes_until_it_is_removed(agent):
    firing(agent)
    refused(agent, "POST", "silences", {"rule": "low"}, 400, "seconds is missing")
    refused(agent, "POST", "silences", {"seconds": 0}, 400, "seconds must be from 1 to")
    refused(agent, "POST", "silences", {"seconds": 60, "for": "1h"}, 400, "may not have \"for\"")
    silence = done(agent, "POST", "silences", {"rule": "lo?", "entity": "host/*", "seconds": 600, "reason": "moving"})["silence"]
    listed = {s["id"]: s for s in agent.api("silences")["silences"]}[silence]
    assert (listed["rule"], listed["entity"], listed["reason"]) == ("lo?", "host/*", "moving")
    assert abs(listed["until_ms"] - listed["from_ms"] - 600000) < 1000 and listed["by"]
    until(lambda: "moving" in alert(agent).get("muted", ""), 10, "the muted alert")
    assert done(agent, "DELETE", f"silences/{silence}") == {}
    until(lambda: "muted" not in alert(agent), 10, "the alert to be told again")
    refused(agent, "DELETE", f"silences/{silence}", None, 404, "")
    refused(agent, "DELETE", "silences/x", None, 400, "whole number")


def test_maintenance_windows(agent):
    (window,) = agent.api("silences")["maintenance"]
    assert window["name"] == "weekly"
    assert not window["active"] and window["next_ms"] > time.time() * 1000


def test_history_is_paged_and_filtered(agent):
    firing(agent)
    texts = ["first", "second", HOSTILE]
    ids = [done(agent, "POST", "events", {"title": t, "text": "a\nb", "severity": "info"})["event"] for t in texts]
    refused(agent, "POST", "events", {"text": "without a title"}, 400, "title is missing")
    refused(agent, "POST", "events", {"title": "x", "severity": "bad"}, 400, "severity")
    refused(agent, "POST", "events", {"title": "x" * 501}, 400, "501")
    page = agent.api("events?kinds=message&limit=2")["events"]
    assert [e["id"] for e in page] == ids[:0:-1], "newest first"
    assert page[0]["title"].startswith("<img src=x onerror=alert(1)>")
    assert page[1]["text"] == "a\nb" and page[1]["kind"] == "message"
    before = agent.api(f"events?kinds=message&limit=2&before={ids[1]}")["events"]
    assert [e["id"] for e in before] == ids[:1]
    mine = agent.api("events?entity=host/host&kinds=alert.*")["events"]
    assert [(e["rule"], e["kind"]) for e in mine] == [("low", "alert.firing")]
    assert {d["channel"] for d in mine[0]["deliveries"]} == {"hook", "dead"}
    for bad in ("limit=0", "limit=501", "before=x"):
        assert ask(agent, "GET", "events?" + bad).status == 400


def test_deliveries_tell_what_became_of_each(agent, hook):
    firing(agent)
    sent = until(lambda: agent.api("deliveries?channel=hook&state=sent")["deliveries"], 15, "a delivery")
    assert all((d["channel"], d["state"]) == ("hook", "sent") for d in sent)
    assert sent[-1]["kind"] == "alert.firing" and sent[-1]["settled_ms"] > 0
    waiting = until(lambda: [d for d in agent.api("deliveries?channel=dead")["deliveries"] if d["attempts"]], 15, "a failure")
    assert waiting[-1]["state"] == "waiting" and waiting[-1]["error"]
    assert agent.api("deliveries?limit=1")["deliveries"][0]["id"] >= sent[0]["id"]


def test_channels_say_what_they_do(agent):
    firing(agent)

    def both():
        channels = {c["name"]: c for c in agent.api("channels")["channels"]}
        assert channels["hook"]["last_sent_ms"] > 0 and channels["dead"]["failures"] > 0
        return channels

    channels = until(both, 15, "one that works, one that does not")
    dead = channels["dead"]
    assert dead["doing"] == "waiting" and dead["waiting"] >= 1 and dead["last_error"] and dead["next_ms"] > 0
    assert channels["hook"]["type"] == "webhook" and channels["hook"]["origin"].startswith(str(agent.config) + ":")
    assert Webhook.secret not in json.dumps(channels)


def test_a_test_message_answers_what_the_provider_said(agent, hook):
    result = done(agent, "POST", "channels/hook/test")
    assert result["sent"] is True and result["status"] == 200 and json.loads(result["answer"]) == {"ok": True}
    hook.next("refuse", status=410)
    result = done(agent, "POST", "channels/hook/test", {})
    assert result["sent"] is False and result["status"] == 410 and result["answer"] == "no"
    result = done(agent, "POST", "channels/dead/test", {})
    assert result["sent"] is False and (result["why"] or result["answer"])
    refused(agent, "POST", "channels/nobody/test", {}, 404, "nobody")
    refused(agent, "POST", "channels/hook/test", {"to": "x"}, 400, "must be empty")


def test_a_test_message_may_take_longer_than_other_questions(agent):
    result = done(agent, "POST", "channels/slow/test", {})
    assert result["sent"] is True and result["took_ms"] >= 6000


def test_the_live_stream_tells_what_fires(agent):
    firing(agent)
    stream = Stream(agent, "?class=agent")
    assert stream.data("alerts") == {"firing": 1, "worst": "warning"}, "at its beginning"
    silence = done(agent, "POST", "silences", {"rule": "low", "seconds": 600})["silence"]
    assert stream.data("alerts")["firing"] == 1, "after a change"
    assert stream.data("sample")["entities"][0]["class"] == "agent", "and samples as before"
    done(agent, "DELETE", f"silences/{silence}")
    stream.close()

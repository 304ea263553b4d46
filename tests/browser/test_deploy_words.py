# SPDX-License-Identifier: Apache-2.0
"""Deploys in words: steps, who wanted it, which versions can be gone back to; the parts that only calculate, in the browser."""

import json

import pytest

NOW = 1795240000
MS = NOW * 1000
OLD = {"image": "shop:1", "container": "shop-1", "address": "", "digest": ""}
NONE = {"image": "", "container": "", "address": "", "digest": ""}
DEPLOY = {"id": 7, "app": "shop", "state": "building", "strategy": "start-first", "ref": "refs/heads/main", "commit": "0123456789abcdef",
          "rollback_of": 0, "stages": [], "new": NONE, "old": OLD, "started_ms": MS - 60000, "ended_ms": 0, "deadline_ms": 0,
          "downtime_ms": -1, "error": "", "attempt": 1}


@pytest.fixture(scope="module")
def js(chromium, server):
    chromium.fresh()
    chromium.open(server)

    def call(function, *arguments, module="deploywords"):
        text = ", ".join(json.dumps(a) for a in arguments)
        value = chromium.module(f"const m = await import('/assets/{module}.js'); return JSON.stringify(m.{function}({text}) ?? null)")
        return json.loads(value.replace("\u00a0", " "))

    return call


def stage(name, took=1000, state="done", verb="apply", **more):
    return {"stage": name, "verb": verb, "state": state, "started_ms": MS - took, "ended_ms": 0 if state == "running" else MS, "attempts": 1, **more}


def steps(js, *stages, **deploy):
    return [(s["title"], s["state"]) for s in js("stepsOf", DEPLOY | {"stages": list(stages)} | deploy, NOW)]


def test_the_steps_to_come(js):
    assert [t for t, _ in steps(js)] == ["Fetch", "Build", "Start", "Probe", "Route", "Watch", "Drain", "Clean up"]
    assert [t for t, _ in steps(js, strategy="recreate")] == ["Fetch", "Build", "Stop old", "Start", "Probe", "Route", "Watch", "Clean up"]
    assert [t for t, _ in steps(js, old=NONE)] == ["Fetch", "Build", "Start", "Probe", "Route", "Watch", "Clean up"]
    assert [t for t, _ in steps(js, ref="", commit="")][0] == "Build", "an image is not fetched"
    assert [t for t, _ in steps(js, rollback_of=3)][0] == "Start", "a rollback builds nothing"


def test_gates_and_what_has_no_hook_are_no_steps_of_their_own(js):
    shown = steps(js, stage("fetch"), stage("filter", 2), stage("pre-build", 1), stage("build", 41000), stage("push", 2, nothing=True), stage("release", 1, nothing=True),
                  stage("pre-start", 1, nothing=True), stage("start", state="running"))
    assert shown[:3] == [("Fetch", "done"), ("Build", "done"), ("Start", "running")]
    assert ("Push", "done") in steps(js, stage("push", 20)), "where something is pushed it is one"


def test_what_was_never_reached_is_left_out_at_the_end(js):
    failed = steps(js, stage("fetch"), stage("build", state="failed"), state="failed")
    assert failed == [("Fetch", "done"), ("Build", "failed")]
    back = steps(js, stage("fetch"), stage("build"), stage("start"), stage("probe", state="failed"), stage("start", verb="revert"), state="failed")
    assert back[-2:] == [("Probe", "failed"), ("Remove the new", "done")]
    assert steps(js, stage("route"), stage("watch", state="failed", verb=""), stage("route", verb="revert", state="running"),
                 state="returning", after="rolled_back", rollback_of=1)[-1] == ("Back to the old", "running")


def test_how_long_steps_took(js):
    text = js("stepsText", DEPLOY | {"stages": [stage("fetch", 1400), stage("build", 89000, attempts=2), stage("start", 5000, "failed")]}, NOW)
    assert text == "Fetch 1.4 s, Build 1 min 29 s (2 attempts), Start 5.0 s failed"
    assert [js("tookText", ms) for ms in (0, 40, 999, 1000, 9990, 41500, 60000, 3599000, 7200000)] == [
        "0 ms", "40 ms", "999 ms", "1.0 s", "9.9 s", "41 s", "1 min", "59 min 59 s", "2 h"]


def test_who_and_what(js):
    assert js("whoText", {"by": "octocat", "trigger": "webhook", "provider": "github"}) == "octocat, by a webhook of github"
    assert js("whoText", {"by": "", "trigger": "push"}) == "by git push"
    assert js("refText", "refs/heads/feature/a") == "feature/a"
    assert js("refText", "refs/tags/v1") == "tag v1"
    assert js("versionName", DEPLOY) == "01234567"
    assert js("versionName", DEPLOY | {"commit": "", "new": NONE | {"image": "registry.example.com:5000/team/shop:7"}}) == "shop:7"
    assert js("versionName", DEPLOY | {"commit": ""}) == "deploy 7"


def test_times_away(js):
    assert js("downtimeText", {"downtime_ms": -1}) is None
    assert js("downtimeText", {"downtime_ms": 0}) == "none"
    assert js("downtimeText", {"downtime_ms": 1234}) == "1.2 s"


def test_what_is_wrong_is_said_until_something_good_serves(js):
    bad = DEPLOY | {"id": 9, "state": "failed"}
    assert js("troubleOf", {"last": bad, "serves": {"id": 7}})["title"] == "The last deploy failed"
    assert js("troubleOf", {"last": bad, "serves": {"id": 10}}) is None
    assert js("troubleOf", {"last": DEPLOY | {"state": "cancelled"}}) is None
    assert "somebody must look" in js("troubleOf", {"last": bad | {"state": "broken"}})["advice"]


def test_which_versions_can_be_gone_back_to(js):
    def row(number, state="done", rollback_of=0):
        return {"id": number, "state": state, "rollback_of": rollback_of}

    found = js("versionsBefore", [row(9, "failed"), row(8), row(7), row(6, "rolled_back"), row(5)])
    assert [v["id"] for v in found["versions"]] == [7, 5] and found["usual"]["id"] == 7
    found = js("versionsBefore", [row(9, rollback_of=7), row(8), row(7), row(5)])
    assert [v["id"] for v in found["versions"]] == [8, 5] and found["usual"]["id"] == 5, "the one before the version that serves"
    assert js("versionsBefore", [row(9, "failed")]) == {"versions": [], "usual": None}
    assert js("versionsBefore", [row(3)])["usual"] is None


def test_what_can_be_cancelled(js):
    assert all(js("canCancel", {"state": s}) for s in ("queued", "building", "watching"))
    assert not any(js("canCancel", {"state": s}) for s in ("draining", "removing", "returning", "done", "failed"))


def test_when_the_requests_went_over(js):
    def at(**deploy):
        return js("switchedAt", DEPLOY | deploy, module="deploymarks")

    assert at(stages=[stage("start"), stage("route")]) == NOW
    assert at(stages=[stage("start")]) is None
    assert at(stages=[stage("route", state="failed")]) is None
    assert at(stages=[stage("route", state="running")]) is None
    assert at(stages=[stage("route", verb="revert")]) is None


def test_where_events_lead(js):
    def leads(kind, entity):
        return js("hrefOfEvent", {"kind": kind, "entity": entity}, "from=1&to=2", module="alertwords")

    assert leads("deploy.failed", "app/shop") == "#/deploys/shop"
    assert leads("audit.deploy", "app/shop") == "#/deploys/shop"
    assert leads("alert.firing", "app/shop") == "#/entity/app/shop?from=1&to=2"
    assert leads("backup.failed", "backup/shop") == "#/backups/shop"

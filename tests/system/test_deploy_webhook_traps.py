# SPDX-License-Identifier: Apache-2.0
"""The 19 traps of webhooks, each as its sender would spring it on the running agent. How each is read is tested closer by, in
tests/unit: here is what the sender is answered, and what is in the queue."""

import json
import os
import sqlite3
import time
import urllib.parse

import pytest

from harness import http, webhooks
from harness.agent import Agent
from harness.control import ask
from harness.webhooks import MAX_BYTES, PATH_SECRET, SECRET, Apps, payload, post, send

ZEROS = "0" * 40


def sha():
    return os.urandom(20).hex()


@pytest.fixture(scope="module")
def agent(tmp_path_factory):
    apps = Apps(tmp_path_factory.mktemp("apps"), forever=True)
    for name in ("github", "gitlab", "gitea", "bitbucket", "generic", "twice", "late", "unicode", "busy"):
        apps.add(name, name if webhooks_of(name) else "github", branches=["**"])
    apps.add("tags", "github", branches=["main"], tags=["v*"])
    apps.add("paths", "github", branches=["main"], paths=["api/**"])
    apps.add("hub", "dockerhub", PATH_SECRET, image="me/shop:stable")
    a = Agent(tmp_path_factory.mktemp("traps"), settings=apps.settings).start(samples=1)
    yield a
    a.finish()


def webhooks_of(name):
    return name in ("github", "gitlab", "gitea", "bitbucket", "generic")


def push(commit=None, **changes):
    commit = commit or sha()
    head = {"id": commit, "message": "m", "author": {"name": "Ada"}}
    return payload("github/push-4.json", **{"ref": "refs/heads/main", "before": sha(), "after": commit, "created": False,
                                            "deleted": False, "forced": False, "head_commit": head, "commits": [head], **changes})


def github(agent, app, body, **more):
    return post(agent, app, body, webhooks.github(body, **more))


def record(agent, answer):
    d = agent.get(answer.json()["status_url"]).json()
    return d.get("deploy", d)


def document(agent, answer):
    """What came with the delivery; it is in no answer of the API."""
    with sqlite3.connect(agent.state / "state.db") as db:
        [(text,)] = db.execute("SELECT document FROM deploy WHERE id = ?", [record(agent, answer)["id"]])
    return json.loads(text)


def skipped(answer):
    assert answer.status == 200, answer
    assert answer.json()["deploys"] == []
    return [s["why"] for s in answer.json()["skipped"]]


def test_trap_01_a_deleted_branch(agent):
    for zeros in (ZEROS, "0" * 64):
        body = push(after=zeros, deleted=True, head_commit=None, commits=[])
        assert skipped(github(agent, "github", body)) == ["it was deleted"]
    body = payload("gitlab/push.json", after=ZEROS, checkout_sha=None)
    assert skipped(post(agent, "gitlab", body, webhooks.gitlab(body))) == ["it was deleted"]
    change = json.loads(webhooks.fixture("bitbucket/repo-push.json"))
    change["push"]["changes"][0]["new"] = None
    body = json.dumps(change).encode()
    assert skipped(post(agent, "bitbucket", body, webhooks.bitbucket(body))) == ["it was deleted"]


def test_trap_02_a_new_branch_without_commits_is_not_one_without_files(agent):
    answer = github(agent, "paths", push(before=ZEROS, created=True, commits=[]))
    assert answer.status == 202
    assert document(agent, answer)["files_known"] is False  # git is asked which files it changes
    head = {"id": sha(), "message": "m", "author": {"name": "a"}, "added": ["api/x"], "modified": [], "removed": []}
    answer = github(agent, "paths", push(head["id"], commits=[head]))
    assert document(agent, answer)["files_known"] is True  # one that matches is enough


def test_trap_03_a_forced_push(agent):
    head = {"id": sha(), "message": "m", "author": {"name": "a"}, "added": ["docs/x"], "modified": [], "removed": []}
    answer = github(agent, "paths", push(head["id"], forced=True, commits=[head]))
    assert (answer.status, document(agent, answer)["files_known"]) == (202, False)
    head["id"] = sha()
    assert skipped(github(agent, "paths", push(head["id"], commits=[head]))) == ["no changed path matches"]


def test_trap_04_a_tag_is_no_branch(agent):
    answer = github(agent, "tags", push(ref="refs/tags/v1.0"))
    assert record(agent, answer)["ref"] == "refs/tags/v1.0"
    assert skipped(github(agent, "tags", push(ref="refs/tags/main")))
    assert skipped(github(agent, "github", push(ref="refs/tags/v1.0")))


def test_trap_05_a_form_is_signed_as_it_came_or_as_it_reads(agent):
    body = push()
    form = b"payload=" + urllib.parse.quote_from_bytes(body).encode()
    form_type = {"Content-Type": "application/x-www-form-urlencoded"}
    assert post(agent, "github", form, {**webhooks.github(form), **form_type}).status == 202
    assert post(agent, "github", form, {**webhooks.github(body), **form_type}).status == 401
    body = payload("gitea/push-event.json", after=sha())
    form = b"payload=" + urllib.parse.quote_from_bytes(body).encode()
    assert post(agent, "gitea", form, {**webhooks.gitea(body), **form_type}).status == 202
    assert post(agent, "gitea", form, {**webhooks.gitea(form), **form_type}).status == 401
    twice = form + b"&" + form
    assert post(agent, "gitea", twice, {**webhooks.gitea(body), **form_type}).status == 401


def test_trap_06_a_ping_must_be_signed_and_deploys_nothing(agent):
    body = webhooks.fixture("github/ping-0.json")
    assert skipped(github(agent, "github", body, event="ping")) == ["a ping: the webhook works"]
    assert github(agent, "github", body, event="ping", secret="wrong").status == 401


def test_trap_07_one_provider_is_not_taken_for_another(agent):
    """Gitea signs for GitHub's headers too, with the same secret."""
    body = push()
    answer = post(agent, "github", body, webhooks.gitea(body))
    assert (answer.status, "gitea" in answer.json()["error"]) == (400, True)
    assert post(agent, "github", body, webhooks.gitlab(body)).status == 401


@pytest.mark.parametrize("value", ["", "sha256=", "sha256=" + "0" * 63, "sha256=" + "g" * 64, "sha1=" + "0" * 40, "0" * 64,
                                   ["RIGHT", "RIGHT"], ["sha256=" + "0" * 64, "RIGHT"], ["RIGHT", ""]])
def test_trap_08_what_is_no_signature(agent, value):
    body = push()
    headers = webhooks.github(body)
    right = headers["X-Hub-Signature-256"]
    values = value if isinstance(value, list) else [value]
    headers["X-Hub-Signature-256"] = [right if v == "RIGHT" else v for v in values]
    assert send(agent, "github", body, headers).status == 401
    del headers["X-Hub-Signature-256"]  # the old one with SHA-1 is left
    assert send(agent, "github", body, headers).status == 401


def test_trap_09_every_change_of_a_push_counts(agent):
    body = json.loads(webhooks.fixture("bitbucket/repo-push.json"))
    changes = body["push"]["changes"]
    changes += [json.loads(json.dumps(changes[0])) for _ in range(2)]
    for i, c in enumerate(changes):
        c["new"]["target"]["hash"] = sha()
        c["new"]["name"] = f"branch-{i}"
    changes[1]["new"] = None
    body = json.dumps(body).encode()
    answer = post(agent, "bitbucket", body, webhooks.bitbucket(body))
    assert answer.status == 202
    assert [d["ref"] for d in answer.json()["deploys"]] == ["refs/heads/branch-0", "refs/heads/branch-2"]
    assert [s["why"] for s in answer.json()["skipped"]] == ["it was deleted"]


def test_trap_10_unicode(agent):
    head = {"id": sha(), "message": "Grüße ✓ \U0001f600\r\nmore", "author": {"name": "Änne\x1b[31m"}}
    body = push(head["id"], ref="refs/heads/feature/ü-✓", head_commit=head, commits=[head])
    d = record(agent, github(agent, "unicode", body))
    assert (d["ref"], d["subject"]) == ("refs/heads/feature/ü-✓", "Grüße ✓ \U0001f600")
    assert "\x1b" not in d["author"]
    assert github(agent, "unicode", b"\xef\xbb\xbf" + body).status == 200  # the same, with a byte order mark
    for broken in (body.replace(b'"refs/heads/feature', b'"refs/heads/\\u0000'), body.replace(b'"ref":', b'"ref": "x", "ref":', 1),
                   body[:-1] + b', "x": ' + b"[" * 70 + b"]" * 70 + b"}"):
        assert github(agent, "unicode", broken).status == 400


def test_trap_11_25_mib_and_no_more(agent):
    body = push()
    most = body[:-1] + b" " * (MAX_BYTES - len(body)) + b"}"
    assert send(agent, "github", most, webhooks.github(most)).status == 202
    more = body[:-1] + b" " * (MAX_BYTES - len(body) + 1) + b"}"
    for length in (True, False):
        answer = send(agent, "github", more, webhooks.github(more), length)
        assert answer is None or answer.status == 413


def test_trap_12_a_delivery_sent_again_by_hand(agent):
    body = push()
    first, again = (github(agent, "twice", body, delivery="72d3162e-cc78-11e3-81ab-4c9367dc0958") for _ in range(2))
    assert (first.status, again.status) == (202, 200)
    assert record(agent, first)["id"] == record(agent, again)["id"]
    # Of one that came to nothing it is wanted.
    assert agent.cli("deploy", "cancel", str(record(agent, first)["id"])).returncode == 0
    assert github(agent, "twice", body, delivery="72d3162e-cc78-11e3-81ab-4c9367dc0958").status == 202


def test_trap_13_two_events_for_one_push(agent):
    commit = sha()
    answers = [github(agent, "twice", push(commit)), github(agent, "twice", push(commit)),
               github(agent, "twice", webhooks.fixture("github/create-0.json"), event="create")]
    assert [a.status for a in answers] == [202, 200, 200]
    assert record(agent, answers[0])["id"] == record(agent, answers[1])["id"]


def test_trap_14_an_older_push_that_is_told_late(agent):
    first, second, third = sha(), sha(), sha()
    newer = github(agent, "late", push(third, before=second))
    older = github(agent, "late", push(second, before=first))
    assert (newer.status, older.status) == (202, 200)
    assert record(agent, older)["id"] == record(agent, newer)["id"]
    assert record(agent, newer)["state"] in ("queued", "fetching")
    # So has one that came before both of two, of which the first has given way.
    fourth = sha()
    newest = github(agent, "late", push(fourth, before=third))
    assert record(agent, github(agent, "late", push(second, before=first)))["id"] == record(agent, newest)["id"]
    # Back to it by force is meant so.
    assert github(agent, "late", push(third, before=fourth, forced=True)).status == 202


def test_trap_15_docker_hub_signs_nothing(agent):
    body = json.loads(webhooks.fixture("dockerhub/build-notice.json"))
    body["repository"]["repo_name"] = "me/shop"
    body["callback_url"] = agent.url + "/deploy/called-back"
    for tag, status in (("stable", 202), ("5000", 200)):
        body["push_data"]["tag"] = tag
        answer = post(agent, "hub/" + PATH_SECRET, json.dumps(body).encode(), webhooks.unsigned(b""))
        assert answer.status == status
    assert post(agent, "hub", json.dumps(body).encode(), webhooks.unsigned(b"")).status == 401
    assert "called-back" not in json.dumps(ask(agent, "deploy.refused", limit=500))


def test_trap_16_a_secret_in_the_address_is_nowhere_else(agent):
    post(agent, "hub/" + PATH_SECRET[:-1] + "x", b"{}", {})
    post(agent, "hub/" + PATH_SECRET + "/more", b"{}", {})
    agent.get("/deploy/hub/" + PATH_SECRET, token=None)
    kept = b"".join(p.read_bytes() for p in agent.state.rglob("*") if p.is_file())
    assert PATH_SECRET[:-1] not in agent.log()
    assert PATH_SECRET[:-1].encode() not in kept


def test_trap_17_status_codes(agent):
    body = push()
    accepted = github(agent, "busy", body)
    assert accepted.status == 202 and set(accepted.json()) == {"deploys", "skipped", "status_url"}
    assert accepted.headers["Location"] == accepted.json()["status_url"]
    refused = github(agent, "busy", body, secret="wrong")
    unknown = github(agent, "nosuch", body)
    assert (refused.status, unknown.status) == (401, 401)
    assert refused.body == unknown.body
    other = github(agent, "tags", push(ref="refs/heads/other"))
    assert (github(agent, "busy", body).status, other.status) == (200, 200)  # a duplicate; another branch, which is no 301
    large = http.request(agent.url + "/deploy/busy", "POST", {"Content-Length": str(MAX_BYTES + 1)}, b"x")
    assert large.status == 413


@pytest.mark.parametrize("skew, status", [(0, 202), (-290, 202), (290, 202), (-310, 401), (310, 401)])
def test_trap_18_gitlab_signs_in_one_of_two_ways(agent, skew, status):
    body = payload("gitlab/push.json", after=sha(), checkout_sha=sha())
    at = time.time() + skew
    headers = webhooks.gitlab_signed(body, at=at)
    several = {**headers, "webhook-signature": "v1," + "A" * 43 + "= v2,x " + headers["webhook-signature"]}
    assert post(agent, "gitlab", body, several).status == status
    body = payload("gitlab/push.json", after=sha(), checkout_sha=sha())
    assert post(agent, "gitlab", body, webhooks.gitlab(body)).status == 202
    assert post(agent, "gitlab", body, {**webhooks.gitlab(body, "wrong"), **webhooks.gitlab_signed(body, "wrong")}).status == 401


@pytest.mark.parametrize("message, status", [("Docs [skip ci]", 200), ("Docs\n\n[CI Skip]", 200), ("[no ci] x", 200), ("skip ci", 202)])
def test_trap_19_skip_ci_of_the_head_commit_alone(agent, message, status):
    head = {"id": sha(), "message": message, "author": {"name": "a"}}
    other = {"id": sha(), "message": "before it [skip ci]", "author": {"name": "a"}}
    answer = github(agent, "github", push(head["id"], head_commit=head, commits=[other, head]))
    assert answer.status == status
    if status == 200:
        assert skipped(answer) == ["the commit says [skip ci]"]

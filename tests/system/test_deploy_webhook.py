# SPDX-License-Identifier: Apache-2.0
"""Deliveries of each git host and registry, end to end: what they really send, signed as they sign, to the row of a deploy."""

import json
import os
import sqlite3
import time

import pytest

from harness import webhooks
from harness.agent import Agent
from harness.control import ask
from harness.wait import until
from harness.webhooks import PATH_SECRET, SECRET, Apps, post

WHSEC = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLwU9"
REFUSED = {"error": "the delivery could not be verified"}


def sha():
    return os.urandom(20).hex()


def git_push(path):
    def make(commit, **more):
        head = {**(json.loads(webhooks.fixture(path)).get("head_commit") or {}), "id": commit}
        more = {"head_commit": head, "checkout_sha": commit, **more}
        return webhooks.payload(path, after=commit, **more)

    return make


def bitbucket_push(commit):
    body = json.loads(webhooks.fixture("bitbucket/repo-push.json"))
    body["push"]["changes"][0]["new"]["target"]["hash"] = commit
    return json.dumps(body).encode()


def ghcr_push(commit):
    body = json.loads(webhooks.fixture("github/package-0.json"))
    package = body.get("package") or body["registry_package"]
    package |= {"package_type": "CONTAINER", "namespace": "me", "name": "shop"}
    package["package_version"] = {"container_metadata": {"tag": {"name": "stable", "digest": "sha256:" + commit[:32] * 2}}}
    return json.dumps(body).encode()


def hub_push(commit):
    body = json.loads(webhooks.fixture("dockerhub/build-notice.json"))
    body["push_data"]["tag"] = "stable"
    body["repository"]["repo_name"] = "me/shop"
    return json.dumps(body).encode()


def any_push(commit):
    return json.dumps({"ref": "main", "commit": commit, "message": "Mend it", "author": "Ada"}).encode()


GITHUB, GITLAB, GITEA, GOGS = map(git_push, ("github/push-4.json", "gitlab/push.json", "gitea/push-event.json", "gogs/push.json"))
IMAGE = "registry.example.com/me/shop:stable"
# How it is called: provider, secret, options, what is sent, how it is signed, the end of the path.
SENDERS = {
    "bitbucket": ("bitbucket", SECRET, {}, bitbucket_push, webhooks.bitbucket, ""),
    "dockerhub": ("dockerhub", PATH_SECRET, {"image": IMAGE}, hub_push, webhooks.unsigned, "/" + PATH_SECRET),
    "forgejo": ("forgejo", SECRET, {}, GITEA, lambda b, s=SECRET: webhooks.gitea(b, s, name="Forgejo"), ""),
    "generic-bearer": ("generic", SECRET, {}, any_push, webhooks.bearer, ""),
    "generic-hmac": ("generic", SECRET, {}, any_push,
                     lambda b, s=SECRET: {"X-Hub-Signature-256": "sha256=" + webhooks.hmac_hex(s, b)}, ""),
    "generic-path": ("generic", PATH_SECRET, {}, any_push, lambda b, s=SECRET: {}, "/" + PATH_SECRET),
    "generic-standard": ("generic", WHSEC, {}, any_push, webhooks.standard, ""),
    "ghcr": ("ghcr", SECRET, {"image": IMAGE}, ghcr_push, lambda b, s=SECRET: webhooks.github(b, s, "package"), ""),
    "gitea": ("gitea", SECRET, {}, GITEA, webhooks.gitea, ""),
    "github": ("github", SECRET, {}, GITHUB, webhooks.github, ""),
    "gitlab-signed": ("gitlab", WHSEC, {}, GITLAB, webhooks.gitlab_signed, ""),
    "gitlab-token": ("gitlab", SECRET, {}, GITLAB, webhooks.gitlab, ""),
    "gogs": ("gogs", SECRET, {}, GOGS, lambda b, s=SECRET: webhooks.gitea(b, s, name="Gogs"), ""),
}


@pytest.fixture(scope="module")
def apps(tmp_path_factory):
    """One app for each sender. The first deploy never gets past its fetch, so all others wait."""
    a = Apps(tmp_path_factory.mktemp("apps"), forever=True)
    for name, (provider, secret, options, *_) in SENDERS.items():
        options = options if "image" in options else {"branches": ["**"]}
        a.add(name, provider, secret, **options)
    a.add("rotated", "github", "the new one, of which there are two", branches=["**"],
          previous_secret_file=a.secret("rotated.old", "the one before it"))
    a.add("paths", "github", branches=["main"], paths=["api/**"])
    return a


@pytest.fixture(scope="module")
def agent(tmp_path_factory, apps):
    a = Agent(tmp_path_factory.mktemp("webhooks"), settings=apps.settings).start(samples=1)
    yield a
    a.finish()


def deliver(agent, name, commit, secret=None):
    _, right, _, make, sign, rest = SENDERS[name]
    body = make(commit)
    return post(agent, name + (rest if secret is None or not rest else "/" + secret), body, sign(body, secret or right))


def row(agent, deploy):
    return agent.api(f"deploys/{deploy}")


@pytest.mark.parametrize("name", sorted(SENDERS))
def test_a_signed_delivery_becomes_a_deploy(agent, name):
    commit = sha()
    answer = deliver(agent, name, commit)
    assert answer.status == 202, answer
    said = answer.json()
    [one] = said["deploys"]
    assert one["outcome"] == "queued"
    assert answer.headers["Location"] == said["status_url"] == f"/api/v1/deploys/{one['deploy']}"
    d = agent.get(said["status_url"]).json()
    d = d.get("deploy", d)
    assert (d["app"], d["trigger"], d["provider"]) == (name, "webhook", SENDERS[name][0])
    assert d["by"]
    if name == "ghcr":
        assert d["new"]["digest"] == "sha256:" + commit[:32] * 2
    if "image" in SENDERS[name][2]:
        assert d["new"]["image"] == IMAGE
    else:
        assert d["commit"] == commit
        assert d["ref"].startswith("refs/heads/")


@pytest.mark.parametrize("name", sorted(SENDERS))
def test_a_wrong_secret_is_refused(agent, name):
    secret = WHSEC[:-4] + "AAAA" if SENDERS[name][1] == WHSEC else "not it, but as long as it could be"
    answer = deliver(agent, name, sha(), secret.replace(" ", "-"))
    assert (answer.status, answer.json()) == (401, REFUSED)
    assert answer.headers["WWW-Authenticate"] == "Bearer"


@pytest.mark.parametrize("name", sorted(SENDERS))
def test_without_a_proof_it_is_refused(agent, name):
    commit = sha()
    _, _, _, make, sign, _ = SENDERS[name]
    body = make(commit)
    headers = {k: v for k, v in sign(body).items()
               if not any(word in k for word in ("Signature", "signature", "Token", "Authorization"))}
    answer = post(agent, name, body, headers)
    assert (answer.status, answer.json()) == (401, REFUSED)


def test_both_secrets_count_while_one_is_replaced(agent, apps):
    for secret in ("the new one, of which there are two", "the one before it"):
        body = GITHUB(sha())
        assert post(agent, "rotated", body, webhooks.github(body, secret)).status == 202
    # Read for each delivery: a new one counts without a reload.
    apps.secret("rotated.secret", "the newest of them all")
    body = GITHUB(sha())
    assert post(agent, "rotated", body, webhooks.github(body, "the newest of them all")).status == 202
    assert post(agent, "rotated", body, webhooks.github(body, "the new one, of which there are two")).status == 401
    # One that is gone does not spoil the other; the owner is told.
    os.unlink(apps.folder / "rotated.old")
    body = GITHUB(sha())
    assert post(agent, "rotated", body, webhooks.github(body, "the newest of them all")).status == 202
    assert "rotated.old" in agent.problems()["deploys.secret.rotated"]
    apps.secret("rotated.old", "the one before it")
    assert post(agent, "rotated", body, webhooks.github(body, "the one before it")).status == 200  # a duplicate
    assert "deploys.secret.rotated" not in agent.problems()


def test_without_any_secret_nobody_gets_in(agent, apps):
    """Nobody's secret, an empty one, is not that of an app whose own cannot be read."""
    path = apps.folder / "gitea.secret"
    text = path.read_text()
    body = GITEA(sha())
    try:
        for broken in (None, ""):
            path.unlink() if broken is None else apps.secret("gitea.secret", broken)
            for secret in (SECRET, ""):
                answer = post(agent, "gitea", body, webhooks.gitea(body, secret))
                assert (answer.status, answer.json()) == (401, REFUSED)
        assert "gitea.secret" in agent.problems()["deploys.secret.gitea"]
    finally:
        apps.secret("gitea.secret", text.strip())
    assert post(agent, "gitea", body, webhooks.gitea(body)).status == 202


def test_an_app_that_is_not_there_looks_like_a_wrong_signature(agent):
    """Same status, body and headers, and nearly the same time, so that nobody can find out which apps there are."""
    body = GITHUB(sha())
    answers = {}
    for app in ("github", "nosuch", "x" * 200, "shop%2f..", "%ff", "GITHUB"):
        headers = {**webhooks.github(body, "wrong"), "X-Forwarded-For": f"198.51.100.{len(answers)}"}
        answers[app] = post(agent, app, body, headers)
    for a in answers.values():
        told = {k: v for k, v in a.headers.items() if k != "Date"}
        assert (a.status, a.body, told) == (401, answers["github"].body, {k: v for k, v in answers["github"].headers.items() if k != "Date"})
    assert post(agent, "nosuch", body, webhooks.github(body)).status == 401
    assert post(agent, "nosuch/" + PATH_SECRET, body, {}).status == 401


@pytest.mark.parametrize("method", ["GET", "HEAD", "PUT", "DELETE", "OPTIONS"])
@pytest.mark.parametrize("path", ["/deploy/github", "/deploy/nosuch", "/deploy/dockerhub/" + PATH_SECRET])
def test_only_post_delivers(agent, method, path):
    answer = agent.get(path, method=method, token=None)
    assert answer.status == 405
    assert answer.headers["Allow"] == "POST"
    assert PATH_SECRET.encode() not in answer.body


def test_a_delivery_sent_again_is_no_second_deploy(agent):
    commit = sha()
    body = GITHUB(commit)
    headers = webhooks.github(body)
    first = post(agent, "github", body, headers)
    again = post(agent, "github", body, headers)
    assert (first.status, again.status) == (202, 200)
    assert again.json()["deploys"] == [{"ref": "refs/heads/master", "deploy": first.json()["deploys"][0]["deploy"],
                                        "outcome": "duplicate", "superseded": 0}]
    assert again.headers["Location"] == first.headers["Location"]
    # So is the commit under another id: two webhooks of one repository.
    assert post(agent, "github", body, webhooks.github(body)).status == 200


def test_of_an_image_only_the_tag_counts(agent):
    """Nothing that a stranger, or another repository of the same owner, names is ever pulled."""
    body = json.loads(hub_push(""))
    body["repository"]["repo_name"] = "evil/shop"
    body["repository"]["repo_url"] = body["callback_url"] = "http://127.0.0.1:1/"
    answer = post(agent, "dockerhub/" + PATH_SECRET, json.dumps(body).encode(), webhooks.unsigned(b""))
    assert (answer.status, answer.json()["deploys"]) == (
        200, [{"ref": "stable", "outcome": "skipped", "why": "it is another image"}])
    body["repository"]["repo_name"] = "me/shop"
    body["push_data"]["tag"] = "nightly"
    answer = post(agent, "dockerhub/" + PATH_SECRET, json.dumps(body).encode(), webhooks.unsigned(b""))
    assert (answer.status, answer.json()["skipped"][0]["ref"]) == (200, "nightly")


def test_a_newer_push_takes_the_place_of_the_one_that_waits(agent):
    first, second = (deliver(agent, "gitlab-token", sha()).json()["deploys"][0] for _ in range(2))
    assert second["superseded"] == first["deploy"]
    d = row(agent, first["deploy"])
    d = d.get("deploy", d)
    assert (d["state"], d["superseded_by"]) == ("superseded", second["deploy"])


def test_what_is_not_deployed_says_why(agent):
    body = GITHUB(sha(), ref="refs/heads/other")
    said = post(agent, "paths", body, webhooks.github(body))
    assert (said.status, said.json()) == (200, {"deploys": [], "skipped": [
        {"ref": "refs/heads/other", "why": "the branch or tag is not one that is deployed"}]})
    files = {"id": "1" * 40, "message": "m", "added": ["docs/a.md"], "modified": [], "removed": [], "author": {"name": "a"}}
    body = GITHUB(sha(), ref="refs/heads/main", before="2" * 40, created=False, commits=[files])
    said = post(agent, "paths", body, webhooks.github(body))
    assert (said.status, said.json()["skipped"][0]["why"]) == (200, "no changed path matches")
    body = GITHUB(sha())
    said = post(agent, "github", body, webhooks.github(body, event="issues"))
    assert (said.status, said.json()["skipped"][0]["why"]) == (200, "an event that is not deployed")
    # Nobody learns as much without the secret.
    assert post(agent, "paths", body, webhooks.github(body, "wrong")).status == 401


@pytest.mark.parametrize("body", [b"", b"{", b"[]", b'{"ref": 1}', b'{"ref": "refs/heads/a", "ref": "refs/heads/b"}', b"\xff\xfe", b"[" * 100])
def test_what_cannot_be_read_is_said_to_who_signed_it(agent, body):
    answer = post(agent, "github", body, webhooks.github(body))
    assert answer.status == 400
    assert answer.json()["error"]
    assert post(agent, "github", body, webhooks.github(body, "wrong")).json() == REFUSED
    assert agent.get("/health", token=None).status == 200


def test_refused_ones_are_listed_without_secrets(agent):
    body = GITHUB(sha())
    guess = "my-guess-of-the-secret"
    for _ in range(3):
        headers = {**webhooks.gitlab(body, guess), "X-Forwarded-For": "203.0.113.200"}
        assert post(agent, "gitlab-token", body, headers).status == 401
        assert post(agent, "dockerhub/" + guess, body, {"X-Forwarded-For": "203.0.113.200"}).status == 401
        assert post(agent, "mispelt", body, headers).status == 401
    found = [r for r in ask(agent, "deploy.refused", limit=500)["refused"] if r["peer"] == "203.0.113.200"]
    by_app = {r["app"]: r for r in found}
    assert set(by_app) == {"gitlab-token", "dockerhub", "mispelt"}
    assert len(found) == 3 and all(r["count"] == 3 and r["status"] == 401 for r in found)
    assert by_app["gitlab-token"]["why"] == "the token is wrong"
    assert (by_app["gitlab-token"]["provider"], by_app["gitlab-token"]["event"]) == ("gitlab", "Push Hook")
    assert by_app["mispelt"]["why"] == "no app of that name takes deliveries"
    assert abs(by_app["mispelt"]["time_ms"] - time.time() * 1000) < 60000
    for text in (json.dumps(found), agent.log()):
        assert guess not in text and SECRET not in text and PATH_SECRET not in text


def test_what_was_accepted_survives_kill(make_agent, tmp_path):
    """The row is on the disk before the sender hears of it."""
    apps = Apps(tmp_path, forever=True).add("github", "github", branches=["**"])
    agent = make_agent(settings=apps.settings).start(samples=1)
    commit = sha()
    body = GITHUB(commit)
    headers = webhooks.github(body)
    answer = post(agent, "github", body, headers)
    agent.kill()
    assert answer.status == 202
    with sqlite3.connect(agent.state / "state.db") as db:
        assert db.execute("SELECT app, ref FROM deploy").fetchall() == [("github", "refs/heads/master")]
    agent.start(samples=1)
    d = row(agent, 1)
    assert d.get("deploy", d)["commit"] == commit
    # And so does the memory of what was delivered.
    again = post(agent, "github", body, headers)
    assert (again.status, again.json()["deploys"][0]["deploy"]) == (200, 1)


def test_the_refused_are_still_listed_after_a_restart(make_agent, tmp_path):
    apps = Apps(tmp_path).add("github", "github")
    agent = make_agent(settings=apps.settings).start(samples=1)
    assert post(agent, "github", b"{}", {}).status == 401
    agent.stop()
    agent.start(samples=1)
    [one] = ask(agent, "deploy.refused")["refused"]
    assert (one["app"], one["why"], one["count"]) == ("github", "there is no signature", 1)


def test_an_app_of_a_new_configuration_takes_deliveries(make_agent, tmp_path):
    apps = Apps(tmp_path, forever=True).add("github", "github", branches=["**"])
    agent = make_agent(settings=apps.settings).start(samples=1)
    body = GITHUB(sha())
    assert post(agent, "another", body, webhooks.github(body)).status == 401
    apps.add("another", "github", branches=["**"])
    agent.write_config(apps.settings)
    ask(agent, "config.reload")
    assert until(lambda: post(agent, "another", body, webhooks.github(body))).status == 202

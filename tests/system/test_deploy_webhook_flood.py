# SPDX-License-Identifier: Apache-2.0
"""A thousand deliveries in ten seconds, most of which nobody wanted: each is answered as it would be alone, one deploy is left
for the newest commit, and the agent does not grow. How long the answers take is measured by tests/bench/webhooks.py."""

import os
import sqlite3
from concurrent.futures import ThreadPoolExecutor

from harness import webhooks
from harness.control import ask
from harness.flood import EXPECTED, Flood, push
from harness.webhooks import Apps, post

MIB = 1 << 20


def test_a_flood_of_deliveries(make_agent, tmp_path):
    apps = Apps(tmp_path, forever=True).add("shop", "github", branches=["main"])
    agent = make_agent(settings=apps.settings).start(samples=1)
    Flood(agent, 100, 1).run()  # what it takes once, as the cache of the database
    f = Flood(agent, 1000, 10).run()
    assert {kind: set(found) for kind, found in f.answers.items()} == EXPECTED
    assert sum(sum(found.values()) for found in f.answers.values()) == 1000
    deploys = f.deploys()
    waiting = [d for d in deploys if d["state"] == "queued"]
    assert [d["commit"] for d in waiting] == [f.newest]
    assert [d["commit"] for d in deploys].count(f.newest) == 1
    assert [d["state"] for d in deploys if d not in waiting].count("fetching") == 1
    assert all(d["superseded_by"] for d in deploys if d["state"] == "superseded")
    # One row an hour of each sender, app and reason, however many there were.
    refused = ask(agent, "deploy.refused", limit=500)["refused"]
    assert len(refused) == 3
    assert sorted(r["count"] for r in refused) == [110, 110, 220]
    # At most one line a minute in the log.
    assert agent.log().count("was answered with") <= 2
    for name, (before, peak) in f.rss.items():
        assert peak - before < 4 * MIB, (name, before, peak)


def test_who_is_refused_often_keeps_no_other_waiting(make_agent, tmp_path):
    """A git host behind the same address is still heard, and so is everybody else."""
    apps = Apps(tmp_path, forever=True).add("shop", "github", branches=["main"])
    agent = make_agent(settings=apps.settings).start(samples=1)
    body = push(os.urandom(20).hex(), os.urandom(20).hex())
    wrong = webhooks.github(body, "wrong")
    with ThreadPoolExecutor(12) as pool:
        answers = list(pool.map(lambda _: post(agent, "shop", body, wrong).status, range(120)))
        assert set(answers) <= {401, 429} and 401 in answers
        flood = [pool.submit(post, agent, "shop", body, wrong) for _ in range(60)]
        for i in range(5):
            good = push(os.urandom(20).hex(), os.urandom(20).hex())
            other = {} if i % 2 else {"X-Forwarded-For": "198.51.100.7"}
            assert post(agent, "shop", good, {**webhooks.github(good), **other}).status == 202
        assert {f.result().status for f in flood} <= {401, 429}


def test_what_was_answered_is_there_after_a_kill_within_the_flood(make_agent, tmp_path):
    apps = Apps(tmp_path, forever=True).add("shop", "github", branches=["main"])
    agent = make_agent(settings=apps.settings).start(samples=1)
    accepted = []

    def one(_):
        commit = os.urandom(20).hex()
        body = push(commit, os.urandom(20).hex())
        try:
            if post(agent, "shop", body, webhooks.github(body)).status == 202:
                accepted.append(commit)
        except OSError:
            return
        if len(accepted) == 40:
            agent.kill()

    with ThreadPoolExecutor(4) as pool:
        list(pool.map(one, range(80)))
    with sqlite3.connect(agent.state / "state.db") as db:
        kept = {commit for (commit,) in db.execute("SELECT json_extract(body, '$.commit') FROM deploy")}
    assert len(accepted) >= 40 and set(accepted) <= kept

# SPDX-License-Identifier: Apache-2.0
"""The log of a deploy over HTTP: whole, from an offset, followed, resumed, and read by somebody who is slow. The daemon is a stand-in."""

import socket
import threading

import pytest

from harness.deploy_story import Story
from harness.log_stream import LogStream
from harness.wait import until
from harness.web_process import WebProcess


@pytest.fixture(name="story")
def a_story():
    return Story()


@pytest.fixture(name="agent")
def process(tmp_path, story):
    process = WebProcess(tmp_path, story.handlers, samples=False)
    yield process
    process.finish()


def grow(agent, story, d, n, text="line"):
    lines = story.logs[d["id"]]
    lines += [f"2026-11-21T03:00:00Z build | {text} {len(lines) + i}" for i in range(n)]
    agent.push("deploy.log", deploy=d["id"], size=story.log_size(d))


def end(agent, story, d, state="done"):
    story.end(d, state)
    agent.push("deploy", deploy=d)


def test_the_whole_log_as_text(agent, story):
    story.logs[3] = [f"2026-11-21T03:00:00Z build | <b>{i}</b> ü" for i in range(5000)]
    answer = agent.get("/api/v1/deploys/3/log", token="viewer")
    assert answer.headers["Content-Type"] == "text/plain; charset=utf-8"
    assert answer.text.splitlines() == story.logs[3], "more than the daemon gives at once"
    first = len(story.logs[3][0].encode()) + 1
    assert agent.get(f"/api/v1/deploys/3/log?offset={first}").text.splitlines() == story.logs[3][1:]
    running = story.begin("shop")
    grow(agent, story, running, 3)
    assert len(agent.get(f"/api/v1/deploys/{running['id']}/log").text.splitlines()) == 3, "as far as it is; it does not wait"
    for path, status in (("999/log", 404), ("3/log?offset=-1", 400), ("3/log?follow=maybe", 400), ("x/log", 400)):
        assert agent.get(f"/api/v1/deploys/{path}").status == status, path


def test_a_log_is_followed_until_its_end(agent, story):
    d = story.begin("shop")
    grow(agent, story, d, 2)
    stream = LogStream(agent, d["id"])
    assert stream.answer.headers["Content-Type"] == "text/event-stream"
    stream.until(2)
    for n in (5, 2500, 1):
        grow(agent, story, d, n)
        stream.until(len(story.logs[d["id"]]))
    end(agent, story, d)
    stream.rest()
    assert stream.lines == story.logs[d["id"]]
    assert int(stream.last_id) == story.log_size(d)


def test_follow_without_a_browser(agent, story):
    answer = agent.get("/api/v1/deploys/3/log?follow=1", headers={"Accept": "*/*"})
    assert answer.headers["Content-Type"] == "text/event-stream" and "event: end" in answer.text


def test_who_lost_the_connection_goes_on_where_it_was(agent, story):
    d = story.begin("shop")
    grow(agent, story, d, 1500)
    first = LogStream(agent, d["id"])
    first.until(1000)
    first.close()
    grow(agent, story, d, 10)
    second = LogStream(agent, d["id"], headers={"Last-Event-ID": first.last_id})
    end(agent, story, d, "failed")
    second.rest()
    assert first.lines + second.lines == story.logs[d["id"]]
    third = LogStream(agent, d["id"], query=f"?offset={second.last_id}")
    third.rest()
    assert not third.lines
    wrong = LogStream(agent, d["id"], headers={"Last-Event-ID": "-5"})
    wrong.rest()
    assert wrong.lines == story.logs[d["id"]], "what is no offset is none"


def test_a_line_cannot_make_up_an_event(agent, story):
    story.logs[3] = ["a\rid: 99999", "event: end", "", "data: x"]
    stream = LogStream(agent, 3)
    stream.rest()
    assert stream.lines == ["a", "id: 99999", "event: end", "", "data: x"]
    assert int(stream.last_id) < 100


def test_news_that_come_while_the_daemon_is_asked_are_not_lost(agent, story):
    """It has nothing to say, and something to say before that answer is out."""
    d = story.begin("shop")
    asked = threading.Event()
    honest = story.log

    def slow(r):
        answer = honest(r)
        if r["offset"] and not asked.is_set():
            asked.set()
            grow(agent, story, d, 1, "late")
        return answer

    agent.handlers["deploy.log"] = slow
    grow(agent, story, d, 1)
    stream = LogStream(agent, d["id"])
    stream.until(2)
    assert "late" in stream.lines[1]
    stream.close()


def test_a_reader_that_takes_nothing_holds_one_piece(agent, story):
    story.logs[3] = ["x" * 4000] * 20000
    with socket.create_connection(("127.0.0.1", agent.port)) as s:
        s.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        s.sendall(f"GET /api/v1/deploys/3/log?follow=1 HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer {agent.viewer_token}\r\n\r\n".encode())
        assert s.recv(1000).startswith(b"HTTP/1.1 200")
        before = len(agent.questions("deploy.log"))
        for _ in range(10):
            agent.push("deploy.log", deploy=3, size=1 << 30)
            assert agent.api("host")  # the daemon has answered what was asked before
        assert len(agent.questions("deploy.log")) <= before + 3, "of 80 pieces only what the sockets hold is asked for"
    until(lambda: LogStream(agent, 3, query="?offset=79999999").answer.status == 200, 5, "another reader")


def test_no_more_readers_than_there_may_be(agent, story):
    d = story.begin("shop")
    streams = [LogStream(agent, d["id"]) for _ in range(16)]
    answer = agent.get(f"/api/v1/deploys/{d['id']}/log")
    assert answer.status == 503 and "Retry-After" in answer.headers
    for s in streams:
        s.close()
    until(lambda: agent.get(f"/api/v1/deploys/{d['id']}/log").status == 200, 10, "a place")
    for _ in range(20):
        assert agent.get("/api/v1/deploys/999/log").status == 404, "what was refused takes no place"
    assert agent.get(f"/api/v1/deploys/{d['id']}/log").status == 200


def test_a_log_whose_deploy_is_forgotten_ends(agent, story):
    d = story.begin("shop")
    stream = LogStream(agent, d["id"])
    grow(agent, story, d, 1)
    stream.until(1)
    story.deploys.clear()
    agent.push("deploy.log", deploy=d["id"], size=1)
    stream.rest()


def test_all_readers_are_looked_at_again_when_credentials_change(agent, story):
    d = story.begin("shop")
    stream = LogStream(agent, d["id"])
    agent.push("auth.changed")
    assert stream.event() is None
    stream.close()

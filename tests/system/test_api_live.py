# SPDX-License-Identifier: Apache-2.0
"""The HTTP API: each sample as a server-sent event."""

import json
import socket

import pytest

from harness.api import cookie_of, login
from harness.sse import Stream
from harness.wait import until


@pytest.fixture
def agent(steady_agent):
    return steady_agent


@pytest.fixture
def listen(agent):
    """listen(query=""): a Stream that was taken; room left by those before it may come a moment later."""
    opened = []

    def listen(query=""):
        def taken():
            s = Stream(agent, query)
            if s.answer.status == 200:
                opened.append(s)
                return s
            s.close()
            return None

        return until(taken, 3, "a free stream", step=0.2)

    yield listen
    for s in opened:
        s.close()


def test_live_sends_each_sample(listen):
    stream = listen()
    assert stream.answer.headers["Content-Type"] == "text/event-stream"
    times = []
    for _ in range(3):
        event = stream.event()
        assert event["event"] == "sample"
        data = json.loads(event["data"])
        assert event["id"] == str(int(data["time"]))
        times.append(data["time"])
        host = next(e for e in data["entities"] if e["class"] == "host")
        assert host["key"] == "host" and host["values"]["memory_total_bytes"] > 0
        assert "missing" not in host
    assert times == sorted(set(times))


def test_live_filters_add_up(listen):
    streams = [listen(query) for query in ("?class=host", "?entity=agent/agent", "?class=host&entity=agent/agent", "")]
    got = []
    for s in streams:
        s.event()
        got.append({e["class"] for e in json.loads(s.event()["data"])["entities"]})
    assert got[:3] == [{"host"}, {"agent"}, {"host", "agent"}]
    assert {"host", "agent", "core", "filesystem"} <= got[3]


@pytest.mark.parametrize("query", ["?class=planet", "?entity=host", "?entity=planet/x", "?" + "&".join(["class=host"] * 51)],
                         ids=("class", "no-key", "entity", "many"))
def test_live_refuses_wrong_filters(agent, query):
    assert agent.get("/api/v1/live" + query).status == 400


def test_live_streams_are_bounded_and_come_back(agent, listen):
    streams = [listen() for _ in range(16)]
    refused = agent.get("/api/v1/live")
    assert refused.status == 503
    assert refused.headers["Retry-After"] and refused.json()["error"]
    # A reader that went away makes room at once, not at the next sample or heartbeat.
    streams.pop().close()
    listen()


def test_live_reader_that_does_not_read_hinders_nobody(agent, listen):
    with socket.create_connection(("127.0.0.1", agent.port), 5) as slow:
        slow.sendall(f"GET /api/v1/live HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {agent.viewer_token}\r\n\r\n".encode())
        stream = listen()
        for _ in range(3):
            stream.event()


def test_a_token_that_ended_is_out_at_once(make_agent):
    """Known credentials, sessions and open streams of it too, and nobody else's."""
    agent = make_agent().start(samples=1)
    old = agent.viewer_token
    cookie = {"Cookie": cookie_of(login(agent, old, {}))}
    stream = Stream(agent)
    stream.event()
    assert agent.get("/api/v1/host", token=old).status == 200
    assert agent.get("/api/v1/host", token=None, headers=cookie).status == 200
    result = agent.cli("token", "rotate", "--viewer")
    assert result.returncode == 0, result.stderr
    assert agent.get("/api/v1/host", token=old).status == 401
    assert agent.get("/api/v1/host", token=None, headers=cookie).status == 401
    with pytest.raises(AssertionError, match="the stream ended"):
        for _ in range(3):
            stream.event()
    stream.close()
    assert agent.get("/api/v1/host", token="viewer").status == 200
    assert agent.get("/api/v1/host", token="admin").status == 200

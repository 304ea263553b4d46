# SPDX-License-Identifier: Apache-2.0
"""The HTTP API: who may call, and the limits of what is taken."""

import json
import re
import socket

import pytest

from harness import http as web
from harness.api import cookie_of, login, raw


@pytest.fixture
def agent(steady_agent):
    return steady_agent


# --- who may call


@pytest.mark.parametrize("header, text", [
    (None, "header is required"),
    ("Basic YWRtaW46", "Use 'Bearer TOKEN'"),
    ("Bearer", "Use 'Bearer TOKEN'"),
    ("Bearer " + "x" * 300, "Use 'Bearer TOKEN'"),
    ("Bearer no-such-token", "Invalid token"),
], ids=("none", "basic", "no-token", "long", "wrong"))
def test_bad_authorization_is_named(agent, client, header, text):
    if header:
        client["Authorization"] = header
    answer = agent.get("/api/v1/host", token=None, headers=client)
    assert answer.status == 401
    assert text in answer.json()["error"]


def test_both_tokens_tell_their_role(agent):
    assert agent.get("/api/v1/session", token="admin").json() == {"role": "admin"}
    assert agent.get("/api/v1/session", token="viewer").json() == {"role": "viewer"}


def test_session_from_login_to_logout(agent, client):
    answer = login(agent, agent.viewer_token, client)
    assert (answer.status, answer.json()) == (200, {"role": "viewer"})
    attributes = {a.strip() for a in answer.headers["Set-Cookie"].split(";")[1:]}
    assert {"HttpOnly", "SameSite=Strict", "Path=/"} <= attributes
    assert "Secure" not in attributes
    cookie = cookie_of(answer)
    assert re.fullmatch(r"agent_session=[0-9a-f]{64}", cookie)

    with_cookie = {**client, "Cookie": f"theme=dark; {cookie}"}
    assert agent.get("/api/v1/session", token=None, headers=with_cookie).json() == {"role": "viewer"}
    assert agent.get("/api/v1/host", token=None, headers=with_cookie).status == 200

    own = {**with_cookie, "Origin": agent.url}
    answer = agent.get("/api/v1/session", token=None, method="DELETE", headers=own)
    assert (answer.status, answer.json()) == (200, {"ended": True})
    assert "Max-Age=0" in answer.headers["Set-Cookie"]
    assert agent.get("/api/v1/session", token=None, headers=with_cookie).status == 401


def test_login_over_https_keeps_the_cookie_from_plain_http(agent, client):
    host = "agent.example.com"
    answer = login(agent, agent.token, {**client, "Host": host, "Origin": f"https://{host}"})
    assert "Secure" in answer.headers["Set-Cookie"]


@pytest.mark.parametrize("body", [b"", b"{}", b"[]", b"{", b'{"token": 1}', b'{"token": null}', b"token=x", b'{"token":"\\u0000"}',
                                  b"[" * 60000, json.dumps({"token": "x" * 60000}).encode()],
                         ids=range(10))
def test_login_with_anything_else_is_refused(agent, client, body):
    answer = web.request(agent.url + "/api/v1/session", "POST", client, body)
    assert answer.status in (400, 401)
    assert answer.headers["Set-Cookie"] is None
    assert answer.json()["error"]


@pytest.mark.parametrize("headers, status", [
    ({}, 403),
    ({"Origin": "http://evil.example"}, 403),
    ({"Origin": "null"}, 403),
    ({"Sec-Fetch-Site": "cross-site"}, 403),
    ({"Sec-Fetch-Site": "same-site"}, 403),
    ({"Sec-Fetch-Site": "none"}, 403),
    ({"Sec-Fetch-Site": "same-origin"}, 200),
])
def test_state_is_changed_from_this_site_only(agent, client, headers, status):
    cookie = cookie_of(login(agent, agent.token, client))
    answer = agent.get("/api/v1/session", token=None, method="DELETE", headers={**client, **headers, "Cookie": cookie})
    assert answer.status == status
    still = agent.get("/api/v1/session", token=None, headers={"Cookie": cookie}).status
    assert still == (200 if status == 403 else 401)


def test_login_from_another_site_is_refused(agent, client):
    answer = login(agent, agent.token, {**client, "Origin": "http://evil.example"})
    assert answer.status == 403
    assert answer.headers["Set-Cookie"] is None


def test_a_token_in_the_header_needs_no_origin(agent):
    assert agent.get("/api/v1/session", method="DELETE").json() == {"ended": False}


def test_wrong_tokens_are_slowed_per_client(agent, client):
    for _ in range(5):
        assert login(agent, "wrong", client).status == 401
    answer = login(agent, agent.token, client)
    assert answer.status == 429
    assert 50 <= int(answer.headers["Retry-After"]) <= 60
    assert answer.json()["error"]
    # The same guesses by the other door.
    assert agent.get("/api/v1/host", token="wrong", headers=client).status == 429
    # Nobody else is kept out, and who is known already stays in.
    assert login(agent, agent.token, {"X-Forwarded-For": "198.51.100.1"}).status == 200
    assert agent.get("/api/v1/host", token="viewer", headers={"X-Forwarded-For": "198.51.100.1"}).status == 200
    assert agent.get("/api/v1/host", token="viewer", headers=client).status == 200


def test_one_ipv6_network_is_one_client(agent):
    for i in range(5):
        assert login(agent, "wrong", {"X-Forwarded-For": f"2001:db8:7:7::{i}"}).status == 401
    assert login(agent, "wrong", {"X-Forwarded-For": "2001:db8:7:7:8::1"}).status == 429
    assert login(agent, "wrong", {"X-Forwarded-For": "2001:db8:7:8::1"}).status == 401


def test_clients_cannot_choose_whom_their_guesses_count_for(agent):
    """The address the proxy itself added counts, whatever the client wrote before it."""
    statuses = []
    for i in range(6):
        answer = raw(agent, (f"GET /api/v1/host HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer wrong\r\nX-Forwarded-For: 192.0.2.{i}\r\n"
                             f"X-Forwarded-For: 192.0.2.{100 + i}, 198.51.100.77\r\nConnection: close\r\n\r\n").encode())
        statuses.append(int(answer.split()[1]))
    assert statuses == [401] * 5 + [429]


def test_host_is_checked_when_hosts_are_configured(make_agent):
    agent = make_agent(settings={"hosts": ["agent.example.com"]}).start(samples=1)
    for host, status in (("agent.example.com", 200), ("Agent.Example.com:4500", 200), ("evil.example", 421),
                         ("127.0.0.1", 200), ("localhost:9", 200)):
        answer = agent.get("/api/v1/host", headers={"Host": host})
        assert answer.status == status, host
    assert agent.get("/health", token=None, headers={"Host": "evil.example"}).status == 421


# --- limits


def test_long_url_is_414(agent):
    assert agent.get("/health?" + "x" * 8000, token=None).status == 200
    answer = agent.get("/health?" + "x" * 8200, token=None)
    assert answer.status == 414
    assert answer.json()["error"]


def test_large_headers_are_431(agent):
    assert agent.get("/health", token=None, headers={"X-Large": "x" * 15000}).status == 200
    answer = agent.get("/health", token=None, headers={"X-Large": "x" * 17000})
    assert answer.status == 431
    assert answer.json()["error"]


def test_headers_without_end_are_cut(agent):
    answer = raw(agent, b"GET /health HTTP/1.1\r\nHost: x\r\n" + b"X-A: b\r\n" * 20000)
    assert answer.split()[1] in (b"431", b"413", b"400")
    assert agent.get("/health", token=None).status == 200


def test_large_body_is_413(agent, client):
    answer = web.request(agent.url + "/api/v1/session", "POST", client, b"x" * 65536)
    assert answer.status == 400
    answer = raw(agent, b"POST /api/v1/session HTTP/1.1\r\nHost: x\r\nContent-Length: 65537\r\n\r\n")
    assert answer.split()[1] == b"413"


def test_body_without_end_is_cut(agent):
    request = b"POST /api/v1/session HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n"
    answer = raw(agent, request + (b"8000\r\n" + b"x" * 0x8000 + b"\r\n") * 3)
    assert answer == b""
    assert agent.get("/health", token=None).status == 200


@pytest.mark.parametrize("data", [
    b"\r\n\r\n", b"GET\r\n\r\n", b"GET /health HTTP/9.9\r\n\r\n", b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03",
    b"GET /health HTTP/1.1\r\n\r\n", b"GET  /health  HTTP/1.1\r\nHost: x\r\nContent-Length: -1\r\n\r\n",
    b"GET /%00%ff%zz?%00 HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n",
    b"GET http://127.0.0.1/health HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n",
    b"POST /api/v1/session HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\nConnection: close\r\n\r\n0\r\n\r\n",
], ids=range(9))
def test_what_is_no_http_harms_nobody(agent, data):
    pid = agent.web_pid
    with socket.create_connection(("127.0.0.1", agent.port), 5) as s:
        s.sendall(data)
        s.shutdown(socket.SHUT_WR)
    assert agent.get("/health", token=None).status == 200
    assert agent.web_pid == pid


@pytest.mark.parametrize("query", ["a=%", "a=%zz", "a=%00", "a=%ff", "&".join(["a=1"] * 301)], ids=range(5))
def test_broken_query_is_400(agent, query):
    answer = agent.get("/api/v1/entities?" + query)
    assert answer.status == 400
    assert "query" in answer.json()["error"]


def test_connections_are_bounded_and_come_back(agent):
    """The rest waits in the listening socket until one is free."""
    idle = [socket.create_connection(("127.0.0.1", agent.port), 5) for _ in range(70)]
    try:
        late = socket.create_connection(("127.0.0.1", agent.port), 5)
        late.sendall(b"GET /health HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
        late.settimeout(0.5)
        with pytest.raises(TimeoutError):
            late.recv(1)
    finally:
        for s in idle:
            s.close()
    late.settimeout(5)
    assert late.recv(12) == b"HTTP/1.1 200"
    late.close()

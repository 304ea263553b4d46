# SPDX-License-Identifier: Apache-2.0
"""The HTTP API of API.md, route by route: who may call, what comes, what is refused. One agent serves all tests here."""

import gzip
import http.client
import itertools
import json
import os
import re
import shutil
import signal
import socket
import subprocess
import time
import urllib.parse

import pytest

from harness import http as web
from harness.agent import Agent
from harness.wait import until

# A picture is for viewers too, or for whoever has a signed link: test_chart.py.
OPEN = {"/", "/assets/{name}", "/health", "/login", "/chart/{class}/{entity}/{picture}"}
SECURE = {
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "no-referrer",
}


@pytest.fixture(scope="module")
def agent(tmp_path_factory):
    agent = Agent(tmp_path_factory.mktemp("api")).start(samples=3)
    yield agent
    agent.finish()


_clients = itertools.count(1)


@pytest.fixture
def client():
    """Headers that make the requests of a test count as those of a client of its own (test networks of RFC 5737)."""
    return {"X-Forwarded-For": f"203.0.113.{next(_clients)}"}


def raw(agent, data, timeout=5):
    """Sends bytes, returns all that comes until the server closes."""
    with socket.create_connection(("127.0.0.1", agent.port), timeout) as s:
        s.sendall(data)
        answer = b""
        try:
            while piece := s.recv(65536):
                answer += piece
        except ConnectionResetError:
            pass
    return answer


def login(agent, token, headers):
    return web.request(agent.url + "/api/v1/session", "POST", headers, {"token": token})


def cookie_of(answer):
    return answer.headers["Set-Cookie"].split(";")[0]


# --- routes and headers


def test_every_route_of_the_description_wants_a_credential_unless_it_is_open(agent):
    description = agent.api("openapi.json")
    assert description["openapi"].startswith("3.0")
    assert {"/api/v1/host", "/api/v1/series", "/api/v1/live", "/metrics"} <= set(description["paths"])
    for path, operations in description["paths"].items():
        for method, operation in operations.items():
            is_open = operation.get("security") == []
            assert is_open == (path in OPEN or (method, path) == ("post", "/api/v1/session")), (method, path)
            if not is_open:
                answer = agent.get(path, method=method.upper(), token=None)
                assert answer.status == 401, (method, path)
                assert answer.headers["WWW-Authenticate"] == "Bearer"
                assert answer.json()["error"]


@pytest.mark.parametrize("path", ["/health", "/login", "/", "/nothing", "/api/v1/host", "/metrics", "/assets/dygraph.min.js"])
def test_every_answer_has_the_security_headers(agent, path):
    for token in ("viewer", None):
        headers = agent.get(path, token=token).headers
        for name, value in SECURE.items():
            assert headers[name] == value, (path, name)
        policy = headers["Content-Security-Policy"]
        assert policy.startswith("default-src 'self'") and "unsafe" not in policy
        assert headers["Server"] is None
        if not path.startswith(("/assets", "/login", "/")):
            assert headers["Cache-Control"] == "no-store"


@pytest.mark.parametrize("path", ["/nothing", "/api/v1/", "/api/v2/host", "/deploy/shop", "/deploy/shop/x?y=1", "//", "/%2e%2e/etc"])
def test_unknown_address_is_404_in_json_for_everybody(agent, path):
    for token in ("admin", None):
        answer = agent.get(path, token=token)
        assert answer.status == 404
        assert answer.json()["error"]


def test_wrong_method_is_405_and_says_which_there_are(agent):
    answer = agent.get("/api/v1/session", method="PUT")
    assert answer.status == 405
    assert set(answer.headers["Allow"].split(", ")) == {"GET", "HEAD", "POST", "DELETE"}
    answer = agent.get("/api/v1/host", method="OPTIONS", token=None)
    assert answer.status == 405
    assert answer.headers["Allow"] == "GET, HEAD"
    assert answer.headers["Access-Control-Allow-Origin"] is None
    assert agent.get("/health", method="POST", body=b"x").status == 405


def test_head_is_get_without_the_body(agent):
    head, get = agent.get("/api/v1/classes", method="HEAD"), agent.get("/api/v1/classes")
    assert (head.status, head.body) == (200, b"")
    assert head.headers["Content-Length"] == str(len(get.body))
    assert agent.get("/api/v1/live", method="HEAD").status == 200


def test_connection_is_kept_for_the_next_request(agent):
    connection = http.client.HTTPConnection("127.0.0.1", agent.port, timeout=5)
    ports = set()
    for path in ("/health", "/api/v1/host", "/api/v1/classes", "/nothing", "/health"):
        connection.request("GET", path, headers={"Authorization": "Bearer " + agent.viewer_token})
        connection.getresponse().read()
        ports.add(connection.sock.getsockname()[1])
    connection.close()
    assert len(ports) == 1


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


# --- host, classes, entities


def test_host(agent):
    host = agent.api("host")
    assert host["version"] and host["hostname"]
    assert host["time"] == pytest.approx(time.time(), abs=10)
    assert host["interval_seconds"] == 1
    assert isinstance(host["problems"], list)
    assert "ok" not in host and "id" not in host


def test_classes_are_the_metric_tables(agent):
    classes = {c["name"]: c for c in agent.api("classes")["classes"]}
    assert {"host", "core", "disk", "filesystem", "interface", "sensor", "container", "service", "agent"} == set(classes)
    units = {"none", "percent", "bytes", "bytes_per_second", "per_second", "seconds", "cores", "celsius", "boolean"}
    for c in classes.values():
        assert c["plural"] and c["doc"]
        for m in c["metrics"]:
            assert m["unit"] in units and m["title"] and m["doc"] and isinstance(m["stored"], bool)
    cpu = next(m for m in classes["host"]["metrics"] if m["name"] == "cpu_used_percent")
    assert cpu["unit"] == "percent" and cpu["stored"]


def test_entities_have_every_metric_of_their_class(agent):
    names = {c["name"]: [m["name"] for m in c["metrics"]] for c in agent.api("classes")["classes"]}
    answer = agent.api("entities")
    assert answer["time"] == pytest.approx(time.time(), abs=10)
    assert {"host", "core", "filesystem", "agent"} <= {e["class"] for e in answer["entities"]}
    for e in answer["entities"]:
        if not e["live"]:
            assert e["last_seen"] and "values" not in e
            continue
        assert list(e["values"]) == names[e["class"]]
        assert all(v is None or isinstance(v, (int, float)) for v in e["values"].values())
        assert set(e.get("missing", {})) <= {n for n, v in e["values"].items() if v is None}
        assert all(isinstance(v, str) for v in e["labels"].values())


def test_entities_of_some_classes(agent):
    assert {e["class"] for e in agent.api("entities?class=host")["entities"]} == {"host"}
    assert {e["class"] for e in agent.api("entities?class=host&class=agent")["entities"]} == {"host", "agent"}
    answer = agent.get("/api/v1/entities?class=planet")
    assert answer.status == 400
    assert "planet" in answer.json()["error"]


# --- series


def series(agent, **params):
    return agent.get("/api/v1/series?" + urllib.parse.urlencode(params, doseq=True))


def test_series_of_several_metrics_and_entities(agent):
    until(lambda: known_values(agent, "host/host", "cpu_used_percent"), 10, "a stored value")
    # Two classes have this name in common.
    answer = series(agent, entity=["host/host", "agent/agent"], metric="cpu_used_percent", **{"from": -60}).json()
    assert [s["entity"] for s in answer["series"]] == ["host/host", "agent/agent"]
    answer = series(agent, entity="host/host", metric="cpu_used_percent,load1", **{"from": -60, "points": 10}).json()
    (one,) = answer["series"]
    assert one["metrics"] == ["cpu_used_percent", "load1"]
    assert len(one["values"]) == 2 and 1 <= len(one["values"][0]) == len(one["values"][1]) <= 10
    last = one["start"] + (len(one["values"][0]) - 1) * one["step"]
    assert answer["from"] <= one["start"] and last <= answer["to"] + one["step"]
    assert all(0 <= v <= 100 for v in one["values"][0] if v is not None)


def test_everything_measured_gets_a_history(agent):
    """Whatever the class; keys that are paths are decoded."""
    stored = {c["name"]: [m["name"] for m in c["metrics"] if m["stored"]] for c in agent.api("classes")["classes"]}
    for e in agent.api("entities")["entities"]:
        known = [m for m in stored[e["class"]] if e["live"] and e["values"][m] is not None]
        if not known or e["class"] in ("container", "service"):
            continue
        name = f"{e['class']}/{e['key']}"
        until(lambda: known_values(agent, name, known[0]), 10, f"the history of {name}")


def known_values(agent, name, metric):
    (one,) = series(agent, entity=name, metric=metric, **{"from": -60}).json()["series"]
    assert one["entity"] == name
    return [v for v in one["values"][0] if v is not None]


def test_series_of_what_nobody_ever_saw_is_404(agent):
    answer = series(agent, entity="container/no-such", metric="cpu_used_percent")
    assert answer.status == 404
    assert "no-such" in answer.json()["error"]
    answer = series(agent, entity=["host/host", "host/../../etc/passwd"], metric="load1")
    assert answer.status == 404


@pytest.mark.parametrize("params, text", [
    ({"metric": "load1"}, "entity"),
    ({"entity": "host/host"}, "metric"),
    ({"entity": "host", "metric": "load1"}, "CLASS/KEY"),
    ({"entity": "planet/x", "metric": "load1"}, "planet/x"),
    ({"entity": "host/host", "metric": "loud"}, "loud"),
    ({"entity": "host/host", "metric": "cpu_cores"}, "history"),
    ({"entity": "host/host", "metric": "load1", "points": 1}, "points"),
    ({"entity": "host/host", "metric": "load1", "points": 5001}, "points"),
    ({"entity": "host/host", "metric": "load1", "points": "many"}, "points"),
    ({"entity": "host/host", "metric": "load1", "how": "median"}, "how"),
    ({"entity": "host/host", "metric": "load1", "from": -10, "to": -20}, "before"),
    ({"entity": "host/host", "metric": "load1", "from": "yesterday"}, "from"),
    ({"entity": "host/host", "metric": ["load1"] * 31}, "30 metrics"),
    ({"entity": ["host/host"] * 201, "metric": "load1"}, "200 entities"),
    ({"entity": ["host/host"] * 100, "metric": "load1", "points": 5000}, "400000"),
])
def test_series_mistakes_are_named(agent, params, text):
    answer = series(agent, **params)
    assert answer.status == 400
    assert text in answer.json()["error"]


def test_series_of_any_range_stay_small_and_quick(agent):
    began = time.monotonic()
    for first, last in ((1, 253402300799), (-10**11, 0), (-31536000, 0)):
        answer = series(agent, entity=["host/host"] * 200, metric="load1", points=100, **{"from": first, "to": last})
        assert answer.status == 200
        assert all(len(s["values"][0]) <= 100 for s in answer.json()["series"])
    assert time.monotonic() - began < 10


# --- live


class Stream:
    """A listener of server-sent events."""

    def __init__(self, agent, query="", headers=None):
        self.connection = http.client.HTTPConnection("127.0.0.1", agent.port, timeout=10)
        self.connection.request("GET", "/api/v1/live" + query,
                                headers=headers or {"Authorization": "Bearer " + agent.viewer_token})
        self.answer = self.connection.getresponse()

    def event(self):
        """The fields of the next sample; what fires is told between them (test_api_alerts.py)."""
        fields = {}
        while True:
            line = self.answer.readline().decode()
            assert line, "the stream ended"
            if line == "\n" and fields.get("event") == "sample":
                return fields
            if line == "\n":
                fields = {}
            name, _, value = line.rstrip("\n").partition(":")
            if name:
                fields[name] = value.strip()

    def close(self):
        self.answer.close()
        self.connection.close()


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


# --- Prometheus


def test_promtool_finds_no_fault_but_node_exporters_own_names(agent):
    if not shutil.which("promtool"):
        pytest.skip("no promtool (Debian package prometheus)")
    text = agent.get("/metrics").text
    r = subprocess.run(["promtool", "check", "metrics"], input=text, text=True, capture_output=True, check=False)
    faults = [line for line in (r.stdout + r.stderr).splitlines()
              if not re.match(r"node_(memory|netstat|sockstat)_\w+ metric names should be written in 'snake_case'", line)]
    assert not faults
    assert r.returncode in (0, 3), "3: nothing but remarks on names"


def test_metrics_is_text_for_prometheus_and_json_for_dokploy(agent):
    assert agent.get("/metrics").headers["Content-Type"].startswith("text/plain; version=0.0.4")
    assert agent.get("/metrics?limit=5").headers["Content-Type"] == "application/json"
    for accept in ("text/plain", "application/openmetrics-text;version=1.0.0,text/plain;q=0.5,*/*;q=0.1"):
        answer = agent.get("/metrics?limit=5", headers={"Accept": accept})
        assert answer.headers["Content-Type"].startswith("text/plain")
    text = agent.get("/metrics").text
    for name in ("node_load1 ", "node_uname_info{", "agent_build_info{", "node_time_seconds ", 'node_cpu_seconds_total{cpu="0",mode="idle"} '):
        assert f"\n{name}" in text


# --- Dokploy


def test_dokploy_server_records(agent):
    records = until(lambda: agent.get("/metrics?limit=3").json(), 10, "a stored record")
    assert 1 <= len(records) <= 3
    assert [r["timestamp"] for r in records] == sorted({r["timestamp"] for r in records})
    record = records[-1]
    assert set(record) == {"cpu", "cpuModel", "cpuCores", "cpuPhysicalCores", "cpuSpeed", "os", "distro", "kernel", "arch",
                           "memUsed", "memUsedGB", "memTotal", "uptime", "diskUsed", "totalDisk", "networkIn", "networkOut",
                           "timestamp"}
    for name in ("cpu", "memUsed", "memUsedGB", "memTotal", "diskUsed", "totalDisk", "networkIn", "networkOut"):
        assert re.fullmatch(r"\d+\.\d\d", record[name]), name
    assert record["cpuCores"] == os.cpu_count() and 1 <= record["cpuPhysicalCores"] <= record["cpuCores"]
    assert isinstance(record["uptime"], int)
    assert record["arch"] == os.uname().machine
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ", record["timestamp"])


@pytest.mark.parametrize("limit", ["all", "x", "0", "-1", "100000"])
def test_dokploy_limit_is_bounded(agent, limit):
    answer = agent.get(f"/metrics?limit={limit}")
    assert answer.status == 200
    assert isinstance(answer.json(), list) and len(answer.json()) <= 5000


@pytest.mark.parametrize("query", ["", "?limit=5", "?limit=5&appName=", "?limit=5&appName=no-such-app", "?limit=all&appName=%2e%2e/host/host"])
def test_dokploy_has_an_empty_list_for_what_there_is_not(agent, query):
    answer = agent.get("/metrics/containers" + query)
    assert (answer.status, answer.body) == (200, b"[]")


def test_dokploy_errors_are_its_own(agent, client):
    for path in ("/metrics?limit=5", "/metrics/containers?limit=5&appName=x"):
        assert agent.get(path, token=None).json() == {"error": "Authorization header is required"}
        assert agent.get(path, token="wrong", headers=client).json() == {"error": "Invalid token"}


# --- pages and assets


def test_assets_are_compressed_and_not_sent_twice(agent):
    plain = agent.get("/assets/dygraph.min.js", token=None)
    assert plain.status == 200
    assert plain.headers["Content-Type"] == "text/javascript; charset=utf-8"
    assert b"sourceMappingURL" not in plain.body
    packed = agent.get("/assets/dygraph.min.js", token=None, headers={"Accept-Encoding": "br, gzip"})
    assert packed.headers["Content-Encoding"] == "gzip"
    assert packed.headers["Vary"] == "Accept-Encoding"
    assert gzip.decompress(packed.body) == plain.body
    assert agent.get("/assets/dygraph.min.js", token=None, headers={"Accept-Encoding": "gzip;q=0"}).body == plain.body
    etag = plain.headers["ETag"]
    for known in (etag, f'"other", W/{etag}', "*"):
        again = agent.get("/assets/dygraph.min.js", token=None, headers={"If-None-Match": known})
        assert (again.status, again.body) == (304, b"")
    assert agent.get("/assets/dygraph.min.js", token=None, headers={"If-None-Match": '"other"'}).status == 200


def test_pages_name_assets_that_may_be_kept_for_ever(agent):
    names = set(re.findall(r'"(/assets/[^"]+)"', agent.get("/").text + agent.get("/assets/app.js").text))
    assert len(names) > 10
    version = min(names).split("/")[2]
    for name in names:
        assert re.fullmatch(rf"/assets/{version}/[\w.-]+", name)
        answer = agent.get(name, token=None)
        assert answer.status == 200, name
        assert "immutable" in answer.headers["Cache-Control"]
    # A page from before an upgrade still gets its files, but does not keep them.
    old = agent.get(f"/assets/{'0' * 12}/app.js", token=None)
    assert (old.status, old.headers["Cache-Control"]) == (200, "public, no-cache")
    assert agent.get("/assets/app.js", token=None).headers["Cache-Control"] == "public, no-cache"


@pytest.mark.parametrize("name", ["", "nothing.js", "0" * 12 + "/", "0" * 12 + "/nothing.js", "../../etc/passwd", "%2e%2e/x", "dygraph.min.js/", "dygraph.min.js%00"])
def test_other_names_are_no_assets(agent, name):
    assert agent.get("/assets/" + name, token=None).status == 404


def test_dashboard_sends_strangers_to_the_login_page(agent, client):
    answer = agent.get("/", token=None)
    assert (answer.status, answer.headers["Location"]) == (303, "/login")
    assert agent.get("/", token=None, headers={"Cookie": "agent_session=" + "0" * 64}).status == 303
    page = agent.get("/login", token=None)
    assert page.status == 200
    assert page.headers["Content-Type"] == "text/html; charset=utf-8"
    cookie = cookie_of(login(agent, agent.viewer_token, client))
    page = agent.get("/", token=None, headers={"Cookie": cookie})
    assert page.status == 200
    assert page.headers["Content-Type"] == "text/html; charset=utf-8"


# --- the process


@pytest.mark.root
def test_web_process_has_no_rights(agent):
    status = dict(line.split(":", 1) for line in open(f"/proc/{agent.web_pid}/status", encoding="ascii"))
    assert "0" not in status["Uid"].split() + status["Gid"].split()
    assert not status["Groups"].split()
    assert int(status["CapEff"], 16) == int(status["CapPrm"], 16) == 0
    assert status["NoNewPrivs"].strip() == "1"


def anonymous_kb(pid):
    return int(re.search(r"RssAnon:\s+(\d+) kB", open(f"/proc/{pid}/status", encoding="ascii").read())[1])


def test_nothing_grows_with_the_number_of_requests(agent):
    def open_files():
        return len(os.listdir(f"/proc/{agent.web_pid}/fd"))

    def load(n):
        connection = http.client.HTTPConnection("127.0.0.1", agent.port, timeout=10)
        headers = {"Authorization": "Bearer " + agent.viewer_token}
        for i in range(n):
            path = ("/api/v1/entities", "/metrics", "/nothing", "/api/v1/series?entity=host/host&metric=load1", "/health")[i % 5]
            connection.request("GET", path, headers=headers)
            connection.getresponse().read()
        connection.close()

    load(300)
    files, memory = open_files(), anonymous_kb(agent.web_pid)
    load(1500)
    until(lambda: open_files() <= files, 5, "closed descriptors")
    # A sanitizer keeps freed memory back for a while.
    assert anonymous_kb(agent.web_pid) <= memory + 512 or memory > 100_000


def test_daemon_that_hangs_is_503_within_seconds(make_agent):
    agent = make_agent().start(samples=1)
    os.kill(agent.pid, signal.SIGSTOP)
    try:
        began = time.monotonic()
        answer = agent.get("/api/v1/host")
        assert answer.status == 503
        assert answer.headers["Retry-After"] and answer.json()["error"]
        assert 4 < time.monotonic() - began < 8
        assert agent.get("/health", token=None).status == 503
        # What needs no daemon still works.
        assert agent.get("/assets/dygraph.min.js", token=None).status == 200
    finally:
        os.kill(agent.pid, signal.SIGCONT)
    until(lambda: agent.get("/api/v1/host").status == 200, 5, "an answer")
    until(lambda: agent.get("/health", token=None).status == 200, 5, "health")


def test_waiting_requests_do_not_hinder_others(make_agent):
    """Requests that wait for the daemon are suspended, not blocking."""
    agent = make_agent().start(samples=1)
    token = agent.viewer_token
    assert agent.get("/api/v1/host", token=token).status == 200
    os.kill(agent.pid, signal.SIGSTOP)
    try:
        waiting = []
        for _ in range(20):
            s = socket.create_connection(("127.0.0.1", agent.port), 5)
            s.sendall(f"GET /api/v1/host HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {token}\r\n\r\n".encode())
            waiting.append(s)
        began = time.monotonic()
        assert agent.get("/api/v1/classes", token=token).status == 200
        assert time.monotonic() - began < 1
    finally:
        os.kill(agent.pid, signal.SIGCONT)
    for s in waiting:
        assert s.recv(12) == b"HTTP/1.1 200"
        s.close()

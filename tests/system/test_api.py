# SPDX-License-Identifier: Apache-2.0
"""The HTTP API of API.md: routes, headers, what is measured, pages, and the process behind it."""

import gzip
import http.client
import os
import re
import signal
import socket
import time
from concurrent.futures import ThreadPoolExecutor

import pytest

from harness.api import cookie_of, login
from harness.wait import until

# A picture is for viewers too, or for whoever has a signed link: test_chart.py.
OPEN = {"/", "/assets/{name}", "/health", "/login", "/chart/{class}/{entity}/{picture}",
        "/deploy/{app}", "/deploy/{app}/{secret}"}
SECURE = {
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "no-referrer",
}


@pytest.fixture
def agent(steady_agent):
    return steady_agent


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


@pytest.mark.parametrize("path", ["/nothing", "/api/v1/", "/api/v2/host", "/deploy/", "/deploy/shop/x/y", "//", "/%2e%2e/etc"])
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
    assert {"host", "core", "disk", "filesystem", "interface", "sensor", "container", "service", "agent", "app"} == set(classes)
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
        with ThreadPoolExecutor() as pool:  # both wait for the same 5 s
            health = pool.submit(until, lambda: agent.get("/health", token=None).status == 503, 9, "ill health")
            answer = agent.get("/api/v1/host")
            took = time.monotonic() - began
        assert answer.status == 503
        assert answer.headers["Retry-After"] and answer.json()["error"]
        assert 4 < took < 8
        assert health.result()
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

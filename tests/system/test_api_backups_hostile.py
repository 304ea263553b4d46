# SPDX-License-Identifier: Apache-2.0
"""The routes of backups with the real daemon, used by those who mean no good: what is refused and how, who may begin a run, many
requests, and that the web process never comes to know a secret."""

import contextlib
import http.client
import http.server
import json
import os
import re
import signal
import socket
import threading

import pytest

from harness import proc
from harness.agent import Agent, free_port
from harness.api import cookie_of, login
from harness.backup_jobs import settings
from harness.wait import until

UNDER_WAY = ("waiting", "running")


@pytest.fixture(scope="module")
def agent(tmp_path_factory):
    folder = tmp_path_factory.mktemp("hostile")
    agent = Agent(folder, settings=settings(folder)).start(samples=1)
    yield agent
    agent.finish()


def ask(agent, method, path, body=None, **how):
    return agent.get("/api/v1/" + path, method=method, body=body, **how)


def begin(agent, job, **body):
    answer = ask(agent, "POST", f"backups/jobs/{job}/run", body)
    assert answer.status == 200, answer
    return answer.json()["run"]


def ended(agent, run, seconds=30):
    def look():
        found = agent.api(f"backups/runs/{run}")["run"]
        return found if found["state"] not in UNDER_WAY else None

    return until(look, seconds, f"the end of run {run}")


def runs(agent):
    return agent.api("backups/runs?limit=500")["runs"]


@pytest.mark.parametrize("method, path, body, status, text", [
    ("GET", "backups/jobs/nothing", None, 404, "there is no backup job \"nothing\""),
    ("GET", "backups/jobs/nothing?refresh=true", None, 404, "there is no backup job \"nothing\""),
    ("GET", "backups/runs/999999", None, 404, "there is no such run"),
    ("GET", "backups/jobs/letter/run", None, 405, "POST"),
    ("POST", "backups/jobs/nothing/run", {}, 404, "there is no backup job \"nothing\""),
    ("POST", "backups/jobs/letter/run", {"what": "restore"}, 400, "what must be backup, verify, drill or prune"),
    ("POST", "backups/jobs/letter/run", {"what": "verify", "store": "nas"}, 404, "letter does not go to a store \"nas\""),
    ("POST", "backups/jobs/letter/run", {"dry_run": True}, 400, "dry_run goes with prune only"),
    ("POST", "backups/jobs/letter/run", {"what": "prune", "backup": "20261121T030000Z-3f9a2c"}, 400, "backup goes with verify and drill"),
    ("POST", "backups/jobs/letter/run", {"store": "local"}, 400, "store goes with verify, drill and prune only"),
    ("POST", "backups/jobs/letter/run", {"what": "drill"}, 400, "engine command has no drill"),
    ("POST", "backups/runs/999999/cancel", None, 404, "not under way"),
    ("DELETE", "backups/runs/1", None, 405, "GET"),
], ids=range(13))
def test_each_mistake_has_its_answer_and_begins_nothing(agent, method, path, body, status, text):
    before = len(runs(agent))
    answer = ask(agent, method, path, body)
    assert answer.status == status and text in answer.json()["error"] + answer.headers.get("Allow", ""), answer
    assert len(runs(agent)) == before


@pytest.mark.parametrize("name", ["..%2f..%2fetc%2fpasswd", "%2e%2e", "a%2Fb", "%00", "letter%00", "%ff%fe", "%zz", "%0d%0aX-Evil:%20yes", "%F0%9F%98%80",
                                  "%22%3Cimg%20src=x%3E", "x" * 64, "x" * 65, "LETTER", "letter%20", "*", "';--"])
def test_odd_names_are_no_jobs(agent, name):
    before = len(runs(agent))
    for method, path in (("GET", f"backups/jobs/{name}"), ("GET", f"backups/jobs/{name}?refresh=true"), ("POST", f"backups/jobs/{name}/run")):
        answer = ask(agent, method, path)
        assert answer.status in (400, 404) and answer.json()["error"], answer
        assert answer.headers["X-Evil"] is None
    assert len(runs(agent)) == before


@pytest.mark.parametrize("number", ["0", "-1", "1.0", "0x1", "1e0", "%201", "1%00", "9007199254740993", "9" * 40, "NaN", "../jobs/letter", "1;2"])
def test_odd_numbers_are_no_runs(agent, number):
    assert ask(agent, "GET", f"backups/runs/{number}").status in (400, 404)
    assert ask(agent, "POST", f"backups/runs/{number}/cancel").status in (400, 404)


BODIES = [b"", b"null", b"[]", b"7", b"\"backup\"", b"{", b"{\"what\":\"backup\"", b"{\"what\":null}", b"{\"what\":[\"backup\"]}", b"{\"what\":\"backup\\u0000\"}",
          b"{\"what\":\"\xff\"}", b"{\"what\":\"verify\",\"what\":\"backup\",\"x\":1}", b"{\"\":1}", b"[" * 60000, b"{\"what\":" * 8000, b"\x00" * 1000,
          b"{\"what\":\"" + b"x" * 60000 + b"\"}", b"what=backup"]


@pytest.mark.parametrize("body", BODIES[1:], ids=range(1, len(BODIES)))
def test_odd_bodies_begin_nothing(agent, body):
    before = len(runs(agent))
    answer = ask(agent, "POST", "backups/jobs/letter/run", body)
    assert answer.status == 400 and answer.json()["error"], answer
    assert len(runs(agent)) == before


def test_huge_bodies_are_413_before_they_are_read(agent):
    before = len(runs(agent))
    with socket.create_connection(("127.0.0.1", agent.port), 5) as s:
        s.sendall(f"POST /api/v1/backups/jobs/letter/run HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {agent.token}\r\n"
                  "Content-Length: 10000000000\r\n\r\n{".encode())
        assert b" 413 " in s.recv(1000)
    assert len(runs(agent)) == before


def test_a_browser_begins_runs_only_from_this_site(agent, client):
    """As for the alerts' buttons: a cookie alone is not enough."""
    before = len(runs(agent))
    admin, viewer = (cookie_of(login(agent, token, client)) for token in (agent.token, agent.viewer_token))

    def post(cookie, path="backups/jobs/letter/run", **headers):
        return agent.get("/api/v1/" + path, token=None, method="POST", headers={"Cookie": cookie, **headers}, body={}).status

    for site in ({}, {"Sec-Fetch-Site": "cross-site"}, {"Sec-Fetch-Site": "same-site"}, {"Origin": "https://evil.example"}, {"Origin": "null"}):
        assert post(admin, **site) == 403, site
        assert post(admin, "backups/runs/1/cancel", **site) == 403, site
    here = {"Sec-Fetch-Site": "same-origin"}
    assert post(viewer, **here) == 403
    assert post(viewer, "backups/runs/1/cancel", **here) == 403
    assert post("agent_session=" + "0" * 64, **here) == 401
    assert len(runs(agent)) == before
    assert post(admin, **here) == 200
    ended(agent, runs(agent)[0]["run"])


def anonymous_kb(pid):
    return int(re.search(r"RssAnon:\s+(\d+) kB", open(f"/proc/{pid}/status", encoding="ascii").read())[1])


def load(agent, requests):
    """Statuses of many requests over one connection."""
    connection = http.client.HTTPConnection("127.0.0.1", agent.port, timeout=10)
    statuses = []
    for method, path, token in requests:
        connection.request(method, "/api/v1/" + path, headers={"Authorization": "Bearer " + token})
        answer = connection.getresponse()
        answer.read()
        statuses.append(answer.status)
    connection.close()
    return statuses


READ = ["backups", "backups/runs?limit=500", "backups/jobs/letter", "backups/jobs/nothing", "backups/runs/1", "backups/runs/0", "backups/runs?before=x"]


def test_a_thousand_questions_leave_nothing_behind(agent):
    ended(agent, begin(agent, "letter"))
    many = [("GET", READ[i % len(READ)], agent.viewer_token) for i in range(1000)]
    load(agent, many[:300])
    before = {pid: anonymous_kb(pid) for pid in (agent.pid, agent.web_pid)}
    files = {pid: len(proc.lasting_files(pid)) for pid in before}
    assert set(load(agent, many)) == {200, 400, 404}
    for pid, kb in before.items():
        # A sanitizer keeps freed memory back for a while.
        assert anonymous_kb(pid) <= kb + 1024 or kb > 100_000
        until(lambda pid=pid: len(proc.lasting_files(pid)) <= files[pid] + 1, 5, "closed descriptors")


def test_what_is_not_awaited_is_bounded(make_agent, tmp_path):
    """One who presses the button 1,000 times while something runs: so many wait, the others are refused, and all can be ended."""
    agent = make_agent(settings=settings(tmp_path)).start(samples=1)
    running = begin(agent, "endless")
    until(lambda: agent.api(f"backups/runs/{running}")["run"]["plain_bytes"] > 0, 10, "the run")
    statuses = load(agent, [("POST", "backups/jobs/letter/run", agent.token)] * 1000)
    assert set(statuses) == {200, 503} and 100 <= statuses.count(200) <= 300
    refused = ask(agent, "POST", "backups/jobs/letter/run")
    assert "are waiting already" in refused.json()["error"] and refused.headers["Retry-After"]
    jobs = {j["name"]: j for j in agent.api("backups")["jobs"]}
    assert jobs["letter"]["waiting"] == statuses.count(200) and jobs["endless"]["running"]["run"] == running
    for run in runs(agent):
        if run["state"] == "waiting":
            assert ask(agent, "POST", f"backups/runs/{run['run']}/cancel").json()["run"]["state"] == "cancelled"
    assert ask(agent, "POST", f"backups/runs/{running}/cancel").json()["run"]["state"] == "cancelled"


def test_many_who_ask_the_stores_at_once(agent):
    """Each starts a worker: only so many at a time, the others are told to come again."""
    statuses = []
    path = "backups/jobs/letter?refresh=true"
    threads = [threading.Thread(target=lambda: statuses.extend(load(agent, [("GET", path, agent.viewer_token)]))) for _ in range(40)]
    for t in threads:
        t.start()
    for t in threads:
        t.join()
    assert len(statuses) == 40 and set(statuses) <= {200, 503} and 200 in statuses
    until(lambda: ask(agent, "GET", path).status == 200, 10, "an answer afterwards")


# --- secrets

MARKS = {name: f"mark-{name}-{'f00d' * 4}" for name in ("password", "passphrase", "ping", "secret-key", "access-key", "session-token")}


class NoStore(http.server.BaseHTTPRequestHandler):
    """Refuses the keys, as S3 does, and says again what it was sent."""

    def answer(self):
        sent = self.headers.get("X-Amz-Security-Token", "") + self.headers.get("Authorization", "")
        body = f"<Error><Code>InvalidAccessKeyId</Code><Message>no key {sent}</Message></Error>".encode()
        self.send_response(403)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    do_GET = do_PUT = do_POST = do_HEAD = do_DELETE = answer

    def log_message(self, *_):
        pass


@pytest.fixture
def no_store():
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), NoStore)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    thread.join()
    server.server_close()


def write_secrets(folder):
    texts = {"pg": MARKS["password"], "passphrase": MARKS["passphrase"],
             "s3": f"access_key_id = {MARKS['access-key']}\nsecret_access_key = {MARKS['secret-key']}\nsession_token = {MARKS['session-token']}"}
    for name, text in texts.items():
        (folder / name).write_text(text + "\n")
        (folder / name).chmod(0o600)


def secret_settings(folder, url):
    write_secrets(folder)
    command = {"engine": "command", "command": ["/bin/date"]}
    return {"stores": {
        "offsite": {"type": "s3", "endpoint": url, "bucket": "backups", "credentials_file": str(folder / "s3")},
        "local": {"type": "directory", "path": str(folder / "local")},
    }, "databases": {
        "sealed": {**command, "stores": ["local"], "passphrase_file": str(folder / "passphrase"), "key_exported": True,
                   "ping_url": f"{url}/{MARKS['ping']}"},
        "away": {**command, "stores": ["offsite"]},
        "db": {"engine": "postgresql", "stores": ["local"], "host": "127.0.0.1", "port": free_port(), "user": "backup",
               "password_file": str(folder / "pg")},
    }}


def memory_has(pid, *texts):
    """Which of the texts are anywhere in the memory of a process, which stands still meanwhile."""
    found = set()
    os.kill(pid, signal.SIGSTOP)
    try:
        until(lambda: proc.stat_fields(pid)[0] == "T", 5, "a standing process")
        with open(f"/proc/{pid}/maps", encoding="ascii") as maps, open(f"/proc/{pid}/mem", "rb", 0) as mem:
            for line in maps:
                area, rights = line.split()[:2]
                begin, end = (int(x, 16) for x in area.split("-"))
                if "r" not in rights or "[v" in line or end - begin > 1 << 30:  # a sanitizer reserves terabytes
                    continue
                mem.seek(begin)
                with contextlib.suppress(OSError if "/" in line else ()):  # a file that became shorter has no pages there
                    data = mem.read(end - begin)
                    found |= {t for t in texts if t.encode() in data}
    finally:
        os.kill(pid, signal.SIGCONT)
    return found


@pytest.mark.root
def test_the_web_process_never_knows_a_secret(make_agent, tmp_path, no_store):
    agent = make_agent(settings=secret_settings(tmp_path, no_store)).start(samples=1)
    answers = [agent.get("/").text]
    for job, what, state in (("sealed", "backup", "done"), ("sealed", "verify", "done"), ("away", "backup", "failed"), ("db", "backup", "failed")):
        run = ended(agent, begin(agent, job, what=what))
        assert run["state"] == state, run
        answers.append(json.dumps(run))
        assert not memory_has(agent.web_pid, *MARKS.values()), job
    for path in ("backups", "backups/runs", "backups/jobs/sealed?refresh=true", "backups/jobs/away?refresh=true", "events", "alerts", "host", "openapi.json"):
        answers.append(agent.get("/api/v1/" + path).text)
    answers.append(agent.get("/metrics").text)
    assert not [name for name, mark in MARKS.items() if any(mark in text for text in answers)]
    assert not memory_has(agent.web_pid, *MARKS.values())
    assert memory_has(agent.web_pid, "does not accept the keys"), "what it was told is found"
    assert memory_has(agent.pid, MARKS["ping"]), "and so is a secret where it is known"
    for file in ("environ", "cmdline"):
        assert b"mark-" not in open(f"/proc/{agent.web_pid}/{file}", "rb").read()
    assert not [path for fd, path in proc.open_files(agent.web_pid).items() if fd > 2 and str(tmp_path) in path and "/rrd" not in path]
    assert not [name for name, mark in MARKS.items() if mark in agent.log()]

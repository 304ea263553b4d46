# SPDX-License-Identifier: Apache-2.0
"""What people, the git host and the events hear of a deploy, how its app answers, and the verdict ten minutes later."""

import json
import re
import shutil
import sqlite3
import subprocess
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from harness import channels
from harness.control import ask
from harness.providers.webhook import Webhook
from harness.tiny_apps import COMMIT, TinyApps
from harness.wait import until

TOKEN = "ghp_theTokenOfTheTests4242"


class Server:
    """Answers `status` to all, and keeps what it was asked."""

    def __init__(self):
        self.status, self.got = 200, []
        outer = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self):
                body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
                outer.got.append((self.command, self.path, dict(self.headers), body))
                self.send_response(outer.status)
                self.send_header("Content-Length", "0")
                self.end_headers()

            do_POST = do_GET

            def log_message(self, *_):
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.address = f"127.0.0.1:{self.server.server_port}"
        threading.Thread(target=self.server.serve_forever, args=(0.02,), daemon=True).start()

    def close(self):
        self.server.shutdown()
        self.server.server_close()


@pytest.fixture
def server():
    s = Server()
    yield s
    s.close()


@pytest.fixture
def tiny(tmp_path):
    """tiny(settings={...}, options of the app): an agent with the app "shop", started."""
    made = []

    def make(settings=None, **options):
        t = TinyApps(tmp_path / "t", "shop", **options)
        text = t.agent.config.read_text()
        t.agent.write_config(settings or {})
        t.agent.config.write_text(t.agent.config.read_text() + text[text.index("hooks_dir"):])
        made.append(t)
        t.agent.start(samples=1)
        return t

    yield make
    for t in made:
        t.agent.finish()


def events(agent, **members):
    return ask(agent, "events.list", **members)["events"]


def test_a_failure_and_its_end_are_told_and_who_asked_is_noted(tiny, tmp_path):
    hook = Webhook()
    try:
        t = tiny({"channels": channels.settings(tmp_path / "c", {"ops": hook})})
        first = t.deploy("shop")
        assert first["state"] == "done"
        t.on("shop", "build", "echo 'npm ERR! missing script'; exit 3")
        bad = t.deploy("shop", ref="next")
        assert bad["state"] == "failed"
        t.on("shop", "build", "")
        assert t.deploy("shop")["state"] == "done"
        told = until(lambda: [r.data for r in hook.requests if r.accepted][2:] and [r.data for r in hook.requests if r.accepted], 20)
    finally:
        hook.close()
    assert [e["kind"] for e in told] == ["deploy.done", "deploy.failed", "deploy.recovered"]
    done, failed, recovered = told
    assert done["title"] == f"shop is deployed: {COMMIT[:8]} of main" and done["severity"] == "info"
    assert failed["title"] == "Deploy of shop failed in build, nothing was changed" and failed["entity"] == "app/shop"
    assert "build | npm ERR! missing script" in failed["text"] and "What serves is deploy 1 of " in failed["text"]
    assert {"name": "Commit", "value": "Mend the basket (Ada)"} in failed["facts"]
    assert recovered["is_end"] and recovered["key"] == failed["key"] == "deploy shop" and recovered["duration_ms"] > 0
    notes = [e for e in events(t.agent) if e["kind"] == "audit.deploy"]
    assert [e["title"].split(" by ")[0] for e in notes] == [f"Deploy {n} of shop: asked for" for n in (3, 2, 1)]
    assert not any(e.get("deliveries") for e in notes)


def test_the_git_host_hears_how_it_goes_and_nobody_of_the_token(tiny, server, tmp_path):
    secret = tmp_path / "token"
    secret.touch(mode=0o600)
    secret.write_text(TOKEN + "\n")
    t = tiny({"log_level": "debug"}, source="https://github.com/me/shop.git", status_url=f"http://{server.address}",
             status_token_file=str(secret))
    t.deploy("shop")
    t.on("shop", "start", "exit 1")
    t.deploy("shop")
    until(lambda: len(server.got) == 4, 15, "four statuses")
    assert {(method, path) for method, path, _, _ in server.got} == {("POST", f"/repos/me/shop/statuses/{COMMIT}")}
    assert {headers["Authorization"] for _, _, headers, _ in server.got} == {f"Bearer {TOKEN}"}
    bodies = [json.loads(body) for _, _, _, body in server.got]
    assert [b["state"] for b in bodies] == ["pending", "success", "pending", "failure"]
    assert bodies[3]["description"] == "Deploy 2 failed in start" and bodies[3]["context"] == "deploy/shop"
    # A host that is not there holds nothing up.
    server.status = 401
    t.on("shop", "start", "")
    assert t.deploy("shop")["state"] == "done"
    problem = until(lambda: t.agent.problems().get("deploy.status.shop"), 10, "the problem")
    assert "HTTP status 401" in problem
    assert TOKEN not in t.agent.log() + problem + json.dumps(events(t.agent))


def serve_at(t, address):
    """The start hook says that the app answers there."""
    t.on("shop", "start", f'printf "container=tiny\\naddress={address}\\n" >>"$DEPLOY_OUTPUT"; exit 0')


def test_an_app_is_asked_how_it_is(tiny, server):
    t = tiny(health={"path": "/healthz", "interval": "100ms", "count": 1}, domain="shop.example.com")
    probe = t.hooks / "probe/http"
    probe.write_text((t.hooks / "probe/tcp").read_text())
    probe.chmod(0o755)
    until(lambda: t.agent.entities("app")["shop"]["missing"]["up"] == "no version of it serves at an address", 10, "the reason")
    serve_at(t, server.address)
    d = t.deploy("shop")
    assert (d["state"], d["new"]["address"]) == ("done", server.address), t.log(d["id"])

    def values():
        return t.agent.entities("app")["shop"]["values"]

    until(lambda: values()["up"] == 1, 15, "an answer")
    assert 0 < values()["latency_seconds"] < 5
    method, path, headers, _ = server.got[-1]
    assert (method, path, headers["Host"]) == ("GET", "/healthz", "shop.example.com")
    server.status = 500
    until(lambda: values()["up"] == 0, 15, "a failure")
    assert 'probe_success{app="shop"} 0' in t.agent.get("/metrics").text


COLUMNS = ["cpu_used", "mem_used", "disk_read", "disk_written", "net_received", "net_sent", "processes", "restarts", "oom_kills"]


def history(agent, end, cut, before, after):
    """What is stored of the container shop: a value each second until `end`."""
    path = agent.state / "rrd/container/shop.rrd"
    path.parent.mkdir(parents=True, exist_ok=True)
    start = end - 1800
    subprocess.run(["rrdtool", "create", path, "--start", str(start), "--step", "1", *[f"DS:{c}:GAUGE:2:U:U" for c in COLUMNS],
                    "RRA:AVERAGE:0.5:1:3600", "RRA:MAX:0.5:10:360"], check=True)
    rows = [f"{s}:{before if s <= cut else after}:104857600:0:0:0:0:5:0:0" for s in range(start + 1, end)]
    for i in range(0, len(rows), 500):
        subprocess.run(["rrdtool", "update", path, *rows[i:i + 500]], check=True)


def age(agent, deploy, minutes):
    """As if it had ended so long ago."""
    with sqlite3.connect(agent.state / "state.db") as db:
        body = json.loads(db.execute("SELECT body FROM deploy WHERE id = ?", (deploy,)).fetchone()[0])
        shift = int(time.time() * 1000) - minutes * 60000 - body["ended_ms"]
        for name in ("queued_ms", "started_ms", "ended_ms"):
            body[name] += shift
        db.execute("UPDATE deploy SET body = ?, ended_ms = ? WHERE id = ?", (json.dumps(body), body["ended_ms"], deploy))
    db.close()
    return body


def marks(agent, what, begin, end):
    """How many lines of deploys a picture has."""
    svg = agent.get(f"/chart/{what}.svg?from={begin}&to={end}")
    assert svg.status == 200, svg
    return len(re.findall(r'stroke="rgb\(54\.\d+%, ?36\.\d+%, ?96\.\d+%\)"|stroke:rgb\(54\.\d+%,36\.\d+%,96\.\d+%\)', svg.text))


@pytest.mark.skipif(not shutil.which("rrdtool"), reason="no rrdtool")
def test_ten_minutes_later_there_is_a_verdict_also_over_a_restart(tiny):
    t = tiny(rollback_if={"cpu_percent": 50})
    assert t.deploy("shop")["state"] == "done"
    d = t.deploy("shop", ref="next")
    assert (d["state"], d["verdict_grade"]) == ("done", "")
    t.agent.stop()
    age(t.agent, 1, 60)
    ended = age(t.agent, 2, 11)["ended_ms"] // 1000
    history(t.agent, int(time.time()), ended - 1, 12.1, 25.3)
    t.agent.start(samples=1)
    until(lambda: t.get(2)["verdict_ms"], 15, "the verdict")
    d = t.get(2)
    assert d["verdict_grade"] == "worse"
    assert d["verdict"].startswith("CPU 12.1 % -> 25.3 % (+109 %), memory 100 MiB -> 100 MiB (+0 %).")
    # More than the app allows: the version before is put back, once.
    back = t.ended(3)
    assert back["state"] == "done" and back["rollback_of"] == 1 and back["trigger"] == "rollback"
    assert back["by"] == "the verdict on deploy 2: CPU rose by 109 %, more than rollback_if.cpu_percent = 50 allows"
    verdicts = [e for e in events(t.agent) if e["kind"] == "deploy.verdict"]
    assert verdicts[0]["chart"]["entity"] == "container/shop" and verdicts[0]["chart"]["to"] >= ended + 600
    now = int(time.time())
    assert marks(t.agent, "container/shop/cpu_used_percent", now - 900, now) >= 3
    assert marks(t.agent, "container/shop/cpu_used_percent", now - 3600, now - 1800) == 0
    assert marks(t.agent, "host/host/load1", now - 900, now) == 0
    assert [e["title"].split(":")[0] for e in verdicts] == ["shop goes back to the version before deploy 2"]
    assert verdicts[0]["severity"] == "warning" and verdicts[0]["text"] == d["verdict"]
    t.agent.stop()
    t.agent.start(samples=1)
    assert t.get(2)["verdict_ms"] == d["verdict_ms"]
    assert len([e for e in events(t.agent) if e["kind"] == "deploy.verdict"]) == 1

# SPDX-License-Identifier: Apache-2.0
"""The routes of backups: what is asked of the daemon, what is refused before, the live stream, Prometheus. The daemon is a stand-in
where what it has to say must be foretold; the last tests have the real one."""

import shutil
import subprocess
import time

import pytest

from harness.agent import Agent
from harness.backup_jobs import settings
from harness.sse import Stream
from harness.wait import until
from harness.web_process import Refused, WebProcess

READ = ["backups", "backups/jobs/shop", "backups/runs", "backups/runs/7"]
ACT = [("backups/jobs/shop/run", {}), ("backups/runs/7/cancel", {})]
HOSTILE = "<img src=x onerror=alert(1)>\n\"\\"
JOB = {"name": "shop", "engine": "postgresql", "source": "database shop", "stores": ["local"], "schedule": "0 3 * * *",
       "next_ms": 1795312800000, "last_success_ms": 1795237260500, "last_size_bytes": 900, "last_plain_bytes": 4000,
       "last_duration_ms": 2500, "overdue": False, "overdue_ms": 0, "waiting": 0,
       "last": {"run": 6, "state": "done", "ended_ms": 1795237260500}}


def job_of(r):
    if r["job"] != "shop":
        raise Refused("not_found", f"there is no backup job \"{r['job']}\"")
    return {}


@pytest.fixture(scope="module")
def agent(tmp_path_factory):
    handlers = {
        "backup.jobs": lambda r: {"jobs": [JOB, {"name": "new", "overdue": True, "last_success_ms": 0, "next_ms": 0}], "running": 0},
        "backup.list": lambda r: {**job_of(r), "backups": [], "time_ms": 5, "errors": []},
        "backup.runs": lambda r: {"runs": [{"run": 6, "job": "shop", "error": HOSTILE}]},
        "backup.run": lambda r: {"run": {"run": r["run"], "job": "shop"}},
        "backup.start": lambda r: {**job_of(r), "run": 7},
        "backup.cancel": lambda r: {"run": {"run": r["run"], "state": "cancelled"}},
    }
    process = WebProcess(tmp_path_factory.mktemp("backups"), handlers)
    yield process
    process.finish()


def ask(agent, method, path, body=None, **how):
    return agent.get("/api/v1/" + path, method=method, body=body, **how)


def last(agent, op):
    """The last question of that kind, without what all have."""
    return {k: v for k, v in agent.questions(op)[-1].items() if k not in ("id", "op", "as")}


def refused(agent, method, path, body, status, text):
    answer = ask(agent, method, path, body)
    assert answer.status == status, answer
    assert text in answer.json()["error"]


def test_viewers_read_and_only_admins_act(agent):
    for path in READ:
        assert ask(agent, "GET", path, token="viewer").status == 200, path
        assert ask(agent, "GET", path, token=None).status == 401, path
    for path, body in ACT:
        assert ask(agent, "POST", path, body, token="viewer").status == 403, path
        assert ask(agent, "POST", path, body, token=None).status == 401, path
        assert ask(agent, "POST", path, body, headers={"Origin": "https://evil.example"}).status == 403, path
    assert not agent.questions("backup.start") and not agent.questions("backup.cancel")


def test_who_asks_is_told_to_the_daemon(agent):
    ask(agent, "GET", "backups", token="viewer")
    assert agent.questions("backup.jobs")[-1]["as"] == {"role": "viewer", "from": "127.0.0.1"}


def test_jobs_are_the_daemons(agent):
    answer = agent.api("backups")
    assert answer["jobs"][0] == JOB and answer["running"] == 0 and "ok" not in answer


def test_the_stores_are_asked_only_when_that_is_wanted(agent):
    assert agent.api("backups/jobs/shop") == {"backups": [], "time_ms": 5, "errors": []}
    assert last(agent, "backup.list") == {"job": "shop"}
    agent.api("backups/jobs/shop?refresh=true")
    assert last(agent, "backup.list") == {"job": "shop", "refresh": True}
    refused(agent, "GET", "backups/jobs/shop?refresh=maybe", None, 400, "refresh must be true or false")
    refused(agent, "GET", "backups/jobs/nothing", None, 404, "nothing")
    refused(agent, "GET", "backups/jobs/" + "x" * 65, None, 400, "65")


def test_asking_the_stores_may_take_longer_than_other_questions(agent):
    """Longer than the 5 s of all others."""
    late = []

    def slow(request):
        late.append(request)
        if len(late) == 1:
            time.sleep(5.5)
        return {"backups": [], "time_ms": 6, "errors": []}

    before = agent.handlers["backup.list"]
    agent.handlers["backup.list"] = slow
    try:
        assert agent.api("backups/jobs/shop?refresh=true")["time_ms"] == 6
    finally:
        agent.handlers["backup.list"] = before


def test_a_run_is_started_with_what_was_asked(agent):
    answer = ask(agent, "POST", "backups/jobs/shop/run", None)
    assert answer.status == 200 and answer.json() == {"run": 7}
    assert last(agent, "backup.start") == {"job": "shop"}
    body = {"what": "verify", "backup": "20261121T030000Z-3f9a2c", "store": "local"}
    assert ask(agent, "POST", "backups/jobs/shop/run", body).status == 200
    assert last(agent, "backup.start") == {"job": "shop", **body}
    assert ask(agent, "POST", "backups/jobs/shop/run", {"what": "prune", "dry_run": True}).status == 200
    assert last(agent, "backup.start") == {"job": "shop", "what": "prune", "dry_run": True}
    refused(agent, "POST", "backups/jobs/nothing/run", {}, 404, "nothing")
    refused(agent, "POST", "backups/jobs/shop/run", {"job": "other"}, 400, "may not have \"job\"; it may have what, backup, store, dry_run")
    refused(agent, "POST", "backups/jobs/shop/run", {"what": ""}, 400, "what")
    refused(agent, "POST", "backups/jobs/shop/run", {"dry_run": 1}, 400, "dry_run must be a boolean")
    refused(agent, "POST", "backups/jobs/shop/run", {"backup": "x" * 32}, 400, "32")


def test_runs_are_paged_and_filtered(agent):
    assert agent.api("backups/runs")["runs"][0]["error"] == HOSTILE
    agent.api("backups/runs?job=shop&what=backup&limit=20&before=100")
    assert last(agent, "backup.runs") == {"job": "shop", "what": "backup", "limit": 20, "before": 100}
    for bad in ("limit=0", "limit=501", "before=x", "job=" + "x" * 65):
        assert ask(agent, "GET", "backups/runs?" + bad).status == 400, bad
    assert agent.api("backups/runs/12") == {"run": {"run": 12, "job": "shop"}}
    for bad in ("0", "x", "1e3", str(2**60)):
        assert ask(agent, "GET", "backups/runs/" + bad).status == 400, bad


def test_a_run_is_cancelled(agent):
    answer = ask(agent, "POST", "backups/runs/7/cancel")
    assert answer.json() == {"run": {"run": 7, "state": "cancelled"}}
    refused(agent, "POST", "backups/runs/7/cancel", {"why": "x"}, 400, "must be empty")


def test_the_live_stream_tells_of_runs(agent):
    stream = Stream(agent, "?class=agent")
    stream.event()
    agent.push("backup", run={"run": 8, "state": "running", "plain_bytes": 5, "error": HOSTILE})
    assert stream.data("backup") == {"run": {"run": 8, "state": "running", "plain_bytes": 5, "error": HOSTILE}}
    agent.push("backup", run={"run": 8, "state": "done"})
    assert stream.data("backup")["run"]["state"] == "done"
    later = Stream(agent, "?class=agent")
    agent.push("backup", run={"run": 9, "state": "running"})
    assert later.data("backup")["run"]["run"] == 9, "what is over is not told again"
    stream.close()
    later.close()


def test_a_reader_that_is_too_slow_gets_the_newest_of_each_run(agent):
    """It reads nothing while more than all buffers hold is said of two runs."""
    stream = Stream(agent, "?class=agent")
    stream.event()
    for i in range(4000):
        agent.push("backup", run={"run": 20 + i % 2, "state": "running", "plain_bytes": i, "error": "x" * 2000})
    agent.push("backup", run={"run": 20, "state": "done"})
    agent.push("backup", run={"run": 21, "state": "failed"})
    until(lambda: agent.api("host"), 10, "an answer after all of them")
    seen = {}
    n = 0
    while seen.get(20) != "done" or seen.get(21) != "failed":
        run = stream.data("backup")["run"]
        seen[run["run"]] = run["state"]
        n += 1
    assert n < 4000, "what it missed is gone"
    stream.event()
    stream.close()


def metrics(agent):
    return agent.get("/metrics").text.splitlines()


def test_prometheus_has_the_backups(agent):
    lines = metrics(agent)
    assert 'agent_backup_last_success_timestamp_seconds{backup="shop"} 1795237260.5' in lines
    assert 'agent_backup_last_run_ok{backup="shop"} 1' in lines
    assert 'agent_backup_overdue{backup="new"} 1' in lines
    assert not any(line.startswith("agent_backup_last") and 'backup="new"' in line for line in lines), "unknown is left out"


def test_promtool_finds_no_fault(agent):
    if not shutil.which("promtool"):
        pytest.skip("no promtool (Debian package prometheus)")
    text = agent.get("/metrics").text
    r = subprocess.run(["promtool", "check", "metrics"], input=text, text=True, capture_output=True, check=False)
    assert (r.returncode, r.stdout + r.stderr) == (0, "")
    assert text.count("# TYPE agent_backup_") >= 8


def test_scrapes_do_not_ask_for_the_jobs_each_time(agent):
    agent.push("backup", run={"run": 30, "state": "done"})
    until(lambda: metrics(agent), 5, "metrics")
    asked = len(agent.questions("backup.jobs"))
    for _ in range(5):
        metrics(agent)
    assert len(agent.questions("backup.jobs")) == asked
    for event in ({"event": "backup", "run": {"run": 31, "state": "done"}}, {"event": "config.changed"}):
        agent.push(**event)
        until(lambda: metrics(agent) and len(agent.questions("backup.jobs")) > asked, 5, f"a new question after {event['event']}")
        asked = len(agent.questions("backup.jobs"))


def test_metrics_do_without_the_backups(agent):
    def cannot(request):
        raise Refused("failed", "the database is locked")

    before = agent.handlers["backup.jobs"]
    agent.handlers["backup.jobs"] = cannot
    try:
        agent.push("backup", run={"run": 32, "state": "done"})
        until(lambda: not any(line.startswith("agent_backup") for line in metrics(agent)), 5, "metrics without backups")
        assert any(line.startswith("node_time_seconds") for line in metrics(agent))
        assert ask(agent, "GET", "backups").status == 500
    finally:
        agent.handlers["backup.jobs"] = before


def test_the_description_has_the_routes(agent):
    paths = agent.api("openapi.json")["paths"]
    refresh = {p["name"]: p for p in paths["/api/v1/backups/jobs/{job}"]["get"]["parameters"]}["refresh"]
    assert refresh["schema"]["type"] == "boolean"
    body = paths["/api/v1/backups/jobs/{job}/run"]["post"]["requestBody"]["content"]["application/json"]["schema"]
    assert set(body["properties"]) == {"what", "backup", "store", "dry_run"}
    answers = {path: set(next(iter(methods.values()))["responses"]) for path, methods in paths.items() if "/backups" in path}
    reading = {"200", "401", "403", "429", "503"}
    assert answers == {
        "/api/v1/backups": reading,
        "/api/v1/backups/jobs/{job}": reading | {"400", "404"},
        "/api/v1/backups/jobs/{job}/run": reading | {"400", "404", "413"},
        "/api/v1/backups/runs": reading | {"400"},
        "/api/v1/backups/runs/{run}": reading | {"400", "404"},
        "/api/v1/backups/runs/{run}/cancel": reading | {"400", "404", "409", "413"},
    }


# --- the real daemon and its workers


@pytest.fixture(scope="module")
def real(tmp_path_factory):
    folder = tmp_path_factory.mktemp("real")
    agent = Agent(folder, settings=settings(folder)).start(samples=1)
    yield agent
    agent.finish()


def begin(agent, job):
    answer = ask(agent, "POST", f"backups/jobs/{job}/run", {})
    assert answer.status == 200, answer
    return answer.json()["run"]


def wait_for(agent, stream, run, *states):
    """The run as the stream tells of it, once it is in one of the states."""
    while True:
        told = stream.data("backup")["run"]
        if told["run"] == run and told["state"] in states:
            assert agent.api(f"backups/runs/{run}")["run"]["run"] == run
            return told


def job_named(agent, name):
    return next(j for j in agent.api("backups")["jobs"] if j["name"] == name)


def test_a_real_backup_from_the_button_to_prometheus(real):
    assert not [line for line in metrics(real) if line.startswith("agent_backup_last") and "letter" in line]
    stream = Stream(real, "?class=agent")
    stream.event()
    done = wait_for(real, stream, begin(real, "letter"), "done", "failed")
    stream.close()
    assert (done["state"], done["plain_bytes"], done["what"]) == ("done", 60000, "backup") and "web admin" in done["by"]
    job = job_named(real, "letter")
    assert job["last"]["run"] == done["run"] and job["last_plain_bytes"] == 60000 and "running" not in job
    (backup,) = real.api("backups/jobs/letter?refresh=true")["backups"]
    assert backup["id"] == done["backup"] and backup["store"] == "local"
    assert 'agent_backup_last_plain_size_bytes{backup="letter"} 60000' in metrics(real)
    assert 'agent_backup_last_run_ok{backup="letter"} 1' in metrics(real)


def test_a_real_failure_has_the_programs_own_words(real):
    stream = Stream(real, "?class=agent")
    stream.event()
    failed = wait_for(real, stream, begin(real, "broken"), "done", "failed")
    stream.close()
    assert failed["state"] == "failed" and "cannot open it" in failed["error"] and "3" in failed["error"]
    assert 'agent_backup_last_run_ok{backup="broken"} 0' in metrics(real)
    assert real.api("backups/jobs/broken?refresh=true")["backups"] == []


def test_a_real_run_is_seen_going_on_and_cancelled(real):
    stream = Stream(real, "?class=agent")
    stream.event()
    run = begin(real, "endless")
    until(lambda: stream.data("backup")["run"]["plain_bytes"] > 0, 10, "bytes")
    assert job_named(real, "endless")["running"]["run"] == run
    assert 'agent_backup_running{backup="endless"} 1' in metrics(real)
    answer = ask(real, "POST", f"backups/runs/{run}/cancel")
    assert answer.status == 200 and answer.json()["run"]["state"] == "cancelled", answer
    ended = wait_for(real, stream, run, "cancelled")
    assert ended["ended_ms"] > 0 and ended["error"].startswith("cancelled by ")
    stream.close()
    assert real.api("backups/jobs/endless?refresh=true")["backups"] == []
    refused(real, "POST", f"backups/runs/{run + 1000}/cancel", None, 404, "")


def test_a_real_backup_that_only_some_stores_have_is_not_good(real):
    stream = Stream(real, "?class=agent")
    stream.event()
    run = wait_for(real, stream, begin(real, "half"), "done", "failed")
    stream.close()
    assert run["state"] == "failed" and run["partial"] and [(s["name"], s["ok"]) for s in run["stores"]] == [("local", True), ("nas", False)]
    assert 'agent_backup_last_run_ok{backup="half"} 0' in metrics(real)
    assert not [line for line in metrics(real) if line.startswith("agent_backup_last_s") and '"half"' in line]
    answer = real.api("backups/jobs/half?refresh=true")
    assert [b["store"] for b in answer["backups"]] == ["local"] and [e["store"] for e in answer["errors"]] == ["nas"]

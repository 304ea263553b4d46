# SPDX-License-Identifier: Apache-2.0
"""Backups by the running agent: its queue, its schedule, what it tells, and what becomes of it all when it is killed."""

import datetime
import http.server
import json
import os
import signal
import sqlite3
import subprocess
import threading
import zoneinfo

import pytest

from harness import control, proc
from harness.agent import free_port
from harness.backups import events, files_in, job, job_of, manifests, run_to_end, runs, settings, waits_for
from harness.wait import until

DAY = 86400 * 1000


def begin(agent, name, **more):
    return control.ask(agent, "backup.start", job=name, **more)["run"]


def state_of(agent, number):
    return control.ask(agent, "backup.run", run=number)["run"]["state"]


def change_database(agent, *sql):
    """While it does not run."""
    with sqlite3.connect(agent.state / "state.db") as db:
        for one in sql:
            db.execute(one)
    db.close()


def test_without_any_store_it_goes_into_the_state_folder(make_agent):
    agent = make_agent(settings=settings(shop=job("printf 'all the rows'; head -c 5000 /dev/zero"))).start(samples=1)
    run = run_to_end(agent, "shop")
    assert run["state"] == "done" and run["plain_bytes"] == 5012 and run["trigger"] == "command", run
    (manifest,) = manifests(agent.state / "backups")
    assert manifest["id"] == run["backup"] and manifest["job"] == "shop"
    shown = job_of(agent, "shop")
    assert shown["last_success_ms"] and shown["last_size_bytes"] == run["stored_bytes"] and not shown["overdue"]
    # After it the store is read again by itself.
    listed = until(lambda: control.ask(agent, "backup.list", job="shop")["backups"], 10, "the list")
    assert [b["id"] for b in listed] == [run["backup"]] and listed[0]["store"] == "local"
    assert events(agent) == []


def test_a_failure_and_its_end_are_one_story(make_agent, tmp_path):
    text = f"if [ -e {tmp_path}/good ]; then head -c 5000 /dev/zero; else echo 'no such database: shop' >&2; exit 1; fi"
    agent = make_agent(settings=settings(shop=job(text))).start(samples=1)
    assert run_to_end(agent, "shop")["state"] == "failed"
    (tmp_path / "good").touch()
    assert run_to_end(agent, "shop")["state"] == "done"
    failed, over = events(agent)
    assert failed["kind"] == "backup.failed" and failed["severity"] == "critical"
    assert "no such database: shop" in failed["text"] and "agent backup doctor shop" in failed["text"]
    assert {"name": "Last good", "value": "none so far"} in failed["facts"]
    assert over["kind"] == "backup.recovered" and over["is_end"] and over["key"] == failed["key"] == "backup shop"
    assert len(manifests(agent.state / "backups")) == 1


def test_row_09_a_store_that_is_gone_is_a_failed_run(make_agent, tmp_path):
    store = tmp_path / "mnt"
    store.mkdir(mode=0o700)
    agent = make_agent(settings={**settings(shop=job()), "stores": {"nas": {"type": "directory", "path": str(store)}}})
    agent.start(samples=1)
    assert run_to_end(agent, "shop")["state"] == "done"
    for name in sorted(store.rglob("*"), reverse=True):
        name.rmdir() if name.is_dir() else name.unlink()
    store.rmdir()
    store.write_text("no folder any more")
    run = run_to_end(agent, "shop")
    assert run["state"] == "failed" and run["error"], run
    assert [e["kind"] for e in events(agent)] == ["backup.failed"]
    # Its list says so too, instead of being empty.
    assert control.ask(agent, "backup.list", job="shop", refresh=True)["errors"]


def test_row_12_killed_in_mid_run_it_says_so_and_leaves_nothing(make_agent, tmp_path):
    config = settings(shop=job(waits_for(tmp_path / "go", tmp_path / "begun")))
    agent = make_agent(settings=config).start(samples=1)
    number = begin(agent, "shop")
    until(lambda: (tmp_path / "begun").exists(), 10, "the dump")
    waiting = begin(agent, "shop", what="verify")
    agent.kill()
    agent.start(samples=1)
    assert state_of(agent, number) == "interrupted"
    (told,) = events(agent, "backup.failed")
    assert told["title"] == "Backup of shop was interrupted"
    # What had been accepted is done: it finds nothing to verify.
    until(lambda: state_of(agent, waiting) == "failed", 20, "the run that waited")
    # What the killed worker had written goes with the sweep at the start.
    until(lambda: not files_in(agent.state / "backups") and not files_in(agent.state / "backup" / "uploads"), 20, "the sweep")
    (tmp_path / "go").touch()
    assert run_to_end(agent, "shop")["state"] == "done"


def test_stopped_in_mid_run_it_unwinds(make_agent, tmp_path):
    agent = make_agent(settings=settings(shop=job(waits_for(tmp_path / "go", tmp_path / "begun")))).start(samples=1)
    number = begin(agent, "shop")
    until(lambda: (tmp_path / "begun").exists(), 10, "the dump")
    status, seconds = agent.stop()
    assert status == 0 and seconds < 8
    assert files_in(agent.state / "backups") == []
    agent.start(samples=1)
    assert state_of(agent, number) == "interrupted"
    assert [e["title"] for e in events(agent, "backup.failed")] == ["Backup of shop was interrupted"]


def test_row_13_a_second_run_waits(make_agent, tmp_path):
    slow = job(waits_for(tmp_path / "go", tmp_path / "begun"))
    agent = make_agent(settings=settings(slow=slow, quick=job())).start(samples=1)
    first = begin(agent, "slow")
    until(lambda: (tmp_path / "begun").exists(), 10, "the dump")
    second, other = begin(agent, "slow"), begin(agent, "quick")
    assert state_of(agent, second) == state_of(agent, other) == "waiting"
    assert job_of(agent, "slow")["waiting"] == 1 and job_of(agent, "slow")["running"]["run"] == first
    (tmp_path / "go").touch()
    until(lambda: state_of(agent, other) == "done", 20, "all three")
    a, b, c = (control.ask(agent, "backup.run", run=n)["run"] for n in (first, second, other))
    assert a["ended_ms"] <= b["started_ms"] and b["ended_ms"] <= c["started_ms"]


def test_a_worker_that_is_killed_is_a_failure(make_agent, tmp_path):
    agent = make_agent(settings=settings(shop=job(waits_for(tmp_path / "go", tmp_path / "begun")))).start(samples=1)
    number = begin(agent, "shop")
    until(lambda: (tmp_path / "begun").exists(), 10, "the dump")
    (worker,) = workers_of(agent)
    os.kill(worker, signal.SIGKILL)
    until(lambda: state_of(agent, number) == "failed", 20, "the end")
    run = control.ask(agent, "backup.run", run=number)["run"]
    assert "interrupted: its worker ended early (killed by signal 9" in run["error"]
    assert [e["kind"] for e in events(agent)] == ["backup.failed"]


def is_worker_of(agent, pid):
    try:
        with open(f"/proc/{pid}/stat", encoding="ascii", errors="replace") as f:
            parent = int(f.read().rpartition(")")[2].split()[1])
        with open(f"/proc/{pid}/cmdline", "rb") as f:
            words = f.read().split(b"\0")
    except OSError:
        return False
    return parent == agent.pid and words[1:3] == [b"worker", b"backup"]


def workers_of(agent):
    """Those with a dump; one more may sweep."""
    return [pid for pid in proc.children(agent.pid) if is_worker_of(agent, pid) and proc.children(pid)]


def io_class(pid):
    return subprocess.run(["ionice", "-p", str(pid)], stdout=subprocess.PIPE, text=True, check=True).stdout.split(":")[0].strip()


def test_a_worker_and_its_dump_give_way_to_all_others(make_agent, tmp_path):
    agent = make_agent(settings=settings(shop=job(waits_for(tmp_path / "go", tmp_path / "begun")))).start(samples=1)
    begin(agent, "shop")
    until(lambda: (tmp_path / "begun").exists(), 10, "the dump")
    (worker,) = workers_of(agent)
    dumps = proc.children(worker)
    assert dumps
    nice = min(19, os.getpriority(os.PRIO_PROCESS, agent.pid) + 10)
    for pid in [worker, *dumps]:
        assert os.getpriority(os.PRIO_PROCESS, pid) == nice
        assert io_class(pid) == "idle"
        # When memory runs out a run goes, not the daemon.
        with open(f"/proc/{pid}/oom_score_adj", encoding="ascii") as f:
            assert int(f.read()) >= 500
    (tmp_path / "go").touch()


def test_row_13_a_worker_that_outlives_its_daemon_is_waited_for(make_agent, tmp_path):
    begun = tmp_path / "begun"
    agent = make_agent(settings=settings(shop=job(waits_for(tmp_path / "go", begun)))).start(samples=1)
    first = begin(agent, "shop")
    until(begun.exists, 10, "the dump")
    (worker,) = workers_of(agent)
    agent.expected_errors = ["web: the daemon does not answer"]
    agent.process.kill()
    agent.process.wait(10)
    agent.start(samples=1)
    assert proc.alive(worker) and state_of(agent, first) == "interrupted"
    begun.unlink()
    second = begin(agent, "shop")
    until(lambda: control.ask(agent, "backup.run", run=second)["run"]["stage"] == "wait", 10, "its turn to wait")
    assert not begun.exists()
    (tmp_path / "go").touch()
    until(lambda: state_of(agent, second) == "done", 20, "the second run")
    assert not proc.alive(worker) and begun.exists()
    # The first one ended well, too, though nobody was there to hear it.
    assert len(manifests(agent.state / "backups")) == 2


def test_row_09_a_backup_that_one_of_two_stores_lacks_is_told(make_agent, tmp_path):
    folders = [tmp_path / "here", tmp_path / "nas"]
    for folder in folders:
        folder.mkdir(mode=0o700)
    stores = {f.name: {"type": "directory", "path": str(f)} for f in folders}
    agent = make_agent(settings={**settings(shop=job(stores=["here", "nas"])), "stores": stores}).start(samples=1)
    assert run_to_end(agent, "shop")["state"] == "done"
    folders[1].rename(tmp_path / "gone")
    folders[1].write_text("no folder any more")
    run = run_to_end(agent, "shop")
    assert run["state"] == "failed" and run["partial"] and [s["ok"] for s in run["stores"]] == [True, False]
    (told,) = events(agent)
    assert told["kind"] == "backup.failed" and "nas" in told["title"] + told["text"], told
    [stores] = [fact["value"] for fact in told["facts"] if fact["name"] == "Stores"]
    assert stores.startswith("here: good; nas: ") and "store nas" not in stores
    assert len(manifests(folders[0])) == 2
    folders[1].unlink()
    (tmp_path / "gone").rename(folders[1])
    assert run_to_end(agent, "shop")["state"] == "done"
    assert [e["kind"] for e in events(agent)] == ["backup.failed", "backup.recovered"]
    assert len(manifests(folders[0])) == 3 and len(manifests(folders[1])) == 2


def test_row_28_a_channel_that_fails_changes_no_outcome(make_agent):
    port = free_port()
    config = {**settings(shop=job(notify_success=True, ping_url=f"http://127.0.0.1:{port}/ping")),
              "channels": {"ops": {"type": "webhook", "url": f"http://127.0.0.1:{port}/hook", "group": "0s"}}}
    agent = make_agent(settings=config).start(samples=1)
    run = run_to_end(agent, "shop")
    assert run["state"] == "done" and not run["error"]
    assert [e["kind"] for e in events(agent)] == ["backup.succeeded"]
    assert not job_of(agent, "shop")["overdue"]


class Ears(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        self.server.heard.append(self.path)
        self.send_response(200)
        self.end_headers()

    def log_message(self, *_):
        pass


@pytest.fixture
def ears():
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Ears)
    server.heard = []
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    yield server
    server.shutdown()
    server.server_close()


def test_row_29_each_end_calls_the_dead_man_switch(make_agent, tmp_path, ears):
    url = f"http://127.0.0.1:{ears.server_port}/abc/"
    secret = tmp_path / "url"
    secret.touch(mode=0o600)
    secret.write_text(url)
    agent = make_agent(settings=settings(good=job(ping_url=url), bad=job("exit 1", ping_url_file=str(secret)))).start(samples=1)
    run_to_end(agent, "good")
    run_to_end(agent, "bad")
    until(lambda: len(ears.heard) == 2, 10, "both calls")
    assert sorted(ears.heard) == ["/abc", "/abc/fail"]


def test_the_schedule_is_in_the_time_zone_and_put_off_by_no_more_than_the_jitter(make_agent):
    config = {**settings(plain=job(schedule="30 3 * * *"), late=job(schedule="30 3 * * *", jitter="40m")), "timezone": "Asia/Kathmandu"}
    agent = make_agent(settings=config).start(samples=1)
    zone = zoneinfo.ZoneInfo("Asia/Kathmandu")  # 5:45 ahead
    plain, late = (datetime.datetime.fromtimestamp(job_of(agent, name)["next_ms"] / 1000, zone) for name in ("plain", "late"))
    assert (plain.hour, plain.minute, plain.second) == (3, 30, 0)
    midnight = late.replace(hour=3, minute=30, second=0, microsecond=0)
    assert datetime.timedelta(0) <= late - midnight <= datetime.timedelta(minutes=40)
    # The same after a restart: nobody's night is moved by it.
    agent.stop()
    agent.start(samples=1)
    assert job_of(agent, "late")["next_ms"] == int(late.timestamp() * 1000)


def test_row_29_what_was_missed_while_the_server_was_off_is_made_up_for(make_agent):
    config = settings(shop=job(schedule="0 3 * * *"), lazy=job(schedule="0 3 * * *", catch_up=False))
    agent = make_agent(settings=config).start(samples=1)
    assert job_of(agent, "shop")["next_ms"] > 0
    until(lambda: events(agent) == [] and runs(agent, "shop") == [], 5, "nothing due")
    agent.stop()
    change_database(agent, f"UPDATE backup_number SET value = value - {4 * DAY} WHERE name LIKE 'handled.%'")
    agent.start(samples=1)
    until(lambda: [r["state"] for r in runs(agent, "shop")] == ["done"], 20, "the one that was missed")
    assert runs(agent, "shop")[0]["trigger"] == "catch-up"
    assert runs(agent, "lazy") == []


def test_row_29_no_good_backup_for_too_long_is_told(make_agent):
    agent = make_agent(settings=settings(shop=job(overdue="26h"))).start(samples=1)
    assert not job_of(agent, "shop")["overdue"]
    agent.stop()
    change_database(agent, f"UPDATE backup_number SET value = value - {2 * DAY} WHERE name = 'first_seen'")
    agent.start(samples=1)
    (told,) = until(lambda: events(agent), 10, "the event")
    assert told["kind"] == "backup.overdue" and told["severity"] == "critical"
    assert job_of(agent, "shop")["overdue"]
    assert "overdue" in agent.cli("status").stdout
    run_to_end(agent, "shop")
    assert [e["kind"] for e in events(agent)] == ["backup.overdue", "backup.recovered"]
    assert not job_of(agent, "shop")["overdue"]


def test_a_reload_takes_jobs_whole_or_not_at_all(make_agent):
    agent = make_agent(settings=settings(shop=job())).start(samples=1)
    agent.write_config(settings(shop=job(stores=["offsite"])))
    answer = agent.cli("config", "reload")
    assert answer.returncode == 1 and 'there is no store "offsite"' in answer.stderr
    assert run_to_end(agent, "shop")["state"] == "done"
    agent.write_config(settings(blog=job()))
    assert agent.cli("config", "reload").returncode == 0
    assert [j["name"] for j in control.ask(agent, "backup.jobs")["jobs"]] == ["blog"]
    assert run_to_end(agent, "blog")["state"] == "done"


def test_a_failed_verification_is_told(make_agent):
    agent = make_agent(settings=settings(shop=job("seq 100000"))).start(samples=1)
    run = run_to_end(agent, "shop")
    assert run_to_end(agent, "shop", what="verify")["state"] == "done"
    (data,) = [p for p in (agent.state / "backups" / "shop" / run["backup"]).iterdir() if "json" not in p.name]
    data.chmod(0o600)
    content = bytearray(data.read_bytes())
    content[len(content) // 2] ^= 1
    data.write_bytes(content)
    assert run_to_end(agent, "shop", what="verify")["state"] == "failed"
    assert [e["kind"] for e in events(agent)] == ["backup.verified", "backup.verify_failed"]
    assert events(agent)[1]["severity"] == "critical"


def test_news_of_a_run_are_pushed(make_agent, tmp_path):
    agent = make_agent(settings=settings(shop=job(waits_for(tmp_path / "go", tmp_path / "begun")))).start(samples=1)
    connection = control.Control(agent)
    connection.ask("backup.subscribe")
    number = begin(agent, "shop")
    until(lambda: (tmp_path / "begun").exists(), 10, "the dump")
    (tmp_path / "go").touch()
    seen = []
    while not seen or seen[-1]["run"]["state"] in ("waiting", "running"):
        message = json.loads(connection.reader.readline())
        if message.get("event") == "backup":
            seen.append(message)
    assert {m["run"]["run"] for m in seen} == {number}
    assert "dump" in [m["says"]["stage"] for m in seen if m.get("says", {}).get("type") == "stage"]
    assert seen[-1]["run"]["state"] == "done"


@pytest.mark.parametrize("request_", [
    {"op": "backup.start"}, {"op": "backup.start", "job": "shpo"}, {"op": "backup.start", "job": "shop", "what": "burn"},
    {"op": "backup.run"}, {"op": "backup.run", "run": 99}, {"op": "backup.run", "run": "1"}, {"op": "backup.cancel", "run": 99},
    {"op": "backup.list"}, {"op": "backup.list", "job": "x", "refresh": True}, {"op": "backup.runs", "limit": 501},
    {"op": "backup.report", "job": "shop", "what": "backup", "result": {}}, {"op": "backup.report", "job": "shop", "what": "restore"},
])
def test_what_makes_no_sense_is_refused(shared, request_):
    answer = control.ask_raw(shared, json.dumps({"id": 1, **request_}).encode())
    assert not answer["ok"] and answer["code"] in ("bad_request", "not_found") and answer["error"], answer


@pytest.fixture(scope="module")
def shared(tmp_path_factory):
    from harness.agent import Agent

    agent = Agent(tmp_path_factory.mktemp("shared"), settings=settings(shop=job())).start(samples=1)
    yield agent
    agent.finish()

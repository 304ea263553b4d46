# SPDX-License-Identifier: Apache-2.0
"""The commands `agent backup ...`, as a person and as a program uses them."""

import json
import os
import re
import shutil
import signal
import socket
import subprocess

import pytest

from harness.agent import BINARY, config_text, run_cli
from harness.backups import Terminal, events, files_in, job, run_to_end, settings, waits_for
from harness.wait import until


@pytest.fixture
def shop(make_agent, tmp_path):
    """An agent with a job whose dump is a file, and that can be restored into another one."""
    (tmp_path / "data").write_bytes(os.urandom(300000))
    text = f"cat {tmp_path}/data"
    restore = ["/bin/sh", "-c", f"cat >{tmp_path}/restored"]
    return make_agent(settings=settings(shop=job(text, restore_command=restore, keep={"last": 2}))).start(samples=1)


def offline(agent, *arguments, **more):
    """With the configuration file of an agent, which may not run."""
    return agent.cli(*arguments, "--config", str(agent.config), **more)


def printed(r, status=0):
    assert r.returncode == status, (r.returncode, r.stdout, r.stderr)
    return r.stdout


# --- now

def test_now_says_each_step_and_how_it_ended(shop):
    lines = printed(shop.cli("backup", "now")).splitlines()
    assert "shop: dump of output" in lines
    assert re.fullmatch(r"shop  done in \d+s: 293 KiB, stored as 293 KiB in local \(\d{8}T\d{6}Z-[0-9a-f]{6}\)", lines[-1]), lines


def test_now_of_several_ends_with_1_when_one_failed(make_agent):
    agent = make_agent(settings=settings(bad=job("echo 'no such database' >&2; exit 3"), good=job())).start(samples=1)
    out = printed(agent.cli("backup", "now"), 1)
    assert re.search(r"^bad  failed at dump after \d+s\n  .*no such database$", out, re.M), out
    assert re.search(r"^good  done in", out, re.M)
    assert printed(agent.cli("backup", "now", "good"))
    r = agent.cli("backup", "now", "god")
    assert r.returncode == 1 and 'there is no backup job "god"; did you mean "good"?' in r.stderr


def test_now_as_json_is_a_line_for_each_thing(shop):
    lines = [json.loads(line) for line in printed(shop.cli("backup", "now", "shop", "--json")).splitlines()]
    assert lines[-1]["run"]["state"] == "done"
    stages = [x["says"]["stage"] for x in lines if x.get("says", {}).get("type") == "stage"]
    assert stages.index("probe") < stages.index("dump") < stages.index("commit")


def test_now_detached_does_not_wait(make_agent, tmp_path):
    agent = make_agent(settings=settings(shop=job(waits_for(tmp_path / "go")))).start(samples=1)
    out = printed(agent.cli("backup", "now", "shop", "--detach"))
    assert "run 1 is queued" in out
    (tmp_path / "go").touch()
    until(lambda: "done" in agent.cli("backup", "show", "shop", "1").stdout, 10, "its end")


def test_now_without_any_job_says_how_to_get_one(make_agent):
    agent = make_agent().start(samples=1)
    r = agent.cli("backup", "now")
    assert r.returncode == 1 and "no backups are set up" in r.stderr
    assert "No backups are set up" in printed(agent.cli("backup"))


def test_row_11_interrupted_it_leaves_nothing_behind(make_agent, tmp_path):
    config = settings(shop=job(waits_for(tmp_path / "go", tmp_path / "begun")), other=job())
    agent = make_agent(settings=config).start(samples=1)
    command = subprocess.Popen([str(BINARY), "backup", "now", "shop", "other", "--state", str(agent.state)],
                               stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    until(lambda: (tmp_path / "begun").exists(), 10, "the dump")
    command.send_signal(signal.SIGINT)
    out, error = command.communicate(timeout=20)
    assert command.returncode == 1 and "cancelling" in error
    assert re.search(r"^shop  cancelled at dump", out, re.M) and re.search(r"^other  cancelled", out, re.M), out
    assert files_in(agent.state / "backups") == [] and files_in(agent.state / "backup" / "uploads") == []
    assert str(tmp_path / "go") not in " ".join(all_commands())  # no dump is left running
    assert events(agent) == []


def test_row_11_interrupted_while_one_store_is_away_it_is_cancelled_and_not_done_in_part(make_agent, tmp_path):
    secret = tmp_path / "cred"
    secret.touch(mode=0o600)
    secret.write_text("access_key_id = a\nsecret_access_key = b\n")
    with socket.socket() as s:  # nobody listens
        s.bind(("127.0.0.1", 0))
        away = {"type": "s3", "endpoint": f"http://127.0.0.1:{s.getsockname()[1]}", "bucket": "b", "credentials_file": str(secret)}
        config = {**settings(shop=job(stores=["away", "here"])),
                  "stores": {"away": away, "here": {"type": "directory", "path": str(tmp_path / "here")}}}
        agent = make_agent(settings=config).start(samples=1)
        command = subprocess.Popen([str(BINARY), "backup", "now", "--state", str(agent.state)],
                                   stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        until(lambda: "dump" in agent.cli("backup", "show", "shop", "1", "--json").stdout, 60, "the dump")
        command.send_signal(signal.SIGINT)
        out, _ = command.communicate(timeout=20)
    assert command.returncode == 1 and re.search(r"^shop  cancelled at dump after \d+s$", out, re.M) and "part" not in out, out
    assert files_in(tmp_path / "here") == []


def all_commands():
    for pid in filter(str.isdigit, os.listdir("/proc")):
        try:
            with open(f"/proc/{pid}/cmdline", "rb") as f:
                yield f.read().replace(b"\0", b" ").decode(errors="replace")
        except OSError:
            pass


def test_a_terminal_gets_a_bar(make_agent, tmp_path):
    agent = make_agent(settings=settings(shop=job(waits_for(tmp_path / "go", tmp_path / "begun")))).start(samples=1)
    (tmp_path / "go").touch()
    run_to_end(agent, "shop")
    (tmp_path / "go").unlink()
    terminal = Terminal("backup", "now", "--state", str(agent.state))
    terminal.wait_for(r"shop +dump .*50%.*49K of 98K")
    (tmp_path / "go").touch()
    status, text = terminal.end()
    assert status == 0 and re.search(r"\r\x1b\[Kshop  done in", text), text


# --- looking

def test_the_jobs_are_listed(shop):
    out = printed(shop.cli("backup"))
    assert re.search(r"^shop +new +never +- +by hand +output of /bin/sh", out, re.M), out
    run_to_end(shop, "shop")
    out = printed(shop.cli("backup"))
    assert re.search(r"^shop +ok +\ds ago +293K +by hand", out, re.M), out
    assert "to local, keeps last 2" in out
    (one,) = json.loads(printed(shop.cli("backup", "--json")))["jobs"]
    assert one["name"] == "shop" and one["last"]["state"] == "done"
    assert "Backups: 1 job, none failed or overdue" in printed(shop.cli("status"))
    # Where the tests' folder is on the disk of / it is said.
    assert re.search(r"^(ok +backups +1 job, none failed|warning +backups +shop is kept on this server's own disk)",
                     shop.cli("doctor").stdout, re.M)


def test_status_and_doctor_name_a_failed_job(make_agent):
    agent = make_agent(settings=settings(bad=job("echo 'no such database' >&2; exit 3"))).start(samples=1)
    run_to_end(agent, "bad")
    assert re.search(r"^bad +failed +never", printed(agent.cli("status")), re.M)
    assert re.search(r"^failed +backups +bad: .*no such database", agent.cli("doctor").stdout, re.M)


def test_list_and_show_tell_what_there_is(shop):
    first, second = (run_to_end(shop, "shop")["backup"] for _ in range(2))
    run_to_end(shop, "shop", what="verify", backup=first)
    for out in (printed(shop.cli("backup", "list")), printed(offline(shop, "backup", "list", "shop"))):
        lines = out.splitlines()
        assert second in lines[1] and "unproved" in lines[1] and first in lines[2] and "verified" in lines[2], out
    assert len(json.loads(printed(shop.cli("backup", "list", "--json")))["backups"]) == 2
    out = printed(shop.cli("backup", "show", "shop"))
    assert re.search(r"^Keeps +last 2$", out, re.M) and re.search(rf"^ +2 +backup +done .*{second}$", out, re.M), out
    out = printed(shop.cli("backup", "show", "shop", first))
    assert re.search(r"^Verified ", out, re.M) and re.search(r"^output +\S+ +293K", out, re.M), out
    assert "shop  verify done" in printed(shop.cli("backup", "show", "shop", "3"))
    r = shop.cli("backup", "show", "shop", "1999")
    assert r.returncode == 1 and 'no backup "1999"' in r.stderr


def test_without_an_agent_the_list_is_read_from_the_store(shop):
    backup = run_to_end(shop, "shop")["backup"]
    shop.stop()
    assert backup in printed(offline(shop, "backup", "list"))
    r = shop.cli("backup", "now")
    assert r.returncode == 3 and "agent run" in r.stderr


def test_a_list_of_two_stores_shows_the_one_that_answers(make_agent, tmp_path):
    (tmp_path / "file").write_text("")
    stores = {"away": {"type": "directory", "path": str(tmp_path / "file" / "x")}, "here": {"type": "directory", "path": str(tmp_path / "here")}}
    agent = make_agent(settings={**settings(shop=job(stores=["away", "here"])), "stores": stores}).start(samples=1)
    backup = run_to_end(agent, "shop")["backup"]
    for r in (agent.cli("backup", "list"), offline(agent, "backup", "list", "shop")):
        assert r.returncode == 1 and backup in r.stdout, r.stdout
        assert r.stderr.startswith("agent: shop: store away: ") and r.stderr.count("away") == 1, r.stderr


def test_row_14_prune_shows_what_it_would_do_and_why(shop):
    made = [run_to_end(shop, "shop")["backup"] for _ in range(2)]
    out = printed(shop.cli("backup", "prune", "shop", "--dry-run"))
    assert re.search(rf"^{made[1]} +local +keep +last", out, re.M) and "2 kept, 0 would be removed" in out, out
    made.append(run_to_end(shop, "shop")["backup"])
    out = printed(shop.cli("backup", "list"))
    assert made[0] not in out and made[1] in out and made[2] in out


def test_verify_says_whether_it_is_good(shop):
    backup = run_to_end(shop, "shop")["backup"]
    assert "shop  verify done" in printed(shop.cli("backup", "verify", "shop"))
    (data,) = [p for p in (shop.state / "backups" / "shop" / backup).iterdir() if p.name.startswith("output")]
    data.chmod(0o600)
    with data.open("r+b") as f:
        f.seek(1000)
        f.write(b"x" * 10)
    out = printed(shop.cli("backup", "verify", "shop", backup[:10]), 1)
    assert "shop  verify failed" in out
    assert re.search(rf"{backup} .* BAD ", printed(shop.cli("backup", "list"))), out


# --- restoring

def test_restore_into_a_file_needs_no_agent(shop, tmp_path):
    run_to_end(shop, "shop")
    shop.stop()
    out = printed(offline(shop, "backup", "restore", "shop", "--to", "out", cwd=tmp_path))
    assert re.search(r"^restored 293 KiB of shop from backup \S+ in \d+s to out$", out, re.M), out
    assert (tmp_path / "out").read_bytes() == (tmp_path / "data").read_bytes()


def test_restore_to_stdout_is_the_dump_and_nothing_else(shop, tmp_path):
    run_to_end(shop, "shop")
    with (tmp_path / "out").open("wb") as out:
        subprocess.run([str(BINARY), "backup", "restore", "shop", "--to", "-", "--config", str(shop.config), "--state",
                        str(shop.state)], stdout=out, stderr=subprocess.PIPE, check=True, timeout=20)
    assert (tmp_path / "out").read_bytes() == (tmp_path / "data").read_bytes()


def test_restore_wants_to_be_told_that_it_is_wanted(shop, tmp_path):
    run_to_end(shop, "shop")
    r = offline(shop, "backup", "restore", "shop")
    assert r.returncode == 1 and "--yes" in r.stderr and not (tmp_path / "restored").exists()
    assert events(shop, "backup.rest*") == []
    printed(offline(shop, "backup", "restore", "shop", "--yes"))
    assert (tmp_path / "restored").read_bytes() == (tmp_path / "data").read_bytes()
    assert [e["kind"] for e in events(shop)] == ["backup.restored"]
    assert "restore" in printed(shop.cli("backup", "show", "shop"))


def test_restore_on_a_terminal_asks_for_the_name(shop, tmp_path):
    run_to_end(shop, "shop")
    arguments = ("backup", "restore", "shop", "--config", str(shop.config), "--state", str(shop.state))
    terminal = Terminal(*arguments).wait_for(r"Type the job's name \(shop\) to go on: ")
    terminal.type("yes\n")
    status, text = terminal.end()
    assert status == 1 and "nothing was changed" in text and not (tmp_path / "restored").exists()
    terminal = Terminal(*arguments).wait_for("to go on: ")
    terminal.type("shop\n")
    status, text = terminal.end()
    assert status == 0 and "restored 293 KiB" in text, text
    assert (tmp_path / "restored").exists()


def test_restore_of_an_earlier_one(shop, tmp_path):
    old = (tmp_path / "data").read_bytes()
    first = run_to_end(shop, "shop")["backup"]
    (tmp_path / "data").write_bytes(b"new" * 1000)
    run_to_end(shop, "shop")
    printed(offline(shop, "backup", "restore", "shop", "--id", first, "--to", str(tmp_path / "out")))
    assert (tmp_path / "out").read_bytes() == old
    printed(offline(shop, "backup", "restore", "shop", "--at", first, "--to", str(tmp_path / "again")))
    assert (tmp_path / "again").read_bytes() == old
    r = offline(shop, "backup", "restore", "shop", "--at", "2001-01-01", "--to", str(tmp_path / "none"))
    assert r.returncode == 1 and not (tmp_path / "none").exists() and "not restored" in r.stdout


def test_an_interrupted_restore_ends_what_it_began(make_agent, tmp_path):
    loads = ["/bin/sh", "-c", f": >{tmp_path}/begun; until [ -e {tmp_path}/never ]; do sleep 0.05; done; cat >/dev/null"]
    agent = make_agent(settings=settings(shop=job(restore_command=loads))).start(samples=1)
    run_to_end(agent, "shop")
    terminal = Terminal("backup", "restore", "shop", "--yes", "--config", str(agent.config), "--state", str(agent.state))
    until(lambda: (tmp_path / "begun").exists() or not terminal.read(), 20, "the restore")
    terminal.type("\x03")
    status, text = terminal.end()
    assert status == 1 and re.search(r"not restored|restored in PART", text), text
    assert str(tmp_path / "never") not in " ".join(all_commands())
    assert "restore" in printed(agent.cli("backup", "show", "shop"))


@pytest.mark.parametrize("arguments", [
    ["restore"], ["restore", "shop", "--id", "x", "--at", "3d"], ["restore", "shop", "--to", "x", "--into", "y"],
    ["verify"], ["drill"], ["prune"], ["show"],
])
def test_wrong_usage(arguments):
    assert run_cli("backup", *arguments).returncode == 2


# --- setting up

def test_key_makes_a_pair_that_age_understands(make_agent, tmp_path):
    out = printed(run_cli("backup", "key"))
    identity, recipient = re.search(r"AGE-SECRET-KEY-1\w+", out)[0], re.search(r"age1\w+", out)[0]
    assert "key_exported = true;" in out and f'encrypt = [ "{recipient}" ];' in out
    key = tmp_path / "key"
    key.touch(mode=0o600)
    key.write_text(identity + "\n")
    if shutil.which("age-keygen"):
        assert subprocess.run(["age-keygen", "-y", str(key)], capture_output=True, text=True, check=True).stdout.strip() == recipient
    agent = make_agent(settings=settings(shop=job(encrypt=[recipient], key_exported=True))).start(samples=1)
    run_to_end(agent, "shop")
    assert "encrypted" in printed(agent.cli("backup"))
    target = str(tmp_path / "out")
    assert offline(agent, "backup", "restore", "shop", "--to", target).returncode == 1
    printed(offline(agent, "backup", "restore", "shop", "--to", target, "--identity", str(key)))
    assert (tmp_path / "out").stat().st_size == 100000


def test_row_31_encryption_wants_to_hear_that_the_key_is_safe(tmp_path):
    recipient = json.loads(printed(run_cli("backup", "key", "--json")))["recipient"]
    config = tmp_path / "agent.conf"
    config.write_text(config_text(settings(shop=job(encrypt=[recipient]))))
    r = run_cli("config", "check", "--config", str(config))
    assert r.returncode == 1 and f"{config}:1: databases.shop: key_exported: " in r.stderr, r.stderr


def test_doctor_looks_at_stores_and_jobs(make_agent, tmp_path):
    (tmp_path / "file").write_text("")
    config = {**settings(shop=job(stores=["nas"])), "stores": {
        "nas": {"type": "directory", "path": str(tmp_path / "file" / "backups")}}}
    agent = make_agent(settings=config)
    out = printed(offline(agent, "backup", "doctor"), 1)
    assert re.search(r"^failed +store nas: ", out, re.M) and "-> " in out, out
    (tmp_path / "file").unlink()
    agent.write_config(settings(shop=job()))
    agent.start(samples=1)
    out = printed(offline(agent, "backup", "doctor", "shop"))
    assert "failed: 0" in out and re.search(r"^ok +store local: ", out, re.M), out
    assert json.loads(printed(offline(agent, "backup", "doctor", "--json")))["checks"]


def test_doctor_says_when_it_was_good_and_when_it_is_next(make_agent):
    agent = make_agent(settings=settings(shop=job(schedule="0 3 * * *"), notes=job())).start(samples=1)
    out = printed(offline(agent, "backup", "doctor", "shop"))
    assert re.search(r"^warning backup shop: runs: last good: never; next: .*03:\d\d\n +-> agent backup now", out, re.M), out
    run_to_end(agent, "shop")
    run_to_end(agent, "notes")
    out = printed(offline(agent, "backup", "doctor"))
    assert re.search(r"^ok +backup shop: runs: last good: \d\d:\d\d; next: .*03:\d\d$", out, re.M), out
    assert re.search(r"^warning backup notes: runs: .*next: by hand\n +-> set schedule", out, re.M), out
    agent.stop()
    assert "runs:" not in printed(offline(agent, "backup", "doctor"))


def test_doctor_names_the_package_with_the_missing_tool(make_agent):
    agent = make_agent(settings=settings(shop={"engine": "postgresql", "host": "127.0.0.1"}))
    r = subprocess.run([str(BINARY), "backup", "doctor", "--config", str(agent.config), "--state", str(agent.state)],
                       env={"PATH": "/nowhere", "COLUMNS": "200"}, capture_output=True, text=True, check=False, timeout=20)
    assert r.returncode == 1
    assert re.search(r"^failed +backup shop: tools: missing on this host: pg_dump, pg_dumpall, psql\n +-> apt install postgresql-client;",
                     r.stdout, re.M), r.stdout


def test_send_says_when_nobody_is_told(agent):
    assert "nobody is told" in printed(agent.cli("notify", "send", "Hello"))

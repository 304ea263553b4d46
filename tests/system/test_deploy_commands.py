# SPDX-License-Identifier: Apache-2.0
"""The commands `agent deploy ...` that begin a deploy, follow it and end it, and how they end themselves."""

import json
import os
import re
import signal

import pytest

from harness import proc
from harness.backups import Terminal
from harness.control import ask_raw
from harness.tiny_apps import COMMIT, TinyApps
from harness.wait import until

NAMES = [f"app{i}" for i in range(40)]


@pytest.fixture(scope="module")
def tiny(tmp_path_factory):
    tiny = TinyApps(tmp_path_factory.mktemp("tiny"), *NAMES)
    tiny.agent.start(samples=1)
    yield tiny
    tiny.let_go()
    tiny.agent.finish()


@pytest.fixture
def app(tiny):
    """An app that no other test has deployed."""
    yield NAMES.pop()
    tiny.let_go()


def printed(r, status=0):
    assert r.returncode == status, (r.returncode, r.stdout, r.stderr)
    return r.stdout


def refused(r, text, status=1):
    assert r.returncode == status and re.search(text, r.stderr), (r.returncode, r.stdout, r.stderr)


# --- now, and how it ends

def test_now_says_which_deploy_it_is_and_leaves(tiny, app):
    out = printed(tiny.command("now", app))
    number = int(re.search(rf"^Deploy (\d+) of {app} is accepted\.$", out, re.M)[1])
    assert f'"agent deploy follow {number}"' in out
    d = tiny.ended(number)
    assert (d["state"], d["by"], d["trigger"]) == ("done", "root" if os.geteuid() == 0 else d["by"], "command")
    number = json.loads(printed(tiny.command("now", app, "--json", "--trigger", "push")))
    assert number["superseded"] == 0 and number["duplicate"] is False
    assert tiny.ended(number["deploy"])["trigger"] == "push"


def test_followed_it_tells_each_stage_and_what_serves_then(tiny, app):
    tiny.on(app, "build", "sleep 0.2; echo compiled")
    lines = printed(tiny.command("now", app, "--follow")).splitlines()
    number = int(re.match(rf"Deploy (\d+) of {app}: main( .*)?, asked for by ", lines[0])[1])
    told = [re.sub(r"\d+(ms|\.\ds)", "T", line) for line in lines[1:]]
    assert told[:-1] == [
        f"fetch | fetch apply of deploy {number}", "fetch: done in T",
        f"build | build apply of deploy {number}", "build | compiled", "build: done in T",
        f"start | start apply of deploy {number}", "start: done in T",
        f"probe | probe apply of deploy {number}", "probe: done in T",
        f"route | route apply of deploy {number}", "route: done in T",
        # the look at the end of the watch window, and what is cleared away
        f"probe | probe status of deploy {number}", "watch: done in T",
        f"retire | retire apply of deploy {number}", "retire: done in T",
    ]
    assert told[-1] == f"{app}  done in T: deploy {number} (main {COMMIT[:8]}) serves"


def end_of(tiny, app, status):
    out = printed(tiny.command("now", app, "--follow"), status)
    return out[out.index(f"\n{app}  ") + 1:]


def test_a_failed_build_ends_with_20_the_reason_and_where_to_look(tiny, app):
    tiny.on(app, "build", "echo 'npm ERR! missing script: build' >&2; exit 3")
    end = end_of(tiny, app, 20)
    assert re.match(rf"{app}  failed while building after [\d.]+m?s; nothing that serves was changed\n  .*missing script: build\n"
                    r"  All of it: agent deploy log \d+\n$", end), end


def test_after_a_failure_it_is_said_what_serves_as_before(tiny, app):
    first = tiny.deploy(app)["id"]
    tiny.on(app, "probe", "echo 'connection refused'; exit 1")
    assert f"; deploy {first} (main {COMMIT[:8]}) serves, as before\n" in end_of(tiny, app, 20)


def test_a_return_ends_with_21_and_says_which_version_serves_again(tiny, app):
    first = tiny.deploy(app)["id"]
    tiny.on(app, "route", "exit 1")
    out = printed(tiny.command("now", app, "--follow"), 21)
    assert re.search(rf"^{app}  rolled back while routing after [\d.]+m?s; deploy {first} \(main {COMMIT[:8]}\) serves again$", out, re.M), out
    assert re.search(r"^back to the old version: done", out, re.M) and re.search(r"^removing the new version: done", out, re.M)


def test_when_neither_version_serves_it_ends_with_23(tiny, app):
    tiny.deploy(app)
    tiny.on(app, "route", "exit 1")
    tiny.on(app, "route", "echo 'the router is gone'; exit 1", verb="revert")
    end = end_of(tiny, app, 23)
    assert re.match(rf"{app}  BROKEN while routing after .*; neither version serves: somebody must look\n", end) and "the router is gone" in end


def test_nothing_to_do_is_no_failure(tiny, app):
    tiny.on(app, "build", "exit 77")
    assert end_of(tiny, app, 0).startswith(f"{app}  nothing to do in ")


def test_a_downtime_is_told_in_milliseconds(tiny, app):
    tiny.on(app, "route", 'echo downtime_ms=120 >>"$DEPLOY_OUTPUT"')
    assert end_of(tiny, app, 0).rstrip().endswith(" serves, it was away for 120 ms")
    assert "the app was away for 120 ms" in printed(tiny.command("list", app))


def test_a_newer_one_supersedes_the_one_that_waits_and_both_say_so(tiny, app):
    tiny.hold(app, "build")
    running = tiny.start(app)
    tiny.held()
    waiting = tiny.followed("now", app, "--follow")
    number = until(lambda: next((d["id"] for d in json.loads(printed(tiny.command("list", app, "--json")))["deploys"]
                                 if d["state"] == "queued"), None), 10, "the one that waits")
    assert re.search(rf"^ *{number} +{app} +waiting .*\n +next in the queue$", printed(tiny.command("list", app)), re.M)
    out = printed(tiny.command("now", app))
    newer = int(re.search(r"Deploy (\d+) of", out)[1])
    assert f"Deploy {number}, which waited, is superseded by it: it never began." in out
    out, _ = waiting.communicate(timeout=20)
    assert waiting.returncode == 22 and f"{app}  superseded by deploy {newer}, which is newer; it never began\n" in out
    assert re.search(rf"^ *{number} +{app} +superseded .*\n +by deploy {newer}$", printed(tiny.command("list", app)), re.M)
    tiny.let_go()
    assert [tiny.ended(n)["state"] for n in (running, newer)] == ["done", "done"]


def test_as_json_it_is_a_line_for_each_change_and_each_line_of_the_log(tiny, app):
    lines = [json.loads(line) for line in printed(tiny.command("now", app, "--follow", "--json")).splitlines()]
    states = [line["deploy"]["state"] for line in lines if "deploy" in line]
    assert states[-1] == "done" and lines[-1]["deploy"]["stage"] == ""
    log = [line for line in lines if "text" in line]
    assert [line["text"] for line in log if line["stage"] == "build"] == [f"build apply of deploy {lines[0]['deploy']['id']}"]
    assert all(re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ", line["time"]) for line in log)


def test_a_terminal_gets_headings_and_a_line_that_moves(tiny, app):
    tiny.hold(app, "build")
    terminal = Terminal("deploy", "now", app, "--follow", "--state", str(tiny.agent.state))
    terminal.wait_for(r"[\nK]fetch\r\n  fetch apply of deploy \d+\r\n").wait_for(r"[\nK]build\r\n  build apply of deploy \d+\r\n")
    terminal.wait_for(r"\r\x1b\[K  \d+s")
    tiny.let_go()
    status, text = terminal.end()
    assert status == 0 and re.search(rf"[\nK]{app}  done in .* serves\r\n$", text), text


# --- following

def test_ctrl_c_ends_the_watching_and_not_the_deploy(tiny, app):
    tiny.hold(app, "build")
    number = tiny.start(app)
    tiny.held()
    command = tiny.followed("follow", app)
    assert command.stdout.readline().startswith(f"Deploy {number} of {app}")
    command.send_signal(signal.SIGINT)
    _, error = command.communicate(timeout=10)
    assert command.returncode == 130
    assert f"deploy {number} goes on" in error and f'"agent deploy cancel {number}" ends it' in error
    tiny.let_go()
    assert tiny.ended(number)["state"] == "done"
    # From its beginning, though it is over.
    assert f"build | build apply of deploy {number}\n" in printed(tiny.command("follow", str(number)))


def test_it_is_followed_over_a_restart_of_the_agent_without_a_line_lost_or_told_twice(make_agent, tmp_path):
    tiny = TinyApps(tmp_path / "tiny", "shop")
    tiny.agent.start(samples=1)
    try:
        tiny.hold("shop", "build")
        command = tiny.followed("now", "shop", "--follow")
        tiny.held()
        until(lambda: "build | build apply" in tiny.log(1), 10, "its line in the log")
        tiny.agent.kill()
        (tiny.folder / "held").unlink()
        tiny.agent.start(samples=1)
        tiny.held()
        tiny.let_go()
        out, error = command.communicate(timeout=30)
        assert command.returncode == 0 and "waiting for it to come back" in error, (out, error)
        logged = [line.split("Z ", 1)[1] for line in tiny.log(1).splitlines()]
        assert [line for line in out.splitlines() if " | " in line] == logged
        assert logged.count("build | build apply of deploy 1") == 2
        assert re.search(r"build \| the agent ended here.*\nfetch \| fetch apply", out)
        assert out.splitlines()[-1].startswith("shop  done in ")
    finally:
        tiny.let_go()
        tiny.agent.finish()


# --- cancel

def test_cancel_ends_every_process_of_the_build(tiny, app):
    note = tiny.folder / f"{app}.pids"
    # One in the background, one in a session of its own, and the hook itself.
    tiny.on(app, "build", f'sleep 1000 & echo $! >"{note}"; setsid sleep 1000 & echo $! >>"{note}"; echo $$ >>"{note}"; : >"{note}.made"; wait')
    command = tiny.followed("now", app, "--follow")
    until(lambda: os.path.exists(f"{note}.made"), 20, "the build")
    pids = note.read_text().split()
    assert len(pids) == 3 and all(map(proc.alive, pids))
    r = tiny.command("cancel", app)
    assert not any(map(proc.alive, pids)), r
    assert re.search(rf"^{app}  cancelled while building after .*; nothing that serves was changed\n  cancelled by ", printed(r)), r
    out, _ = command.communicate(timeout=20)
    assert command.returncode == 22 and f"\n{app}  cancelled while building" in out


def test_cancel_takes_none_of_two_unless_it_is_told_which(tiny, app):
    tiny.hold(app, "build")
    first = tiny.start(app)
    tiny.held()
    second = tiny.start(app)
    refused(tiny.command("cancel", app), f"deploy {first} of {app} is under way, and deploy {second} waits: say which")
    assert printed(tiny.command("cancel", str(second))).startswith(f"{app}  cancelled; nothing that serves was changed")
    tiny.let_go()
    assert tiny.ended(first)["state"] == "done" and tiny.get(second)["state"] == "cancelled"
    refused(tiny.command("cancel", str(first)), f"no deploy {first} waits or is under way")
    refused(tiny.command("cancel", app), f"no deploy of {app} waits or is under way")


# --- what is refused

HOSTILE = ["-x", "--upload-pack=id", "a b", "a\nb", "a\tb", "a..b", "a~1", "a^", "a:b", "a?", "a*", "[a", "a\\b", "@{-1}", "a.lock",
           "refs/heads/../../x", "refs/remotes/origin/main", "/", "x" * 300]


@pytest.mark.parametrize("ref", HOSTILE)
def test_a_hostile_ref_is_refused_in_words(tiny, ref):
    refused(tiny.command("now", "app0", f"--ref={ref}"), r"is no branch or tag: give main, refs/heads/main or refs/tags/v1\.2")


def test_what_a_shell_would_run_is_a_name_like_any_other(tiny, app, tmp_path):
    """git allows it, so it is no mistake; nothing on the way is a shell."""
    tiny.on(app, "fetch", 'echo "ref=$DEPLOY_REF"')
    ref = f"$(touch${{IFS}}{tmp_path}/owned);`id`|x&'\""
    number = json.loads(printed(tiny.command("now", app, "--ref", ref, "--json")))["deploy"]
    d = tiny.ended(number)
    assert d["ref"] == f"refs/heads/{ref}" and f"fetch | ref=refs/heads/{ref}\n" in tiny.log(number)
    assert not (tmp_path / "owned").exists()


def test_hostile_questions_are_answered_in_words_and_nothing_is_deployed(tiny):
    def answer(text):
        a = ask_raw(tiny.agent, b'{"id":1,"op":"deploy.start","app":"app0",' + text + b"}")
        return a and (a["code"], a["error"])

    assert answer(rb'"ref":"a\u0000b"') is None  # no text of ours can hold that: the connection ends
    assert answer(b'"ref":5') == ("bad_request", "ref is no text")
    assert answer(b'"ref":""') == ("bad_request", "ref is empty")
    assert answer(b'"commit":"abc"')[1].startswith('"abc" is no commit')
    assert answer(b'"image":"-v/:/host"')[1].startswith('"-v/:/host" is no name of an image')
    assert answer(b'"image":"a","ref":"main"')[1] == "either an image or a ref with its commit"
    assert answer(b'"trigger":"webhook"')[1] == "trigger may be command or push"
    assert ask_raw(tiny.agent, b'{"id":1,"op":"deploy.start","app":"../x"}')["error"] == 'there is no app "../x"'
    assert json.loads(printed(tiny.command("list", "app0", "--json")))["deploys"] == []


def test_wrong_words_are_told_apart(tiny, tmp_path):
    refused(tiny.command("now"), "which app", 2)
    refused(tiny.command("now", "app"), 'there is no app "app"; did you mean "app')
    refused(tiny.command("image", "app0"), "which image", 2)
    refused(tiny.command("rollback", "app0", "--to", "x"), "--to: the number of a deploy", 2)
    refused(tiny.command("follow", "99999"), "there is no deploy 99999")
    refused(tiny.command("follow", "app0"), "app0 was not deployed yet; agent deploy now app0")
    refused(tiny.command("log", "nosuch"), 'there is no app "nosuch"')
    refused(tiny.command("show", "nosuch"), 'there is no app "nosuch"')
    missing = tiny.agent.cli("deploy", "--state", str(tmp_path))
    assert missing.returncode == 2  # --state is given twice

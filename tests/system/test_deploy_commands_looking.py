# SPDX-License-Identifier: Apache-2.0
"""The commands `agent deploy ...` that go back, look, check, and keep the secrets of an app."""

import base64
import json
import re
import subprocess

import pytest

from harness.agent import BINARY
from harness.backups import Terminal, events
from harness.control import ask, ask_raw
from harness.tiny_apps import COMMIT, TinyApps
from harness.wait import until

NAMES = [f"app{i}" for i in range(20)]
SECRET = "correct-horse-battery"


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


# --- other versions

def test_rollback_puts_the_version_before_back_without_a_build(tiny, app):
    refused(tiny.command("rollback", app), f"no deploy of {app} is done: there is nothing to go back to")
    first = tiny.deploy(app)["id"]
    refused(tiny.command("rollback", app), f"{app} has no version before the one that serves")
    second = tiny.deploy(app)["id"]
    out = printed(tiny.command("rollback", app, "--follow"))
    assert f": back to deploy {first}: main {COMMIT[:8]} Mend the basket" in out
    assert "build" not in out and "fetch" not in out and f"start | start apply of deploy {second + 1}" in out
    assert tiny.get(second + 1)["new"]["image"] == f"tiny:{first}"
    refused(tiny.command("rollback", app, "--to", str(first)), f"the version of deploy {first} serves already")
    printed(tiny.command("rollback", app, "--to", str(second), "--follow"))
    assert f"Version     tiny:{second}, container tiny-{second + 2} at 127.0.0.1:1" in printed(tiny.command("show", app))
    refused(tiny.command("rollback", app, "--to", "99999"), "deploy 99999 is not one of")


def test_an_image_from_elsewhere_is_not_fetched(tiny, app):
    out = printed(tiny.command("image", app, "registry.example.com/shop:2", "--follow"))
    assert re.search(rf"^Deploy \d+ of {app}: image registry.example.com/shop:2, asked for by ", out) and "fetch" not in out
    assert re.search(r"\(image registry.example.com/shop:2\) serves$", out.rstrip())
    refused(tiny.command("image", app, "shop:$(id)"), r'"shop:\$\(id\)" is no name of an image')


# --- looking

def test_the_apps_say_what_serves_and_what_is_under_way(tiny, app):
    assert re.search(rf"^{app} +new +- +- +nothing yet$", printed(tiny.command()), re.M)
    first = tiny.deploy(app)["id"]
    assert re.search(rf"^{app} +ok +{first} +\d\d:\d\d +main {COMMIT[:8]} Mend the basket$", printed(tiny.command()), re.M)
    tiny.hold(app, "build")
    number = tiny.start(app)
    tiny.held()
    out = printed(tiny.command())
    assert re.search(rf"^{app} +building +{first} ", out, re.M) and f"deploy {number} is building: main" in out
    tiny.let_go()
    tiny.ended(number)
    tiny.on(app, "probe", "echo 'it answers 500'; exit 1")
    failed = tiny.deploy(app)["id"]
    out = printed(tiny.command())
    assert re.search(rf"^{app} +failed +{number} ", out, re.M) and f"deploy {failed} failed: probe: exit status 1: it answers 500" in re.sub(r"\s+", " ", out), out


def test_show_tells_all_of_a_deploy(tiny, app):
    tiny.on(app, "probe", "echo 'it answers 500'; exit 1")
    d = tiny.deploy(app)
    out = printed(tiny.command("show", str(d["id"])))
    fields = dict(line.split(None, 1) for line in out.split("\n\n")[0].splitlines() if not line.startswith(" "))
    assert fields["App"] == app and fields["State"] == "failed" and fields["Commit"] == COMMIT and fields["Author"] == "Ada"
    assert fields["What"] == f"main {COMMIT[:8]} Mend the basket" and "it answers 500" in fields["Reason"]
    stages = [re.split(r"  +", line)[:2] for line in out.split("\n\n")[1].splitlines()[1:]]
    assert stages == [["fetch", "done"], ["build", "done"], ["start", "done"], ["probe", "failed"], ["removing the new version", "done"]]
    assert json.loads(printed(tiny.command("show", str(d["id"]), "--json")))["failed_in"] == "probing"


def test_show_of_an_app_says_how_it_is_deployed_and_what_came_of_it(tiny, app):
    out = printed(tiny.command("show", app))
    assert "Serves" not in out and "No deploys yet." in out and re.search(r"^Rollback +there is no version to go back to$", out, re.M)
    number = tiny.deploy(app)["id"]
    out = printed(tiny.command("show", app))
    assert f"Serves      deploy {number}: main {COMMIT[:8]} Mend the basket" in out
    assert re.search(r"^Swap +the new version starts beside the old one", out, re.M) and re.search(r"^Set in .*agent\.conf:\d+$", out, re.M)
    assert re.search(rf"^ *{number} +{app} +done ", out, re.M)
    assert json.loads(printed(tiny.command("show", app, "--json")))["app"]["serves"]["id"] == number


def test_list_is_of_all_apps_or_of_one_and_as_long_as_asked(tiny, app):
    numbers = [tiny.deploy(app)["id"] for _ in range(3)]
    assert [d["id"] for d in json.loads(printed(tiny.command("list", app, "--limit", "2", "--json")))["deploys"]] == numbers[:0:-1]
    assert len(re.findall(rf"^ *\d+ +{app} +done ", printed(tiny.command("list")), re.M)) == 3
    refused(tiny.command("list", "app"), 'there is no app "app"')


def test_the_log_has_the_time_of_this_place(tiny, app):
    number = tiny.deploy(app)["id"]
    line = tiny.log(number).splitlines()[0]
    hour = int(line[11:13])
    r = subprocess.run([str(BINARY), "deploy", "log", app, "--state", str(tiny.agent.state)], check=True, stdout=subprocess.PIPE, text=True,
                       env={"TZ": "UTC-3", "PATH": "/usr/bin"})
    assert re.match(rf"(\d{{4}}-\d\d-\d\d )?{(hour + 3) % 24:02}{line[13:19]} fetch \| fetch apply of deploy {number}$", r.stdout.splitlines()[0])
    first = json.loads(printed(tiny.command("log", str(number), "--json")).splitlines()[0])
    assert first == {"time": line[:20], "stage": "fetch", "text": f"fetch apply of deploy {number}"}


def test_a_log_is_followed_to_its_end(tiny, app):
    tiny.hold(app, "build")
    number = tiny.start(app)
    tiny.held()
    assert not printed(tiny.command("log", app)).rstrip().endswith("start")
    command = tiny.followed("log", str(number), "--follow")
    assert " fetch | " in command.stdout.readline()
    tiny.let_go()
    out, _ = command.communicate(timeout=20)
    assert command.returncode == 0 and " retire | " in out.splitlines()[-1]


def test_deliveries_that_were_not_taken_are_listed_with_the_reason(tiny):
    assert "No delivery was refused." in printed(tiny.command("refused"))
    for _ in range(2):
        answer = tiny.agent.get("/deploy/nosuch", token=None, method="POST", body=b"{}", headers={"X-GitHub-Event": "push"})
        assert answer.status == 401
    row = until(lambda: re.search(r"^(\d\d:\d\d) +nosuch +127\.0\.0\.1 +\S* +401 +2 +(\S.*)$", printed(tiny.command("refused")), re.M), 10, "the row")
    listed = json.loads(printed(tiny.command("refused", "--json")))["refused"]
    assert len(listed) == 1 and listed[0]["why"].startswith(row[2].split()[0]) and listed[0]["count"] == 2


def test_without_any_app_it_is_said_how_to_get_one(make_agent):
    agent = make_agent().start(samples=1)
    assert "No apps are set up" in printed(agent.cli("deploy")) and "agent-deploy(8)" in agent.cli("deploy").stdout
    refused(agent.cli("deploy", "now", "shop"), 'there is no app "shop": the configuration that was read has no apps group')
    agent.stop()
    refused(agent.cli("deploy", "now", "shop", "--follow"), "the agent is not running", 3)


def test_status_shows_apps_that_are_under_way_or_failed(tmp_path):
    tiny = TinyApps(tmp_path / "tiny", "blog", "shop")
    tiny.agent.start(samples=1)
    try:
        assert "Deploys: 2 apps, none failed or under way (agent deploy)" in printed(tiny.agent.cli("status"))
        tiny.on("shop", "probe", "echo 'it answers 500'; exit 1")
        tiny.deploy("shop")
        tiny.hold("blog", "build")
        tiny.start("blog")
        tiny.held()
        out = printed(tiny.agent.cli("status"))
        assert re.search(r"^shop +failed ", out, re.M) and "it answers 500" in re.sub(r"\s+", " ", out)
        assert re.search(r"^blog +building ", out, re.M) and "Deploys:" not in out
        assert [a["name"] for a in json.loads(printed(tiny.agent.cli("status", "--json")))["apps"]] == ["blog", "shop"]
    finally:
        tiny.let_go()
        tiny.agent.finish()


# --- check and plan

def test_check_shows_which_file_serves_each_stage(tiny, app):
    out = printed(tiny.command("check", app))
    assert re.search(rf"^build +tiny +ok +yours +{tiny.hooks}/build/tiny$", out, re.M)
    assert re.search(r"^push +- +- +nothing is done$", out, re.M) and out.endswith(f"\n{app} can be deployed\n")


def test_check_says_what_is_wrong_before_a_deploy_finds_out(tiny, app):
    path = tiny.hooks / "probe" / "tcp"
    path.chmod(0o644)
    try:
        out = printed(tiny.command("check", app), 1)
        assert re.search(r"^probe +tcp +WRONG ", out, re.M) and f"1 problem: a deploy of {app} would fail" in out
        assert "chmod +x" in re.sub(r"\s+", " ", out)
        answer = json.loads(printed(tiny.command("check", app, "--json"), 1))
        assert answer["problems"] == 1 and [s["stage"] for s in answer["stages"] if s["problem"]] == ["probe"]
        printed(tiny.command("now", app, "--dry-run"), 1)
    finally:
        path.chmod(0o755)


def test_a_dry_run_tells_the_plan_and_does_nothing(tiny, app):
    out = printed(tiny.command("now", app, "--dry-run", "--ref", "v2"))
    assert out.startswith(f"Nothing is done now. A deploy of {app} (v2, the newest commit) would do this:\n")
    assert re.search(r"^build by tiny, a hook of yours\n  Makes of the source", out, re.M) and "push by" not in out
    assert re.search(r"none is lost\.$", out.rstrip())
    assert json.loads(printed(tiny.command("list", app, "--json")))["deploys"] == []


# --- env

def env_file(tiny, app):
    return tiny.agent.state / "deploys" / app / "env"


def test_variables_are_kept_for_root_alone_and_never_shown(tiny, app):
    out = printed(tiny.command("env", app, "set", f"TOKEN={SECRET}", "URL=a=b"))
    assert "2 variables" in out and SECRET not in out
    assert env_file(tiny, app).read_text() == f"TOKEN={SECRET}\nURL=a=b\n" and env_file(tiny, app).stat().st_mode & 0o777 == 0o600
    assert printed(tiny.command("env", app, "list")) == printed(tiny.command("env", app)) == "TOKEN\nURL\n"
    assert SECRET not in json.dumps(ask(tiny.agent, "deploy.env", app=app))
    notes = [e["title"] for e in events(tiny.agent, "audit.deploy") if app in e["title"]]
    assert len(notes) == 1 and notes[0].startswith(f"{app}: variables set: TOKEN, URL by "), notes
    for wrong in (b'"set":5', b'"set":{"X":5}', b'"unset":"TOKEN"', b'"unset":[5]'):
        answer = ask_raw(tiny.agent, b'{"id":1,"op":"deploy.env","app":"' + app.encode() + b'",' + wrong + b"}")
        assert answer["code"] == "bad_request" and answer["error"], answer
    assert "1 variable." in printed(tiny.command("env", app, "unset", "URL"))
    refused(tiny.command("env", app, "unset", "TOKE"), 'there is no variable "TOKE"; did you mean "TOKEN"')
    assert env_file(tiny, app).read_text() == f"TOKEN={SECRET}\n"


def test_a_value_comes_from_stdin_or_from_a_terminal_that_does_not_show_it(tiny, app):
    command = [str(BINARY), "deploy", "env", app, "set", "TOKEN", "--state", str(tiny.agent.state)]
    subprocess.run(command, input=f"{SECRET}\n", text=True, check=True, stdout=subprocess.DEVNULL)
    assert env_file(tiny, app).read_text() == f"TOKEN={SECRET}\n"
    terminal = Terminal(*command[1:])
    terminal.wait_for(r"Value of TOKEN \(not shown\): ")
    terminal.type("another-secret\n")
    status, text = terminal.end()
    assert status == 0 and "another-secret" not in text
    assert env_file(tiny, app).read_text() == "TOKEN=another-secret\n"
    several = subprocess.run(command, input="one\ntwo\n", text=True, stdout=subprocess.PIPE, stderr=subprocess.PIPE, check=False)
    refused(several, "more than one line")
    refused(tiny.command("env", app, "set", "A", "B"), "stdin has one value", 2)
    refused(tiny.command("env", app, "set", "1A=x"), "not the name of a variable")
    refused(tiny.command("env", app, "set"), "set what", 2)
    refused(tiny.command("env", app, "drop", "A"), "set, unset or list", 2)
    refused(tiny.command("env", "nosuch", "list"), 'there is no app "nosuch"')


def test_whatever_hooks_print_of_the_secrets_is_masked(tiny, app):
    printed(tiny.command("env", app, "set", f"TOKEN={SECRET}"))
    coded = base64.b64encode(SECRET.encode()).decode()
    tiny.on(app, "build", f"echo 'token {SECRET}.'; echo 'Basic {coded}' >&2")
    tiny.on(app, "start", 'echo "given: $(cat "$CREDENTIALS_DIRECTORY/env")"')
    out = printed(tiny.command("now", app, "--follow"))
    number = int(re.match(r"Deploy (\d+)", out)[1])
    for text in (out, tiny.log(number), printed(tiny.command("log", str(number), "--json")), printed(tiny.command("show", str(number)))):
        assert SECRET not in text and coded not in text
    assert re.search(r"^build \| token \*+\.$", out, re.M), out
    assert re.search(r"^start \| given: (TOKEN=)?\*+$", out, re.M), out  # it was there to be printed

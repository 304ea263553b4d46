# SPDX-License-Identifier: Apache-2.0
"""`agent alerts ...` and `agent notify ...`: what a person does with alerts in a terminal, with a real agent and a real
receiver behind a webhook."""

import json
import os
import re
import subprocess

import pytest

from harness.agent import BINARY, ROOT, run_cli
from harness.providers import Webhook
from harness.wait import until

# Fires at once and for good on any machine; and one that never does.
RULES = {
    "always": {"metric": "host.processes_total", "warning": "> 1", "for": "0s", "doc": "There are processes."},
    "never": {"metric": "host.processes_total", "warning": "> 1000000", "for": "0s"},
    "slow": {"metric": "host.processes_total", "critical": "> 1", "for": "1h"},
}
# What may really be wrong with the machine the tests run on.
BUILTIN = ["clock_offset", "clock_unsynchronized", "cpu", "disk", "disk_forecast", "disk_read_only", "inodes", "memory",
           "oom_kill", "pressure_io", "pressure_memory", "reboot_pending", "restart_loop", "service_oom_kill", "swap",
           "temperature", "unhealthy", "container_memory"]
OFF = {name: {"enabled": False} for name in BUILTIN}


def secret(folder, name, text):
    path = folder / name
    path.write_text(text)
    path.chmod(0o600)
    return str(path)


@pytest.fixture
def hook():
    provider = Webhook()
    yield provider
    provider.close()


@pytest.fixture
def alerting(make_agent, hook, tmp_path):
    """An agent with the rules above and a webhook."""
    options, secrets = hook.settings()
    channel = {**options, **{name: secret(tmp_path, name, text) for name, text in secrets.items()}, "group": "0s"}
    return make_agent(settings={"rules": {**OFF, **RULES}, "channels": {"hook": channel}}).start()


def firing(agent):
    return {a["rule"]: a for a in json.loads(agent.cli("alerts", "--json").stdout)["alerts"]
            if a["state"] != "pending"}


def wait_firing(agent, rule="always"):
    return until(lambda: firing(agent).get(rule), 10, f"the alert {rule}")


def test_what_fires_is_told_and_shown(alerting, hook):
    alert = wait_firing(alerting)
    assert alert["level"] == "warning" and alert["entity"] == "host" and alert["limit"] == "above 1"
    told = hook.wait()[0].data
    assert told["kind"] == "alert.firing" and told["rule"] == "always"
    title = told["title"].rstrip("0123456789.")  # the number of processes changes
    assert title and title in alert["title"]
    r = alerting.cli("alerts")
    assert r.returncode == 0 and title in r.stdout
    assert "pending" in r.stdout and "1 firing, 1 pending" in r.stdout
    assert "never" not in r.stdout
    status = alerting.cli("status").stdout
    assert title in status and "slow" not in status


def test_nothing_fires(make_agent):
    agent = make_agent(settings={"rules": OFF}).start()
    r = agent.cli("alerts")
    assert r.returncode == 0 and r.stdout.startswith("No alerts.")
    assert json.loads(agent.cli("alerts", "--json").stdout) == {"alerts": [], "firing": 0, "pending": 0, "worst": "info"}
    assert "No channel" in agent.cli("notify", "channels").stdout


def test_rules_are_listed_with_their_state(alerting):
    wait_firing(alerting)
    rules = {r["name"]: r for r in json.loads(alerting.cli("alerts", "rules", "--json").stdout)["rules"]}
    assert set(BUILTIN) <= set(rules) and set(RULES) <= set(rules)
    assert rules["always"]["firing"] == 1 and rules["always"]["watched"] == 1 and not rules["always"]["builtin"]
    assert rules["slow"]["pending"] == 1
    assert rules["disk"]["builtin"] and not rules["disk"]["enabled"] and "agent.conf:" in rules["disk"]["origin"]
    text = alerting.cli("alerts", "rules").stdout
    assert all(name in text for name in rules)
    assert "1 firing" in text and "critical above 1, for 1h" in text


def test_acknowledge(alerting):
    alert = wait_firing(alerting)
    r = alerting.cli("alerts", "ack", str(alert["id"]), "--reason", "being looked at")
    assert r.returncode == 0 and "1 alert acknowledged" in r.stdout
    assert "being looked at" in alerting.cli("alerts").stdout
    by = firing(alerting)["always"]["acknowledged_by"]
    assert by and "web" not in by
    assert alerting.cli("alerts", "ack", "alw*", "hos*", "--reason", "being looked at").returncode == 0
    nothing = alerting.cli("alerts", "ack", "never")
    assert nothing.returncode == 1 and "nothing" in nothing.stderr
    # A restart does not forget.
    alerting.stop()
    alerting.start()
    assert wait_firing(alerting)["acknowledged_reason"] == "being looked at"


def test_silence_and_its_end(make_agent, hook, tmp_path):
    options, secrets = hook.settings()
    channel = {**options, "secret_file": secret(tmp_path, "key", secrets["secret_file"]), "group": "0s"}
    agent = make_agent(settings={"rules": OFF, "channels": {"hook": channel}}).start()
    r = agent.cli("alerts", "silence", "--rule", "alw*", "--entity", "host/*", "--for", "2h", "--reason", "moving")
    assert r.returncode == 0, r.stderr
    listed = json.loads(agent.cli("alerts", "silences", "--json").stdout)["silences"]
    assert [(s["rule"], s["entity"], s["reason"]) for s in listed] == [("alw*", "host/*", "moving")]
    assert 7190 <= (listed[0]["until_ms"] - listed[0]["from_ms"]) / 1000 <= 7200
    assert "moving" in agent.cli("alerts", "silences").stdout
    agent.write_config({"rules": {**OFF, **RULES}, "channels": {"hook": channel}})
    assert agent.cli("config", "reload").returncode == 0
    assert wait_firing(agent)["muted"] == "moving"
    assert "not told: moving" in agent.cli("alerts").stdout
    assert not hook.requests
    assert agent.cli("alerts", "unsilence", str(listed[0]["id"])).returncode == 0
    assert hook.wait()[0].data["rule"] == "always", "what still fires is told when the silence ends"
    assert agent.cli("alerts", "unsilence", "4711").returncode == 1


def test_maintenance_is_listed(make_agent):
    agent = make_agent(settings={"maintenance": {"nightly": {"schedule": "0 3 * * *", "duration": "30m"}}}).start()
    assert "nightly" in agent.cli("alerts", "silences").stdout
    assert json.loads(agent.cli("alerts", "silences", "--json").stdout)["maintenance"][0]["next_ms"] > 0


def test_history_says_who_was_told(alerting, hook):
    wait_firing(alerting)
    hook.wait()
    until(lambda: "hook sent" in alerting.cli("alerts", "history").stdout, 5, "the delivery")
    events = json.loads(alerting.cli("alerts", "history", "--json", "--limit", "1").stdout)["events"]
    assert len(events) == 1 and events[0]["rule"] == "always"
    assert json.loads(alerting.cli("alerts", "history", "--json", "--entity", "disk/none").stdout)["events"] == []


def test_a_message_of_ones_own(alerting, hook):
    wait_firing(alerting)
    hook.wait()
    r = alerting.cli("notify", "send", "Nightly run", "all is well", "--severity", "warning", "--key", "nightly")
    assert r.returncode == 0, r.stderr
    number = int(r.stdout.split()[1])
    told = hook.wait(2)[1].data
    assert (told["title"], told["text"], told["severity"], told["id"]) == ("Nightly run", "all is well", "warning", number)
    end = alerting.cli("notify", "send", "Done", "--key", "nightly", "--end", "--json")
    assert json.loads(end.stdout)["event"] > number
    assert hook.wait(3)[2].data["is_end"] is True


@pytest.mark.parametrize("filler", [b"x", b'"', b"\xff", b"\x01", b"\0", "\U0001f600".encode()])
def test_a_text_from_stdin(alerting, hook, filler):
    subprocess.run([str(BINARY), "notify", "send", "Log", "-", "--state", str(alerting.state)], check=True, timeout=20,
                   stdout=subprocess.DEVNULL, input=b"line 1\nline \xff2\n" + filler * 100000 + b"end")
    told = next(r.data for r in until(lambda: [r for r in hook.accepted if r.data["title"] == "Log"], 10, "it"))
    assert told["text"].startswith("line 1\nline \ufffd2\n") and len(told["text"]) < 20000
    assert "end" not in told["text"] and told["text"].endswith("\u2026")


def test_the_test_prints_the_answer_of_the_provider(alerting, hook):
    r = alerting.cli("notify", "test", "hook")
    assert r.returncode == 0 and "sent to hook" in r.stdout and "200" in r.stdout
    assert any(q.data.get("kind") == "test" for q in hook.accepted)
    hook.always("refuse", status=403)
    r = alerting.cli("notify", "test", "hook")
    assert r.returncode == 1 and "not sent" in r.stdout and "403" in r.stdout
    answer = json.loads(alerting.cli("notify", "test", "hook", "--json").stdout)
    assert answer["sent"] is False and answer["status"] == 403 and answer["took_ms"] >= 0
    unknown = alerting.cli("notify", "test", "nobody")
    assert unknown.returncode == 1 and "nobody" in unknown.stderr


def test_channels_and_log_show_what_failed(alerting, hook):
    hook.always("500")
    alerting.cli("notify", "send", "Into the void")
    until(lambda: json.loads(alerting.cli("notify", "channels", "--json").stdout)["channels"][0]["failures"], 10, "failure")
    text = alerting.cli("notify", "channels").stdout
    assert "hook" in text and "failed" in text and "500" in text
    assert "500" in alerting.cli("notify", "log", "--channel", "hook").stdout
    assert "500" in alerting.cli("doctor").stdout
    assert json.loads(alerting.cli("notify", "log", "--channel", "other", "--json").stdout)["deliveries"] == []


def test_reasons_have_bounds(alerting):
    r = alerting.cli("alerts", "silence", "--rule", "x", "--for", "1h", "--reason", "y" * 100000)
    assert r.returncode == 1 and "longer than 64 KiB" in r.stderr
    assert alerting.cli("alerts", "silence", "--rule", "x", "--for", "1h", "--reason", "y" * 9000).returncode == 0
    wait_firing(alerting)
    assert alerting.cli("alerts", "ack", "always", "--reason", "y" * 9000).returncode == 0
    silence = json.loads(alerting.cli("alerts", "silences", "--json").stdout)["silences"][0]
    assert max(len(silence["reason"]), len(firing(alerting)["always"]["acknowledged_reason"])) <= 1000


@pytest.mark.parametrize("arguments", [
    ["alerts", "bogus"], ["alerts", "ack"], ["alerts", "silence", "--for", "2h"], ["alerts", "silence", "--rule", "x"],
    ["alerts", "silence", "--rule", "x", "--for", "long"], ["alerts", "unsilence", "x"], ["alerts", "history", "--limit", "0"],
    ["notify"], ["notify", "send"], ["notify", "send", "x", "--end"], ["notify", "test"]])
def test_wrong_usage(arguments, tmp_path):
    r = run_cli(*arguments, "--state", str(tmp_path))
    assert r.returncode == 2 and r.stderr and not r.stdout


def test_without_an_agent_it_is_3(tmp_path):
    for arguments in (["alerts"], ["alerts", "rules"], ["notify", "test", "x"], ["notify", "send", "x"]):
        assert run_cli(*arguments, "--state", str(tmp_path)).returncode == 3, arguments


def test_secrets_are_not_shown(alerting, hook):
    for arguments in (["config", "show"], ["config", "show", "--json"], ["notify", "channels", "--json"]):
        assert hook.secret not in alerting.cli(*arguments).stdout
    assert hook.secret not in alerting.log()


def test_a_secret_from_the_environment_is_not_handed_on(make_agent, hook):
    options, _ = hook.settings()
    agent = make_agent(settings={"rules": OFF, "channels": {"hook": {**options, "secret_file": "env:HOOK_KEY"}}},
                       environment={"HOOK_KEY": hook.secret}).start()
    assert agent.cli("notify", "test", "hook").returncode == 0
    with open(f"/proc/{agent.web_pid}/environ", "rb") as f:
        assert hook.secret.encode() not in f.read()


def test_a_start_without_the_secret_says_what_is_missing(make_agent, hook):
    options, _ = hook.settings()
    agent = make_agent(settings={"channels": {"hook": {**options, "secret_file": "env:HOOK_KEY"}}})
    agent.expected_errors.append("HOOK_KEY|mistake")
    agent.launch()
    assert agent.process.wait(10) == 1
    assert "agent.conf:" in agent.log() and "HOOK_KEY" in agent.log()


def test_a_reload_with_a_mistake_changes_nothing(alerting):
    wait_firing(alerting)
    alerting.write_config({"rules": {**OFF, "always": {"metric": "host.processes_total", "warning": "1"}}})
    r = alerting.cli("config", "reload")
    assert r.returncode == 1 and "rules.always.warning" in r.stderr
    assert firing(alerting)["always"]["state"] == "firing"
    assert [c["name"] for c in json.loads(alerting.cli("notify", "channels", "--json").stdout)["channels"]] == ["hook"]


def test_rules_of_a_reload_take_effect(alerting):
    wait_firing(alerting)
    alerting.write_config({"rules": {**OFF, **{k: v for k, v in RULES.items() if k != "always"}}})
    assert alerting.cli("config", "reload").returncode == 0
    until(lambda: not firing(alerting), 5, "the end of the alert")


def test_figures_for_prometheus(alerting):
    wait_firing(alerting)

    def figure(name):
        line = [x for x in alerting.get("/metrics").text.splitlines() if x.startswith(name + " ")]
        return float(line[0].split()[1]) if line else None

    until(lambda: figure("agent_alerts_firing") == 1, 10, "the figure")
    assert figure("agent_notify_waiting") is not None


def test_it_ends_cleanly_with_messages_under_way(alerting, hook):
    hook.always("hang")
    alerting.cli("notify", "send", "Never answered")
    until(lambda: hook.requests, 10, "the request")
    status, seconds = alerting.stop()
    assert status == 0 and seconds < 5


@pytest.mark.parametrize("what", ["reload", "stop"])
def test_a_test_under_way_is_ended_with_its_reason(alerting, hook, what):
    hook.always("hang")
    asked = subprocess.Popen([str(BINARY), "notify", "test", "hook", "--state", str(alerting.state)], text=True,
                             stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
    until(lambda: any(b'"kind":"test"' in q.body for q in hook.requests), 10, "the request")
    if what == "reload":
        assert alerting.cli("config", "reload").returncode == 0
    else:
        assert alerting.stop()[0] == 0
    said, _ = asked.communicate(timeout=10)
    assert asked.returncode == 1 and ("configuration was read again" in said or "agent ended" in said or
                                      "the agent ends" in said), said


def test_a_window_is_filled_from_history_after_a_restart(make_agent):
    rule = {"metric": "host.processes_total", "how": "average", "window": "8s", "warning": "> 1"}
    agent = make_agent(settings={"rules": {**OFF, "mean": rule}}).start()
    before = until(lambda: firing(agent).get("mean"), 30, "the alert")
    agent.stop()
    agent.start(samples=1)
    alert = until(lambda: next((a for a in firing(agent).values() if a["value"]), None), 5, "its value, before 8 s")
    assert alert["id"] == before["id"] and alert["state"] == "firing"
    assert len(json.loads(agent.cli("alerts", "history", "--json").stdout)["events"]) == 1, "told once"


def examples(path):
    """The configurations in a document: indented, from a line that sets something to the next line that is not."""
    text = path.read_text()
    if path.suffix == ".5":
        blocks = re.findall(r"\.Bd -literal[^\n]*\n(.*?)\.Ed", text, re.S)
    else:
        blocks = re.findall(r"(?:^(?:    .*)?\n)+", text, re.M)
    return [b for b in blocks if re.match(r"\s*(url|channels|rules|listen)\s*= ", b)]


@pytest.mark.parametrize("name", ["README.md", "notify/README.md", "packaging/man/agent.conf.5"])
def test_examples_of_the_documents_are_valid(name, tmp_path):
    found = examples(ROOT / name)
    assert found
    for number, text in enumerate(found):
        for path in set(re.findall(r'"/etc/agent/([\w.-]+)"', text)):
            secret(tmp_path, path, "https://example.com/services/x" if path.endswith(".url") else "123456:secret")
        config = tmp_path / f"{number}.conf"
        config.write_text(text.replace("/etc/agent/", f"{tmp_path}/"))
        r = run_cli("config", "check", "--config", str(config))
        assert r.returncode == 0, f"{r.stderr}\n{text}"


@pytest.mark.skipif(os.geteuid() != 0, reason="needs root")
def test_who_is_named(alerting):
    wait_firing(alerting)
    alerting.cli("alerts", "ack", "always")
    assert firing(alerting)["always"]["acknowledged_by"] == "root"

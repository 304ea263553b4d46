# SPDX-License-Identifier: Apache-2.0
"""The commands: what they print, and their exit status (0 done, 1 failed, 2 wrong usage, 3 the agent is not running)."""

import json
import os
import re
import subprocess

import pytest

from harness.agent import BINARY, ROOT, run_cli
from harness.wait import until

COMMANDS = ["run", "status", "top", "config", "token", "doctor", "version"]


def test_help_names_every_command():
    r = run_cli("--help")
    assert r.returncode == 0
    for command in COMMANDS:
        assert command in r.stdout
    assert run_cli("help").returncode == 0


@pytest.mark.parametrize("command", COMMANDS)
def test_each_command_has_its_help(command):
    r = run_cli(command, "--help")
    assert r.returncode == 0 and command in r.stdout and r.stderr == ""


@pytest.mark.parametrize("arguments", [[], ["bogus"], ["status", "--bogus"], ["token", "bogus"], ["config", "bogus"]])
def test_wrong_usage_is_2_and_said_on_stderr(arguments):
    r = run_cli(*arguments)
    assert r.returncode == 2 and r.stderr


def test_version():
    r = run_cli("version")
    assert r.returncode == 0 and any(c.isdigit() for c in r.stdout)


def test_status_shows_host_and_problems(agent):
    r = agent.cli("status")
    assert r.returncode == 0, r.stderr
    assert agent.api("host")["hostname"] in r.stdout
    assert "CPU" in r.stdout and "emory" in r.stdout
    assert all(len(line) <= 200 for line in r.stdout.splitlines())
    data = json.loads(agent.cli("status", "--json").stdout)
    assert isinstance(data, dict) and data


def test_status_without_an_agent_is_3(tmp_path):
    for command in (["status"], ["status", "--json"], ["token", "rotate"]):
        r = run_cli(*command, "--state", str(tmp_path))
        assert r.returncode == 3, command
        assert "running" in r.stderr


@pytest.mark.root
def test_status_shows_containers(docker_agent, docker):
    name = docker.run("shown", "sleep", "1000")
    until(lambda: name in docker_agent.entities("container"), 10, "the container")
    assert name in docker_agent.cli("status").stdout
    assert name in docker_agent.cli("status", "--json").stdout


def test_token_show_and_rotate(agent):
    assert agent.cli("token", "show").stdout.strip() == agent.token
    old = agent.token
    r = agent.cli("token", "rotate")
    assert r.returncode == 0 and agent.token in r.stdout
    assert agent.token != old
    assert agent.get("/api/v1/host", token=old).status == 401
    assert agent.get("/api/v1/host").status == 200


def test_config_check(tmp_path):
    good = tmp_path / "good.conf"
    good.write_text('interval = "10s";\n')
    assert run_cli("config", "check", "--config", str(good)).returncode == 0
    bad = tmp_path / "bad.conf"
    bad.write_text('interval = "10s";\ninterfal = 1;\nmax_connections = "many";\n')
    r = run_cli("config", "check", "--config", str(bad))
    assert r.returncode == 1
    assert "bad.conf:2:" in r.stderr + r.stdout and "bad.conf:3:" in r.stderr + r.stdout


def test_config_sample_is_a_valid_configuration(tmp_path):
    sample = tmp_path / "sample.conf"
    r = run_cli("config", "sample")
    assert r.returncode == 0
    sample.write_text(r.stdout)
    checked = run_cli("config", "check", "--config", str(sample))
    assert checked.returncode == 0, checked.stderr


def test_the_examples_of_backups_can_be_copied(tmp_path):
    """That of the sample and those of the manuals are without mistakes once their secrets are there."""
    pages = "".join((ROOT / "packaging/man" / name).read_text() for name in ("agent.conf.5", "agent-backup.8"))
    shown = re.findall(r"^\.Bd -literal.*?\n(.*?)^\.Ed", pages, re.M | re.S)
    examples = [x for x in shown if re.match(r"(databases|stores) = \{", x)]
    sample = run_cli("config", "sample").stdout
    examples.append("\n".join(re.findall(r"^## ?(.*)$", sample.partition("complete example:")[2], re.M)))
    for n, text in enumerate(examples):
        config = tmp_path / f"{n}.conf"
        for secret in set(re.findall(r'_file = "(/etc/agent/[^"]*)"', text)):
            file = tmp_path / os.path.basename(secret)
            file.touch(mode=0o600)
            file.write_text("secret\n")
            text = text.replace(secret, str(file))
        config.write_text(text)
        checked = run_cli("config", "check", "--config", str(config))
        assert checked.returncode == 0, text + checked.stderr
    engines, types = (set(re.findall(rf'\b{option} = "(\w+)"', "".join(examples))) for option in ("engine", "type"))
    assert engines >= {"postgresql", "mysql", "mariadb", "mongodb", "redis", "sqlite", "directory", "volume", "command"}
    assert types >= {"s3", "libs3", "directory", "rclone"}


def test_config_show_gives_each_value_its_origin(agent):
    r = agent.cli("config", "show")
    assert r.returncode == 0
    line = next(line for line in r.stdout.splitlines() if line.startswith("interval"))
    assert "1s" in line and "agent.conf:" in line
    assert json.loads(agent.cli("config", "show", "--json").stdout)


def test_doctor(agent):
    r = agent.cli("doctor", "--json")
    checks = json.loads(r.stdout)
    checks = checks["checks"] if isinstance(checks, dict) else checks
    assert checks and all(c["state"] in ("ok", "warning", "failed") and c["text"] for c in checks)
    assert all(c["cure"] for c in checks if c["state"] != "ok"), "each fault has its cure"
    assert (r.returncode == 1) == any(c["state"] == "failed" for c in checks)
    assert agent.cli("doctor").stdout.count("\n") >= len(checks)


def test_output_into_a_closed_pipe_is_no_crash(agent):
    r = subprocess.run(f"{BINARY} status --state {agent.state} | true; exit 0", shell=True, stderr=subprocess.PIPE,
                       text=True, check=False, timeout=20)
    assert "Sanitizer" not in r.stderr and "core" not in r.stderr


def tmux(server, *arguments):
    return subprocess.run(["tmux", "-S", str(server), "-f", "/dev/null", *arguments], check=True, text=True,
                          stdout=subprocess.PIPE, env={**os.environ, "TERM": "xterm-256color", "LC_ALL": "C.UTF-8"}).stdout


def test_top_in_a_terminal(agent, tmp_path):
    """Drawn, redrawn at the next sample, ended by q, and the screen is as before."""
    server = tmp_path / "tmux"
    tmux(server, "new-session", "-d", "-x", "100", "-y", "30", "sh")
    try:
        tmux(server, "send-keys", "echo before-top", "Enter")
        until(lambda: tmux(server, "capture-pane", "-p").count("before-top") == 2, 5, "the shell")
        tmux(server, "send-keys", f"{BINARY} top --state {agent.state}; echo status=$?", "Enter")
        first = until(lambda: (s := tmux(server, "capture-pane", "-p")) and "CPU" in s and s, 10, "the table")
        until(lambda: tmux(server, "capture-pane", "-p") != first, 10, "the next sample")
        tmux(server, "send-keys", "q")
        until(lambda: "status=0" in tmux(server, "capture-pane", "-p"), 5, "the end")
        assert "before-top" in tmux(server, "capture-pane", "-p")
    finally:
        tmux(server, "kill-server")

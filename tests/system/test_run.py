# SPDX-License-Identifier: Apache-2.0
"""`agent run` as its user meets it: first start, second start, faults of the surroundings, reload, end."""

import os
import shutil
import signal
import socket
import stat
import subprocess
import tempfile
from pathlib import Path

import pytest

from harness import proc
from harness.agent import BINARY
from harness.wait import until


def ended(agent):
    """Exit status of an agent that is expected to end by itself."""
    return agent.process.wait(10)


def test_first_start_prints_one_line_with_the_link_and_the_token(make_agent):
    agent = make_agent().start()
    with_link = [line for line in agent.log().splitlines() if agent.url in line]
    assert len(with_link) == 1, agent.log()
    assert agent.token in with_link[0]
    assert agent.viewer_token not in agent.log()


def test_second_start_keeps_the_token_and_does_not_print_it(make_agent):
    agent = make_agent().start()
    token = agent.token
    agent.stop()
    agent.log_path.unlink()
    agent.start()
    assert agent.token == token
    assert token not in agent.log()
    assert agent.url in agent.log(), "the address is said each time"


def test_state_is_for_its_owner_alone(agent):
    for name in ("token.admin", "token.viewer", "state.db"):
        mode = stat.S_IMODE((agent.state / name).stat().st_mode)
        assert mode & 0o077 == 0, f"{name} has mode {mode:o}"
    # The web process may pass through to the RRD files; nobody may look around.
    assert stat.S_IMODE(agent.state.stat().st_mode) & 0o066 == 0


def test_health_needs_no_token_and_the_rest_does(agent):
    assert agent.get("/health", token=None).json() == {"status": "ok"}
    for path in ("/api/v1/host", "/api/v1/entities", "/metrics", "/metrics/containers"):
        answer = agent.get(path, token=None)
        assert answer.status == 401, path
        assert answer.headers["WWW-Authenticate"].startswith("Bearer"), path
        assert agent.get(path, token="wrong").status == 401, path


def test_measures_this_host(agent):
    host = agent.entities("host")["host"]["values"]
    assert 0 <= host["cpu_used_percent"] <= 100
    with open("/proc/meminfo", encoding="ascii") as f:
        total = int(f.readline().split()[1]) * 1024
    assert host["memory_total_bytes"] == total
    assert host["cpu_cores"] == os.cpu_count()
    disk = shutil.disk_usage("/")
    root = agent.entities("filesystem")["/"]["values"]
    assert root["size_bytes"] == disk.total
    assert root["used_bytes"] == pytest.approx(disk.used, rel=0.02)


@pytest.mark.root
def test_a_narrow_umask_hides_no_history_from_the_web_process(make_agent):
    """The web process is another user and reads the RRD files."""
    agent = make_agent(prefix=("sh", "-c", 'umask 077; exec "$@"', "sh")).start(samples=4)
    series = agent.api("series?entity=host/host&metric=load1&from=-5")["series"][0]
    assert [v for v in series["values"][0] if v is not None]


def test_history_is_kept_over_a_restart(make_agent):
    agent = make_agent().start(samples=4)
    before = agent.sample_time()
    agent.stop()
    agent.start()
    series = agent.api("series?entity=host/host&metric=memory_used_bytes&from=-60")["series"][0]
    times = [series["start"] + i * series["step"] for i, v in enumerate(series["values"][0]) if v is not None]
    assert any(t <= before for t in times) and any(t > before for t in times)


@pytest.mark.root
def test_runs_as_an_ordinary_user(make_agent):
    """Nothing of root's is needed to measure the host."""
    with tempfile.TemporaryDirectory(prefix="agenttest-") as folder:
        os.chmod(folder, 0o755)
        binary = shutil.copy(BINARY, folder)
        home = Path(folder) / "home"
        agent = make_agent(state=home / "state", binary=binary, prefix=(
            "setpriv", "--reuid=65534", "--regid=65534", "--clear-groups", "--no-new-privs", "--inh-caps=-all",
            "--bounding-set=-all"))
        home.mkdir()
        os.chown(home, 65534, 65534)
        agent.config = Path(shutil.copy(agent.config, folder))
        agent.start()
        assert os.stat(f"/proc/{agent.pid}").st_uid == 65534
        assert agent.entities("host")["host"]["values"]["cpu_used_percent"] is not None
        assert "/" in agent.entities("filesystem")
        agent.finish()


def test_a_port_in_use_is_named(make_agent):
    agent = make_agent()
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", agent.port))
        taken.listen()
        agent.expected_errors = [str(agent.port)]
        agent.launch()
        assert ended(agent) == 1
    assert any(str(agent.port) in line and "in use" in line for line in agent.log().splitlines()), agent.log()


def test_a_second_agent_on_the_same_state_is_refused(make_agent):
    first = make_agent("first").start()
    second = make_agent("second", state=first.state)
    second.expected_errors = [str(first.pid)]
    second.launch()
    assert ended(second) == 1
    assert str(first.pid) in second.log()
    assert first.get("/health").status == 200


@pytest.mark.root
def test_a_state_folder_on_a_read_only_disk(make_agent, tmp_path):
    """It measures and answers, and says that nothing is kept."""
    disk = tmp_path / "disk"
    disk.mkdir()
    subprocess.run(["mount", "-t", "tmpfs", "-o", "ro,size=1M", "agenttest", disk], check=True)
    try:
        agent = make_agent(state=disk)
        agent.launch()
        link = until(lambda: next((l for l in agent.log().splitlines() if agent.url in l), None), 15, "the link")
        agent.shown_token = next(w for w in link.replace("=", " ").replace("#", " ").split() if len(w) == 48)
        agent.wait_ready()
        assert any(str(disk) in text for text in agent.problems().values()), agent.problems()
        assert agent.entities("host")["host"]["values"]["load1"] is not None
        agent.finish()
    finally:
        subprocess.run(["umount", disk], check=True)


@pytest.mark.root
def test_an_existing_state_folder_on_a_disk_that_became_read_only(make_agent, tmp_path):
    """What was stored before can still be read, and the tokens still hold."""
    disk = tmp_path / "disk"
    disk.mkdir()
    subprocess.run(["mount", "-t", "tmpfs", "-o", "size=32M", "agenttest", disk], check=True)
    try:
        agent = make_agent(state=disk / "state").start(samples=4)
        agent.stop()
        subprocess.run(["mount", "-o", "remount,ro", disk], check=True)
        agent.start()
        assert any(str(disk) in text for text in agent.problems().values()), agent.problems()
        agent.finish()
    finally:
        subprocess.run(["umount", disk], check=True)


def test_all_mistakes_of_the_configuration_are_named_with_their_lines(make_agent):
    agent = make_agent()
    agent.config.write_text('# comment\nintervall = "1s";\nlisten = "127.0.0.1:4500";\nmax_connections = 1;\n')
    agent.expected_errors = ["agent.conf", "the configuration has"]
    agent.launch()
    assert ended(agent) == 1
    log = agent.log()
    unknown = next(line for line in log.splitlines() if "intervall" in line)
    assert "agent.conf:2:" in unknown
    assert "mean interval" in unknown, "the nearest known name is given"
    assert any("agent.conf:4:" in line and "max_connections" in line for line in log.splitlines()), log


def test_a_missing_configuration_file_that_was_named_is_an_error(make_agent):
    agent = make_agent()
    agent.config.unlink()
    agent.expected_errors = ["agent.conf", "the configuration has"]
    agent.launch()
    assert ended(agent) == 1
    assert str(agent.config) in agent.log()


def test_hangup_reloads_the_configuration(agent):
    pid = agent.pid
    agent.write_config({"hostname": "renamed"})
    os.kill(pid, signal.SIGHUP)
    until(lambda: agent.api("host")["hostname"] == "renamed", 5, "the new host name")
    assert proc.alive(pid)


def test_new_host_names_are_taken_without_ending_anybodys_connection(agent):
    web = agent.web_pid
    wrong = {"Host": "other.example.com"}
    assert agent.get("/health", headers=wrong, token=None).status == 200
    with socket.create_connection(("127.0.0.1", agent.port)) as live:
        live.sendall(f"GET /api/v1/live HTTP/1.1\r\nHost: 127.0.0.1\r\nAuthorization: Bearer {agent.token}\r\n\r\n"
                     .encode())
        assert live.recv(4096).startswith(b"HTTP/1.1 200")
        agent.write_config({"hosts": ["agent.example.com"]})
        os.kill(agent.pid, signal.SIGHUP)
        until(lambda: agent.get("/health", headers=wrong, token=None).status == 421, 5, "the new list of hosts")
        live.settimeout(10)
        assert live.recv(65536), "the stream was ended"
    assert agent.web_pid == web


def test_a_bad_configuration_is_not_taken_at_hangup(agent):
    name = agent.api("host")["hostname"]
    agent.config.write_text('hostname = "renamed";\nbogus = 1;\n')
    os.kill(agent.pid, signal.SIGHUP)
    until(lambda: "agent.conf:2:" in agent.log(), 5, "the mistake in the log")
    before = agent.sample_time()
    until(lambda: agent.sample_time() > before, 5, "the next sample")
    assert agent.api("host")["hostname"] == name


@pytest.mark.parametrize("signo", [signal.SIGTERM, signal.SIGINT])
def test_ends_within_two_seconds_with_status_0(agent, signo):
    agent.process.send_signal(signo)
    assert agent.process.wait(2) == 0


def test_ends_in_time_with_clients_connected(agent):
    """Idle and streaming connections do not hold it up."""
    with socket.create_connection(("127.0.0.1", agent.port)), \
            socket.create_connection(("127.0.0.1", agent.port)) as live:
        live.sendall(f"GET /api/v1/live HTTP/1.1\r\nHost: 127.0.0.1\r\nAuthorization: Bearer {agent.token}\r\n\r\n"
                     .encode())
        assert live.recv(4096).startswith(b"HTTP/1.1 200")
        status, seconds = agent.stop()
    assert status == 0
    assert seconds < 2


def test_unknown_arguments_are_wrong_usage(make_agent):
    agent = make_agent(arguments=["--bogus"])
    agent.expected_errors = ["bogus"]
    agent.launch()
    assert ended(agent) == 2
    assert "--bogus" in agent.log()

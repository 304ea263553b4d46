# SPDX-License-Identifier: Apache-2.0
"""Runs build/agent as a user would, and looks after it."""

import contextlib
import itertools
import json
import os
import random
import re
import signal
import socket
import subprocess
import time
from pathlib import Path

from harness import http, proc
from harness.wait import until

ROOT = Path(__file__).resolve().parents[2]
BINARY = Path(os.environ.get("AGENT_BINARY") or ROOT / os.environ.get("BUILD", "build") / "agent")

# Quick samples and small files; containers only where a test has an engine of its own.
DEFAULTS = {
    "interval": "1s",
    "retention": ["1s for 10m", "10s for 1h"],
    "container_sockets": [],
    "docker_root": "/nonexistent",
    "podman_root": "/nonexistent",
}

SANITIZER = re.compile(r"ERROR: \w+Sanitizer|runtime error:|SUMMARY: \w+Sanitizer")
LOG_ERROR = re.compile(r"^\d{4}-\d\d-\d\d \d\d:\d\d:\d\d error ")


# Below those that the kernel hands out by itself, and where this process begins another one hardly does: several pytest processes
# run at once, and a port is free only until somebody else is quicker.
_ports = itertools.count(random.SystemRandom().randrange(10000, 32000))


def free_port():
    while True:
        port = 10000 + (next(_ports) - 10000) % 22000
        with socket.socket() as s:
            try:
                s.bind(("127.0.0.1", port))
            except OSError:
                continue
            return port


def config_text(settings):
    """libconfig; JSON's strings, numbers, lists and true/false are valid there too, its objects are not."""
    return "".join(f"{name} = {config_value(value)};\n" for name, value in settings.items())


def config_value(value):
    return f"{{ {config_text(value)} }}" if isinstance(value, dict) else json.dumps(value)


class Agent:
    """One `agent run` with a state folder, a configuration file and a port of its own.

    `settings` are options beside DEFAULTS ("a.b" is written as a = { b = ...; }; give dicts for groups).
    `prefix` is put before the command: ["setpriv", ...]. `environment` is added to the environment.
    """

    def __init__(self, folder, settings=None, state=None, binary=BINARY, prefix=(), environment=None, arguments=()):
        self.folder = Path(folder)
        self.folder.mkdir(parents=True, exist_ok=True)
        self.state = Path(state) if state else self.folder / "state"
        self.config = self.folder / "agent.conf"
        self.log_path = self.folder / "agent.log"
        self.binary = binary
        self.prefix = list(prefix)
        self.environment = environment or {}
        self.arguments = list(arguments)
        self.port = free_port()
        self.process = None
        self.shown_token = None  # for a state folder that cannot keep one
        self.expected_errors = []  # patterns of error lines that belong to the test
        self.write_config(settings or {})

    # --- life

    def write_config(self, settings):
        self.config.write_text(config_text({**DEFAULTS, **settings}))

    def command(self):
        return [*self.prefix, str(self.binary), "run", "--config", str(self.config), "--state", str(self.state),
                "--listen", f"127.0.0.1:{self.port}", *self.arguments]

    def launch(self):
        """Starts it and does not wait."""
        with open(self.log_path, "ab") as log:
            self.process = subprocess.Popen(
                self.command(), stdin=subprocess.DEVNULL, stdout=log, stderr=log,
                env={**os.environ, **self.environment}, start_new_session=True)
        return self

    def start(self, samples=2):
        """Starts it and waits until it answers and so many samples are in."""
        self.launch()
        self.wait_ready(samples)
        return self

    def wait_ready(self, samples=2):
        until(self._healthy, 15, "/health")
        first = self.sample_time()
        if samples > 1:
            until(lambda: self.sample_time() >= first + samples - 1, 15, f"{samples} samples")

    def _healthy(self):
        if self.process.poll() is not None:  # no AssertionError: there is nothing to wait for
            raise RuntimeError(f"the agent ended with {self.process.returncode}:\n{self.log()}")
        try:
            return self.get("/health", token=None).status == 200
        except OSError:
            return False

    def stop(self):
        """SIGTERM; returns (exit status, seconds it took)."""
        began = time.monotonic()
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
        try:
            status = self.process.wait(10)
        except subprocess.TimeoutExpired:
            self.kill()
            raise AssertionError(f"the agent did not end within 10 s of SIGTERM:\n{self.log()}") from None
        return status, time.monotonic() - began

    def kill(self):
        """Every process of it, by SIGKILL; again, for one that was just being started."""
        def none_left():
            pids = proc.in_session(self.process.pid)
            for pid in pids:
                with contextlib.suppress(ProcessLookupError):  # a worker that just ended
                    os.kill(pid, signal.SIGKILL)
            self.process.poll()
            return not pids

        until(none_left, 10, "the end of all processes of the agent")
        self.process.wait(10)

    def finish(self):
        """Stops it if it runs, and checks that it went well: the end of each test."""
        if self.process is None:
            return
        if self.process.poll() is None:
            status, _ = self.stop()
            assert status == 0, f"exit status {status}:\n{self.log()}"
        sid = self.process.pid
        try:
            until(lambda: not proc.in_session(sid), 3, "the end of all processes of the agent")
        except AssertionError:
            left = {pid: proc.cmdline(pid) for pid in proc.in_session(sid)}
            for pid in left:
                os.kill(pid, signal.SIGKILL)
            raise AssertionError(f"left behind: {left}") from None
        self.check_log()

    def check_log(self):
        bad = [line for line in self.log().splitlines()
               if SANITIZER.search(line) or LOG_ERROR.match(line)
               and not any(re.search(p, line) for p in self.expected_errors)]
        assert not bad, "in the log:\n" + "\n".join(bad) + "\n--- whole log:\n" + self.log()

    # --- what it says

    def log(self):
        return self.log_path.read_text(errors="replace") if self.log_path.exists() else ""

    @property
    def url(self):
        return f"http://127.0.0.1:{self.port}"

    @property
    def pid(self):
        """The daemon's; a prefix such as setpriv has become it by exec."""
        return self.process.pid

    @property
    def web_pid(self):
        """The web process's; None when there is none."""
        for pid in proc.children(self.pid):
            if "web" in proc.cmdline(pid)[1:2]:
                return pid
        return None

    @property
    def token(self):
        return self.shown_token or (self.state / "token.admin").read_text().strip()

    @property
    def viewer_token(self):
        return (self.state / "token.viewer").read_text().strip()

    def get(self, path, headers=None, token="admin", method="GET", body=None):
        """token: "admin", "viewer", None, or the token itself."""
        token = {"admin": lambda: self.token, "viewer": lambda: self.viewer_token}.get(token, lambda: token)()
        headers = dict(headers or {})
        if token:
            headers.setdefault("Authorization", f"Bearer {token}")
        return http.request(self.url + path, method, headers, body)

    def api(self, path):
        """The JSON of a route that must answer 200."""
        answer = self.get("/api/v1/" + path)
        assert answer.status == 200, answer
        return answer.json()

    def sample_time(self):
        return self.api("entities?class=host")["time"] or 0

    def entities(self, class_):
        """Live entities of a class by key."""
        return {e["key"]: e for e in self.api(f"entities?class={class_}")["entities"] if e["live"]}

    def problems(self):
        return {p["key"]: p["text"] for p in self.api("host")["problems"]}

    def cli(self, *arguments, timeout=20, **kwargs):
        return run_cli(*arguments, "--state", str(self.state), timeout=timeout, **kwargs)


def run_cli(*arguments, timeout=20, **kwargs):
    return subprocess.run([str(BINARY), *arguments], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                          stderr=subprocess.PIPE, text=True, timeout=timeout, check=False, **kwargs)

# SPDX-License-Identifier: Apache-2.0
"""Backup jobs for tests of the daemon and the commands: the engine `command`, which any script can be, into a folder."""

import fcntl
import json
import os
import pty
import re
import select
import struct
import subprocess
import termios
import time

from harness import control
from harness.agent import BINARY
from harness.wait import until


def script(text):
    return ["/bin/sh", "-c", text]


def job(text="head -c 100000 /dev/zero", **options):
    """One that prints what the script prints."""
    return {"engine": "command", "command": script(text), "compression": "none", **options}


def settings(**jobs):
    return {"databases": jobs}


def waits_for(path, begun=None):
    """A dump that begins and goes on when the file is there; `begun` is made when it has begun."""
    mark = f": >{begun}; " if begun else ""
    return f"head -c 50000 /dev/zero; {mark}until [ -e {path} ]; do sleep 0.05; done; head -c 50000 /dev/zero"


def runs(agent, name, **query):
    return control.ask(agent, "backup.runs", job=name, **query)["runs"]


def state_of_run(agent, number):
    """None while it has not ended."""
    state = control.ask(agent, "backup.run", run=number)["run"]["state"]
    return None if state in ("waiting", "running") else state


def run_to_end(agent, name, what="backup", **more):
    """Asks for a run and returns it when it has ended."""
    number = control.ask(agent, "backup.start", job=name, what=what, **more)["run"]

    def ended():
        run = control.ask(agent, "backup.run", run=number)["run"]
        return run if run["state"] not in ("waiting", "running") else None

    return until(ended, 30, f"the end of run {number}")


def job_of(agent, name):
    return {j["name"]: j for j in control.ask(agent, "backup.jobs")["jobs"]}[name]


def events(agent, kind="backup.*"):
    """Oldest first."""
    return control.ask(agent, "events.list", kinds=kind)["events"][::-1]


def files_in(folder):
    return sorted(str(p.relative_to(folder)) for p in folder.rglob("*") if p.is_file()) if folder.exists() else []


def manifests(folder):
    return [json.loads((folder / name).read_text()) for name in files_in(folder) if name.endswith("manifest.json")]


class Terminal:
    """A command (the agent's, unless it is another program's) in a terminal of 100 columns."""

    def __init__(self, *arguments, program=BINARY, **environment):
        self.master, slave = pty.openpty()
        fcntl.ioctl(slave, termios.TIOCSWINSZ, struct.pack("HHHH", 24, 100, 0, 0))
        self.process = subprocess.Popen(
            [str(program), *arguments], stdin=slave, stdout=slave, stderr=slave, start_new_session=True,
            env={**os.environ, "TERM": "xterm", "NO_COLOR": "1", "LC_ALL": "C.UTF-8", **environment},
            preexec_fn=lambda: fcntl.ioctl(0, termios.TIOCSCTTY, 0))
        os.close(slave)
        self.text = ""

    def read(self, seconds=0.1):
        if select.select([self.master], [], [], seconds)[0]:
            try:
                self.text += os.read(self.master, 65536).decode(errors="replace")
            except OSError:  # the other end is closed
                return False
        return True

    def wait_for(self, pattern, seconds=20):
        deadline = time.monotonic() + seconds
        while not re.search(pattern, self.text):
            assert time.monotonic() < deadline, f"{pattern!r} not in:\n{self.text}"
            if not self.read() and not re.search(pattern, self.text):
                raise AssertionError(f"it ended without {pattern!r}:\n{self.text}")
        return self

    def type(self, text):
        os.write(self.master, text.encode())

    def end(self, seconds=20):
        """The exit status, and all it printed."""
        deadline = time.monotonic() + seconds
        while self.process.poll() is None and time.monotonic() < deadline:
            self.read()
        while self.read(0.05):
            if not select.select([self.master], [], [], 0)[0]:
                break
        os.close(self.master)
        return self.process.wait(1), self.text

# SPDX-License-Identifier: Apache-2.0
"""The life of servers that a test starts: unprivileged, on free ports of loopback, in a folder that goes with them."""

import os
import shutil
import signal
import socket
import tempfile
from pathlib import Path

from harness import unprivileged
from harness.agent import free_port
from harness.wait import until


class Server:
    """One or more processes. The folder is a new one unless given: every start of pytest closes the folder above its own ones
    to other users, while other tests run."""

    name = title = None  # of those who inherit: "postgresql", "PostgreSQL"
    programs, packages = (), ""  # what it needs, and the Debian packages that have it
    end = signal.SIGKILL  # what ends it at once

    @classmethod
    def missing(cls):
        """What is not installed; None when all is."""
        return next((f"{p} (Debian: {cls.packages})" for p in cls.programs if not shutil.which(p)), None)

    def __init__(self, folder=None):
        self.folder = Path(folder or tempfile.mkdtemp(prefix=f"{self.name}-", dir="/tmp"))
        self.port = free_port()
        self.processes = {}

    def __enter__(self):
        return self.start()

    def __exit__(self, *_):
        self.stop()

    def launch(self):
        """Starts all that it needs, in a folder that is there."""
        raise NotImplementedError

    def start(self):
        unprivileged.give(self.folder)
        try:
            self.launch()
        except BaseException:
            self.stop()
            raise
        return self

    def run(self, *words):
        """A tool that prepares something, to its end; what it printed."""
        return unprivileged.run(*map(str, words), cwd=self.folder)

    def spawn(self, name, *words):
        self.processes[name] = unprivileged.start(*map(str, words), cwd=self.folder, log=self.folder / f"{name}.log")

    def wait(self, answers):
        """Until it does."""
        until(lambda: self._all_live() and answers(), 60, self.title, step=0.02)

    def _all_live(self):
        for name, process in self.processes.items():
            if process.poll() is not None:  # no AssertionError: there is nothing to wait for
                raise RuntimeError(f"{name} ended:\n{self.last_words(name)}")
        return True

    def listens(self, port):
        with socket.create_connection(("127.0.0.1", port), 1):
            return True

    def last_words(self, name):
        return (self.folder / f"{name}.log").read_text(errors="replace")[-3000:]

    def cut(self):
        """As a power cut does: what it has not written is lost."""
        for process in reversed(self.processes.values()):
            if process.poll() is None:
                os.killpg(process.pid, self.end)
        for process in self.processes.values():
            process.wait(30)
        self.processes = {}

    def stop(self):
        """And removes everything."""
        self.cut()
        shutil.rmtree(self.folder, ignore_errors=True)


class Database(Server):
    """One process, with a password over TCP and a socket."""

    user, password = None, None

    def __init__(self, folder=None):
        super().__init__(folder)
        self.sockets = None  # the folder of its socket, whose path must be short

    @property
    def data(self):
        return self.folder / "data"

    def command(self):
        """The words that start it; makes what it needs first."""
        raise NotImplementedError

    def answers(self):
        raise NotImplementedError

    def launch(self):
        self.sockets = Path(tempfile.mkdtemp(prefix="s-", dir="/tmp"))
        unprivileged.give(self.sockets)
        self.sockets.chmod(0o755)
        self.spawn(self.name, *self.command())
        self.wait(self.answers)

    def cut(self):
        super().cut()
        if self.sockets:
            shutil.rmtree(self.sockets, ignore_errors=True)

    def job(self, folder, user=None, password=None):
        """Options of a backup job: over TCP."""
        user, password = user or self.user, password or self.password
        job = {"engine": self.name, "host": "127.0.0.1", "port": self.port}
        if user:
            job["user"] = user
        if password:
            secret = Path(folder) / f"{user or self.name}-{self.port}.password"
            secret.write_text(password)
            secret.chmod(0o600)
            job["password_file"] = str(secret)
        return job

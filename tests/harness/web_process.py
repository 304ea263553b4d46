# SPDX-License-Identifier: Apache-2.0
"""The real web process with a stand-in for the daemon at the other end of its control socket (agent/CONTROL.md): for what a real
daemon shows for a moment only, or after months. The same names as harness.agent.Agent, so that a browser can open it."""

import json
import os
import select
import signal
import socket
import subprocess
import sys
import threading
import time

from harness import http
from harness.agent import BINARY
from harness.wait import until

# Descriptors 3, 4 and 5 of `agent web`; duplicated high first, so that none is overwritten before it is copied.
START = """import os, sys
fds = [os.dup2(int(fd), 100 + i) for i, fd in enumerate(sys.argv[2:5])]
for i, fd in enumerate(fds): os.dup2(fd, 3 + i)
os.closerange(6, 110)
os.execv(sys.argv[1], ["agent", "web"])
"""
TOKENS = {"admin": "a" * 64, "viewer": "v" * 64}


class Refused(Exception):
    """Raised by a handler: the daemon's "no"."""

    def __init__(self, code, text):
        super().__init__(text)
        self.code = code


class WebProcess:
    """handlers: {op: function(request) that returns the answer's members}. `asked` keeps all requests."""

    def __init__(self, folder, handlers, samples=True):
        self.folder = folder
        self.handlers = {**self._own(), **handlers}
        self.asked = []
        self.sessions = {}
        self.subscribed = False
        self.ended = threading.Event()
        self.lock = threading.Lock()
        self.token, self.viewer_token = TOKENS["admin"], TOKENS["viewer"]
        self._start()
        self.threads = [threading.Thread(target=self._serve)]
        if samples:
            self.threads.append(threading.Thread(target=self._sample))
        for t in self.threads:
            t.start()
        until(lambda: self.get("/health", token=None).status == 200, 10, "the web process")

    def _start(self):
        self.control, theirs = socket.socketpair()
        listener = socket.socket()
        listener.bind(("127.0.0.1", 0))
        listener.listen(64)
        listener.setblocking(False)
        self.port = listener.getsockname()[1]
        rrd = self.folder / "rrd"
        rrd.mkdir()
        rrd.chmod(0o755)
        folder = os.open(rrd, os.O_RDONLY | os.O_DIRECTORY)
        fds = [theirs.fileno(), listener.fileno(), folder]
        self.log_path = self.folder / "web.log"
        with open(self.log_path, "wb") as log:
            self.process = subprocess.Popen(
                [sys.executable, "-c", START, str(BINARY), *map(str, fds)], pass_fds=fds, stdin=subprocess.DEVNULL,
                stdout=log, stderr=log)
        theirs.close()
        listener.close()
        os.close(folder)

    # --- the daemon's side

    def _own(self):
        return {
            "hello": lambda r: {"version": "0.0.1", "hostname": "stand-in", "hosts": [], "interval_ms": 1000,
                                "archives": [{"row_seconds": 1, "span_seconds": 3600}], "max_connections": 64},
            "auth.token": lambda r: {"role": self._role(r["token"])},
            "session.new": self._session,
            "session.check": lambda r: {"role": self._known(r["session"])},
            "session.end": lambda r: self.sessions.pop(r["session"], None) and {} or {},
            "host": lambda r: {"hostname": "stand-in", "version": "0.0.1", "time": int(time.time()), "interval_seconds": 1,
                               "os": "Debian GNU/Linux 12 (bookworm)", "kernel": "6.1.0", "architecture": "x86_64",
                               "archives": [], "counts": {}, "problems": []},
            "latest": lambda r: {"time": time.time(), "entities": []},
            "sample.subscribe": lambda r: self._subscribe(True),
            "sample.unsubscribe": lambda r: self._subscribe(False),
            "alerts.list": lambda r: {"alerts": [], "firing": 0, "pending": 0, "worst": "info"},
            "events.list": lambda r: {"events": []},
            "deploy.apps": lambda r: {"apps": [], "running": 0, "max_builds": 1},
            "deploy.list": lambda r: {"deploys": []},
            "deploy.refused": lambda r: {"refused": []},
            "notify.channels": lambda r: {"channels": []},
        }

    def _subscribe(self, on):
        self.subscribed = on
        return {}

    def _role(self, token):
        for role, known in TOKENS.items():
            if token == known:
                return role
        raise Refused("forbidden", "no such token")

    def _session(self, r):
        name = os.urandom(32).hex()
        self.sessions[name] = r["role"]
        return {"session": name, "expires": int(time.time()) + 3600}

    def _known(self, session):
        if session not in self.sessions:
            raise Refused("forbidden", "no such session")
        return self.sessions[session]

    def _serve(self):
        rest = b""
        while not self.ended.is_set():
            if not select.select([self.control], [], [], 0.1)[0]:
                continue
            piece = self.control.recv(65536)
            if not piece:
                return
            *lines, rest = (rest + piece).split(b"\n")
            for line in lines:
                self._answer(json.loads(line))

    def _answer(self, request):
        self.asked.append(request)
        handler = self.handlers.get(request["op"])
        try:
            if handler is None:
                raise Refused("bad_request", f"there is no operation {request['op']}")
            members = handler(request)
            if members is not None:  # None: no answer
                self._send({"id": request["id"], "ok": True, **members})
        except Refused as e:
            self._send({"id": request["id"], "ok": False, "code": e.code, "error": str(e)})

    def _sample(self):
        while not self.ended.wait(1):
            if self.subscribed:
                self._send({"event": "sample", "time": time.time(), "entities": []})

    def _send(self, message):
        with self.lock:
            try:
                self.control.sendall(json.dumps(message).encode() + b"\n")
            except OSError:
                pass  # it has ended; the test sees that

    def push(self, event, **members):
        self._send({"event": event, **members})

    def questions(self, op):
        return [r for r in self.asked if r["op"] == op]

    # --- a client's

    @property
    def url(self):
        return f"http://127.0.0.1:{self.port}"

    def get(self, path, headers=None, token="admin", method="GET", body=None):
        headers = dict(headers or {})
        if token:
            headers.setdefault("Authorization", f"Bearer {TOKENS.get(token, token)}")
        return http.request(self.url + path, method, headers, body)

    def api(self, path):
        answer = self.get("/api/v1/" + path)
        assert answer.status == 200, answer
        return answer.json()

    def finish(self):
        self.process.send_signal(signal.SIGTERM)
        status = self.process.wait(10)
        self.ended.set()
        for t in self.threads:
            t.join(10)
        self.control.close()
        assert status == 0, self.log_path.read_text(errors="replace")

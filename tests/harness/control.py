# SPDX-License-Identifier: Apache-2.0
"""The control protocol (agent/CONTROL.md) without the command line in between."""

import json
import socket

from harness.wait import until


def ask_raw(agent, line, timeout=20):
    """Sends one line, which may be anything, and returns the answer's object; None when the line was not worth one."""
    with socket.socket(socket.AF_UNIX) as s:
        s.settimeout(timeout)
        s.connect(str(agent.state / "control.sock"))
        s.sendall(line + b"\n")
        with s.makefile("rb") as f:
            answer = f.readline()
    return json.loads(answer) if answer else None


def ask(agent, op, **members):
    """The answer of an operation that must succeed."""
    answer = ask_raw(agent, json.dumps({"id": 1, "op": op, **members}, ensure_ascii=False).encode())
    assert answer and answer["ok"], (op, answer)
    return answer


class Control:
    """One connection that stays. What the agent refuses is an AssertionError."""

    def __init__(self, agent, seconds=10):
        self.path = str(agent.state / "control.sock")
        self.socket = until(self._connect, seconds, "the control socket", step=0.005)
        self.reader = self.socket.makefile("rb")
        self.n = 0

    def _connect(self):
        s = socket.socket(socket.AF_UNIX)
        try:
            s.connect(self.path)
        except OSError:
            s.close()
            raise
        return s

    def send(self, op, **members):
        """Without waiting for the answer."""
        self.n += 1
        self.socket.sendall(json.dumps({"id": self.n, "op": op, **members}).encode() + b"\n")

    def answer(self):
        line = self.reader.readline()
        if not line.endswith(b"\n"):
            raise ConnectionError("the agent is gone")
        return json.loads(line)

    def ask(self, op, **members):
        self.send(op, **members)
        answer = self.answer()
        assert answer["ok"], answer
        return answer

    def close(self):
        self.reader.close()
        self.socket.close()

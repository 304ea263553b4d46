# SPDX-License-Identifier: Apache-2.0
"""The control protocol (agent/CONTROL.md) without the command line in between."""

import json
import socket


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

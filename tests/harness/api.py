# SPDX-License-Identifier: Apache-2.0
"""What tests of the HTTP API have in common: signing in, and bytes that are no proper request."""

import socket

from harness import http


def raw(agent, data, timeout=5):
    """Sends bytes, returns all that comes until the server closes."""
    with socket.create_connection(("127.0.0.1", agent.port), timeout) as s:
        s.sendall(data)
        answer = b""
        try:
            while piece := s.recv(65536):
                answer += piece
        except ConnectionResetError:
            pass
    return answer


def login(agent, token, headers):
    return http.request(agent.url + "/api/v1/session", "POST", headers, {"token": token})


def cookie_of(answer):
    return answer.headers["Set-Cookie"].split(";")[0]

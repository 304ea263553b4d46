# SPDX-License-Identifier: Apache-2.0
"""Bodies of deliveries as nobody wants them: huge, endless, slow, cut short, compressed; the agent stays small and answers others."""

import os
import socket
import threading
import time

import pytest

from harness import proc, webhooks
from harness.agent import Agent
from harness.control import ask
from harness.wait import until
from harness.webhooks import MAX_BYTES, Apps, post, read_answer, send

MIB = 1 << 20


def push(size=0):
    """A delivery of GitHub, padded by a member that nobody needs."""
    body = webhooks.payload("github/push-4.json", after=os.urandom(20).hex(), head_commit=None)
    return body if len(body) >= size else body[:-1] + b', "pad": "' + b"y" * (size - len(body) - 11) + b'"}'


@pytest.fixture(scope="module")
def agent(tmp_path_factory):
    apps = Apps(tmp_path_factory.mktemp("apps"), forever=True).add("shop", "github", branches=["**"])
    a = Agent(tmp_path_factory.mktemp("bodies"), settings=apps.settings).start(samples=1)
    yield a
    a.finish()


def spooled(agent, pid=None):
    """Files without a name that the web process holds, or another."""
    return [p for p in proc.open_files(pid or agent.web_pid).values() if "/var/tmp/" in p or "memfd:delivery" in p]


@pytest.mark.parametrize("length", [True, False], ids=["with-length", "chunked"])
@pytest.mark.parametrize("size", [0, 65536, 65537, 3 * MIB, MAX_BYTES])
def test_a_body_of_any_size_up_to_25_mib_is_taken(agent, size, length):
    body = push(size)
    answer = send(agent, "shop", body, webhooks.github(body), length)
    assert answer.status == 202, answer
    bad = body[:-1] + b" "
    assert send(agent, "shop", bad, webhooks.github(body), length).status == 401
    until(lambda: not spooled(agent) and not spooled(agent, agent.pid), 5, "no file left behind")


def test_memory_is_flat_over_large_bodies(agent):
    """Neither process holds a body, nor grows with how many came."""
    body = push(MAX_BYTES)
    headers = webhooks.github(body)
    send(agent, "shop", body, headers)
    peak = {"daemon": 0, "web": 0}
    pids = {"daemon": agent.pid, "web": agent.web_pid}
    before = {name: proc.rss_bytes(pid) for name, pid in pids.items()}
    ended = threading.Event()

    def watch():
        while not ended.wait(0.02):
            for name, pid in pids.items():
                peak[name] = max(peak[name], proc.rss_bytes(pid))

    watcher = threading.Thread(target=watch)
    watcher.start()
    try:
        for i in range(4):
            assert send(agent, "shop", body, headers, length=i % 2 == 0).status == 200
    finally:
        ended.set()
        watcher.join()
    for name, bytes_before in before.items():
        assert peak[name] - bytes_before < 3 * MIB, (name, bytes_before, peak[name])


def test_more_than_25_mib_is_refused_before_it_is_read(agent):
    began = time.monotonic()
    with socket.create_connection(("127.0.0.1", agent.port), 20) as s:
        s.sendall(f"POST /deploy/shop HTTP/1.1\r\nHost: a\r\nContent-Length: {MAX_BYTES + 1}\r\n\r\n".encode())
        answer = read_answer(s)
    assert answer.status == 413 and time.monotonic() - began < 5
    assert "25 MiB" in answer.json()["error"]
    assert any(r["status"] == 413 and r["app"] == "shop" for r in ask(agent, "deploy.refused")["refused"])


def test_more_than_25_mib_in_chunks_is_refused_too(agent):
    answer = send(agent, "shop", b"x" * (MAX_BYTES + 1), {}, length=False)
    assert answer.status == 413
    assert not spooled(agent)


def test_a_body_without_end_is_cut(agent):
    """At twice the limit, whatever the sender has in mind."""

    sent = 0

    def forever():
        nonlocal sent
        while True:
            sent += 65536
            yield b"z" * 65536

    assert send(agent, "shop", forever(), {}, length=False) is None
    assert sent < 2 * MAX_BYTES + 16 * MIB
    assert post(agent, "shop", push(), {}).status == 401


@pytest.mark.parametrize("length", ["-1", "99999999999999999999999", "1e3", "12, 13"])
def test_a_length_that_is_none_is_refused(agent, length):
    with socket.create_connection(("127.0.0.1", agent.port), 20) as s:
        s.sendall(f"POST /deploy/shop HTTP/1.1\r\nHost: a\r\nContent-Length: {length}\r\n\r\nabc".encode())
        answer = read_answer(s)
    assert answer is None or answer.status in (400, 413)


def test_compressed_ones_are_refused(agent):
    for app in ("shop", "nosuch"):
        answer = post(agent, app, push(), {"Content-Encoding": "gzip"})
        assert answer.status == 415


def half(agent, body, headers, app="shop"):
    """A connection that has sent the first half."""
    s = socket.create_connection(("127.0.0.1", agent.port), 20)
    lines = [f"{k}: {v}" for k, v in headers.items()]
    s.sendall("\r\n".join([f"POST /deploy/{app} HTTP/1.1", "Host: a", f"Content-Length: {len(body)}", *lines, "", ""]).encode())
    s.sendall(body[:len(body) // 2])
    return s


def test_slow_senders_keep_nobody_waiting(agent):
    """Some that are small and some that are large stand still in the middle; others are answered meanwhile."""
    small, large = push(), push(4 * MIB)
    waiting = [half(agent, b, webhooks.github(b)) for b in (small, large, small, large)]
    try:
        until(lambda: len(spooled(agent)) == 2, 5, "two files")
        body = push(MIB)
        assert send(agent, "shop", body, webhooks.github(body)).status == 202
        # They may finish.
        for s, b in zip(waiting, (small, large, small, large)):
            s.sendall(b[len(b) // 2:])
            answer = b""
            while b"\r\n\r\n" not in answer:
                answer += s.recv(4096)
            assert answer.startswith((b"HTTP/1.1 202", b"HTTP/1.1 200"))
    finally:
        for s in waiting:
            s.close()


def test_one_that_is_cut_short_leaves_nothing(agent):
    body = push(4 * MIB)
    s = half(agent, body, webhooks.github(body))
    until(lambda: spooled(agent), 5, "a file")
    s.close()
    until(lambda: not spooled(agent), 5, "no file left")


def test_large_ones_at_a_time_are_bounded(agent):
    """Two of each sender, eight in all: the next is told to come later, small ones are taken as ever."""
    body = push(MIB)

    def one(i):
        return half(agent, body, {**webhooks.github(body), "X-Forwarded-For": f"198.51.100.{i}"})

    waiting = [one(1), one(1)]
    try:
        until(lambda: len(spooled(agent)) == 2, 5, "two files")
        third = {**webhooks.github(body), "X-Forwarded-For": "198.51.100.1"}
        answer = send(agent, "shop", body, third)
        assert (answer.status, answer.headers["Retry-After"]) == (503, "10")
        waiting += [one(i) for i in (2, 2, 3, 3, 4, 4)]
        until(lambda: len(spooled(agent)) == 8, 5, "eight files")
        assert send(agent, "shop", body, {**third, "X-Forwarded-For": "198.51.100.5"}).status == 503
        small = push()
        assert send(agent, "shop", small, {**webhooks.github(small), "X-Forwarded-For": "198.51.100.1"}).status == 202
    finally:
        for s in waiting:
            s.close()
    until(lambda: not spooled(agent), 5, "no file left")
    assert send(agent, "shop", body, {**third, "X-Forwarded-For": "198.51.100.1"}).status in (200, 202)

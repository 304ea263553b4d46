# SPDX-License-Identifier: Apache-2.0
"""Pictures of history: who gets one, and that it is one."""

import hashlib
import hmac
import re
import struct
import time
import zlib
from concurrent.futures import ThreadPoolExecutor

import pytest

from harness.agent import Agent


@pytest.fixture(scope="module")
def running(tmp_path_factory):
    agent = Agent(tmp_path_factory.mktemp("chart"))
    yield agent.start(samples=4)
    agent.finish()


def size_of(png):
    assert png[:8] == b"\x89PNG\r\n\x1a\n"
    return struct.unpack(">II", png[16:24])


def signed(agent, path):
    key = (agent.state / "chart.key").read_bytes()
    return path + "&signature=" + hmac.new(key, path.encode(), hashlib.sha256).hexdigest()


def test_a_picture_of_the_size_asked_for(running):
    answer = running.get("/chart/host/host/cpu_used_percent.png?width=500&height=200&limit=80")
    assert answer.status == 200
    assert answer.headers["Content-Type"] == "image/png"
    assert size_of(answer.body) == (500, 200)
    dark = running.get("/chart/host/host/cpu_used_percent.png?width=500&height=200&limit=80&theme=dark")
    assert zlib.crc32(dark.body) != zlib.crc32(answer.body)


def test_svg_and_a_key_with_slashes(running):
    answer = running.get("/chart/filesystem/%2F/used_percent.svg")
    assert answer.status == 200
    assert answer.headers["Content-Type"] == "image/svg+xml"
    assert b"<svg" in answer.body[:400]


@pytest.mark.parametrize("path, status", [
    ("/chart/host/host/cpu_cores.png", 400),  # not stored
    ("/chart/host/host/nonsense.png", 404),
    ("/chart/nonsense/host/load1.png", 404),
    ("/chart/container/no-such/cpu_used_percent.png", 404),
    ("/chart/host/host/load1.gif", 400),
    ("/chart/host", 404),
    ("/chart/host/host/load1.png?width=99", 400),
    ("/chart/host/host/load1.png?from=200&to=100", 400),
    ("/chart/host/..%2F..%2Fetc%2Fpasswd/load1.png", 404),
])
def test_what_cannot_be_drawn_is_said(running, path, status):
    answer = running.get(path)
    assert answer.status == status
    assert answer.json()["error"]


def test_without_a_login_only_a_signed_link_works(running):
    assert running.get("/chart/host/host/load1.png", token=None).status == 401
    assert running.get("/chart/host/host/load1.png?signature=" + "0" * 64, token=None).status == 403
    now = int(time.time())
    path = f"/chart/host/host/load1.png?from={now - 600}&to={now}&width=640&height=240"
    link = signed(running, path)
    assert size_of(running.get(link, token=None).body) == (640, 240)
    # Not another stretch of time, not another metric, not for ever.
    assert running.get(link.replace(f"from={now - 600}", f"from={now - 601}"), token=None).status == 403
    assert running.get(link.replace("load1", "load5"), token=None).status == 403
    old = f"/chart/host/host/load1.png?from={now - 900000}&to={now - 800000}&width=640&height=240"
    assert running.get(signed(running, old), token=None).status == 403


def test_many_at_once_are_drawn_one_after_the_other(running):
    with ThreadPoolExecutor(8) as pool:
        answers = list(pool.map(lambda w: running.get(f"/chart/host/host/load1.png?width={w}"), range(300, 308)))
    assert [size_of(a.body)[0] for a in answers] == list(range(300, 308))


def test_the_key_is_nobodys_business(running):
    assert (running.state / "chart.key").stat().st_mode & 0o777 == 0o600
    assert re.fullmatch("[0-9a-f]{64}", (running.state / "chart.key").read_text())

# SPDX-License-Identifier: Apache-2.0
"""What goes wrong with a router: its configuration is as it was, and other apps go on."""

import os

import pytest

from harness.hooks import App
from harness.routers import ALL, DOMAIN, LISTEN
from harness.versions import start


@pytest.fixture
def app(tmp_path, net):
    return App(tmp_path / "app", prefix=net.prefix, docker_socket=net.socket, port="8080", stop_timeout="1s", keep="1",
               health_path="/", health_count="2", health_interval="100ms", health_deadline="3s")


@pytest.fixture
def caddy(app, net, tmp_path):
    if not ALL["caddy"].is_there():
        pytest.skip("no caddy")
    router = ALL["caddy"](net, tmp_path / "router").start()
    app.options.update(router.options)
    yield router
    router.stop()


def test_what_caddy_refuses_is_taken_back_and_others_go_on(app, net, caddy):
    theirs = caddy.folder / "agent.d" / "blog.caddy"
    theirs.write_text(f"http://{DOMAIN}:8000 {{\n\trespond theirs\n}}\n")
    net.run_in(*app.options["caddy_reload"].split())
    answer = app.run("route/caddy", **start(app, 1))
    assert answer.status == 1 and "it is as it was" in answer.log and "ambiguous" in answer.log
    assert os.listdir(caddy.folder / "agent.d") == ["blog.caddy"]
    assert net.get(LISTEN, "-H", f"Host: {DOMAIN}") == "theirs"


def test_caddy_with_a_fault_of_its_own_is_left_alone(app, net, caddy):
    first = start(app, 1)
    app.ok("route/caddy", **first)
    file = caddy.folder / "agent.d" / "shop.caddy"
    before = file.read_text()
    (caddy.folder / "agent.d" / "theirs.caddy").write_text("nonsense {\n")
    app.options["caddy_keepalive"] = "9s"  # so that the file is to be another one
    answer = app.run("route/caddy", **start(app, 2, old=first))
    assert answer.status == 1 and "wrong by itself" in answer.log
    assert file.read_text() == before and net.get("198.18.0.1") == "v2"  # the switch needs no Caddy
    app.run("route/caddy", "revert", old_address=first["address"], old_container="shop-1")
    assert net.get("198.18.0.1") == "v1" and net.get(LISTEN, "-H", f"Host: {DOMAIN}") in ("v1", "v2")


def test_haproxy_that_has_no_such_backend_is_told_what_it_needs(app, net, tmp_path):
    if not ALL["haproxy"].is_there():
        pytest.skip("no haproxy")
    router = ALL["haproxy"](net, tmp_path / "router").start()
    app.options.update(router.options, backend="other")
    answer = app.run("route/haproxy", **start(app, 1))
    assert answer.status == 1 and "server app 198.18.0.1:80" in answer.log
    app.options["haproxy_socket"] = tmp_path / "nothing"
    assert app.run("route/haproxy", address="198.18.1.10:8080").status == 75
    router.stop()

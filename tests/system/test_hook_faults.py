# SPDX-License-Identifier: Apache-2.0
"""What goes wrong with a version or with Docker: it is said, and what serves is left alone."""

import pytest

from harness.docker_net import WEB
from harness.hooks import App
from harness.versions import start


@pytest.fixture
def app(tmp_path, net):
    return App(tmp_path / "app", prefix=net.prefix, docker_socket=net.socket, port="8080", stop_timeout="1s", keep="1",
               health_path="/", health_count="2", health_interval="100ms", health_deadline="3s")


@pytest.mark.parametrize("mode,said", [
    ("deaf", "says 000"), ("500", "says 500"), ("crash", "its container is: exited"),
])
def test_a_version_that_is_not_healthy_is_refused(app, net, mode, said):
    first = start(app, 1)
    app.ok("route/nft", **first)
    second = start(app, 2, mode, first)
    answer = app.run("probe/http", **second)
    assert answer.status == 1 and said in answer.log
    assert app.run("probe/http", "status", **second).status == 1
    if mode == "crash":
        assert "out of luck" in answer.log
    log = app.ok("start/docker", "revert", **second).log
    assert f"version v2 begins {mode}" in log
    if mode == "crash":
        assert "exit status 3" in log and "out of luck" in log
    assert net.get("198.18.0.1") == "v1" and net.containers() == ["shop-1"]


def test_a_version_that_takes_too_much_memory_is_said_to(app, net):
    app.deploy = 1
    app.options.update(memory=str(16 << 20), arguments="eat")
    started = app.run("start/docker", image=WEB)  # it may have ended by then
    told = {"image": WEB, "container": "shop-1", **started.results}
    probed = app.run("probe/http", **{"address": "198.18.1.10:8080", **told})
    assert probed.status == 1
    assert "killed for want of memory" in started.log + probed.log + app.ok("start/docker", "revert", **told).log


def test_an_image_that_is_missing_is_named(app, net):
    app.deploy = 1
    answer = app.run("start/docker", image="agent/shop:gone")
    assert answer.status != 0 and "agent/shop:gone" in answer.log
    app.ok("start/docker", "revert", image="agent/shop:gone")
    assert net.containers() == []


def test_docker_that_is_away_is_waited_for(app, net):
    """Stopped in the middle of a deploy; its containers end with it."""
    first = start(app, 1)
    net.stop_daemon()
    try:
        for hook, verb in (("start/docker", "apply"), ("start/docker", "revert"), ("start/docker", "status"), ("stop/docker", "apply"),
                           ("retire/docker", "apply"), ("build/dockerfile", "apply"), ("release/command", "apply")):
            app.options["release"] = "true"
            assert app.run(hook, verb, **first).status == 75, hook
        assert app.run("probe/http", **first).status == 1
    finally:
        net.start_daemon()
    again = start(app, 1)
    assert (again["container"], net.get(again["address"])) == ("shop-1", "v1")


def test_after_a_reboot_apply_fills_the_switch_again(app, net):
    first = start(app, 1)
    app.ok("route/nft", **first)
    app.run("stop/docker", **first)  # nothing to stop; from now on Docker starts it with itself
    net.run_in("nft", "delete", "table", "ip", "agent")
    net.run_in("ip", "address", "delete", "198.18.0.1/32", "dev", "lo")
    assert net.get("198.18.0.1") == ""
    assert app.ok("route/nft", "status", **first).results == {"serves": "neither"}
    app.ok("route/nft", **first)
    assert app.ok("route/nft", "status", **first).results == {"serves": "new"}
    assert net.get("198.18.0.1") == "v1"

# SPDX-License-Identifier: Apache-2.0
"""Versions as services of a swarm of one server."""

import pytest

from harness.docker_net import WEB
from harness.hooks import App
from harness.wait import until

@pytest.fixture(scope="module")
def swarm(docker_net):
    docker_net.cli("swarm", "init", "--advertise-addr", "127.0.0.1")
    yield
    docker_net.cli("swarm", "leave", "--force")


@pytest.fixture
def app(tmp_path, net, swarm):
    yield App(tmp_path / "app", prefix=net.prefix, docker_socket=net.socket, port="8080", keep="1", health_path="/", health_count="1",
              health_interval="100ms")
    for service in net.cli("service", "ls", "--quiet").stdout.split():
        net.cli("service", "rm", service)
    until(lambda: not net.containers(), 20, "no task")


def deploy(app, number, old=None):
    app.deploy = number
    app.secret("env", f"VERSION=v{number}\n")
    told = {"image": WEB}
    if old:
        told |= {"old_container": old["container"], "old_address": old["address"]}
    told |= app.ok("start/swarm", **told).results
    app.ok("probe/http", **told)
    return told


def tasks(net):
    return dict(line.split() for line in net.cli("service", "ls", "--format", "{{.Name}} {{.Replicas}}").stdout.splitlines())


def expect_tasks(net, **expected):
    """The swarm hears of the end of a container a moment later."""
    expected = {name.replace("_", "-"): n for name, n in expected.items()}
    until(lambda: tasks(net) == expected, 10, f"{expected}")


def test_versions_run_side_by_side_and_the_old_one_stays(app, net):
    first = deploy(app, 1)
    second = deploy(app, 2, first)
    assert (net.get(first["address"]), net.get(second["address"])) == ("v1", "v2")
    app.ok("route/nft", **second)
    assert net.get("198.18.0.1") == "v2"
    app.ok("stop/swarm", **second)
    expect_tasks(net, shop_1="0/0", shop_2="1/1")
    assert app.ok("start/swarm", "status", **second).results == {"serves": "new"}
    app.ok("stop/swarm", "revert", **second)
    expect_tasks(net, shop_1="1/1", shop_2="1/1")
    app.ok("start/swarm", "revert", **second)
    expect_tasks(net, shop_1="1/1")


def test_a_rollback_and_what_is_retired(app, net):
    first = deploy(app, 1)
    second = deploy(app, 2, first)
    app.ok("stop/swarm", **second)
    app.deploy = 3
    back = app.ok("start/swarm", image=WEB, container="shop-1", old_container="shop-2").results
    assert back["container"] == "shop-1" and net.get(back["address"]) == "v1"
    app.ok("stop/swarm", container="shop-1", old_container="shop-2")
    app.ok("retire/swarm", container="shop-1", old_container="shop-2", keep="shop-1")
    expect_tasks(net, shop_1="1/1", shop_2="0/0")  # what served before stays
    app.ok("retire/swarm", container="shop-1", old_container="", keep="shop-1")
    expect_tasks(net, shop_1="1/1")


def test_a_version_that_ends_at_once_tells_why(app, net):
    app.options["arguments"] = "crash"
    app.deploy = 1
    told = {"image": WEB, **app.ok("start/swarm", image=WEB).results}
    assert app.run("probe/http", **told).status == 0  # the first answer is still good
    until(lambda: app.run("probe/http", "status", **told).status == 1, 20, "its end")
    until(lambda: "exit (3)" in net.cli("service", "ps", "--no-trunc", told["container"]).stdout, 20, "the swarm knows of it")
    log = app.ok("start/swarm", "revert", **told).log
    assert "exit (3)" in log and "out of luck" in log and not tasks(net)


def test_what_is_cut_short_is_done_again(app, net):
    first = deploy(app, 1)
    again = app.ok("start/swarm", image=WEB).results
    assert again["container"] == "shop-1" and net.get(again["address"]) == "v1" and tasks(net) == {"shop-1": "1/1"}
    app.ok("start/swarm", "revert", **first)
    app.ok("start/swarm", "revert", **first)
    assert not tasks(net)

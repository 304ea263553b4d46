# SPDX-License-Identifier: Apache-2.0
"""A compose file deployed with Debian's docker-compose: one service without a gap, the others in place."""

import shutil

import pytest

from harness.docker_net import WEB
from harness.hooks import App

COMPOSE = f"""
version: "3"
services:
  web:
    build: .
    environment: {{ MARK: "${{MARK}}" }}
    depends_on: [db]
    ports: ["8080"]
    volumes: ["./data:/data"]
  db:
    image: {WEB}
    command: ["slow"]
    environment: {{ VERSION: db }}
"""

pytestmark = pytest.mark.skipif(not shutil.which("docker-compose"), reason="no docker-compose (Debian package docker-compose)")


@pytest.fixture
def app(tmp_path, net):
    app = App(tmp_path / "app", prefix=net.prefix, docker_socket=net.socket, service="web", port="8080", keep="1", stop_timeout="1s",
              health_path="/", health_count="1", health_interval="100ms")
    app.secret("env", "MARK=s3cret-mark\n")
    return app


def deploy(app, number, old=None):
    """What the stages up to the probe said."""
    app.deploy = number
    app.work.mkdir()
    (app.work / "compose.yaml").write_text(COMPOSE)
    (app.work / "Dockerfile").write_text(f"FROM {WEB}\nENV VERSION=v{number}\n")
    (app.work / "data").mkdir()
    told = {"old_container": old["container"], "old_address": old["address"]} if old else {}
    told |= app.ok("build/compose", commit=f"{number:x}" * 40).results
    told |= app.ok("start/compose", **told).results
    app.ok("probe/http", **told)
    return told


def test_one_service_is_swapped_and_the_others_are_there(app, net):
    first = deploy(app, 1)
    second = deploy(app, 2, first)
    assert (net.get(first["address"]), net.get(second["address"])) == ("v1", "v2")
    assert second["image"] == f"agent/shop:{'2' * 12}-2"
    config = net.inspect("shop-2")
    assert "MARK=s3cret-mark" in config["Config"]["Env"]
    # The folders of both versions are one, and the database is met by its name.
    assert net.inspect("shop-1")["Mounts"] == config["Mounts"]
    assert "shop_default" in config["NetworkSettings"]["Networks"] and not config["NetworkSettings"]["Ports"].get("8080/tcp")
    assert [c for c in net.containers() if "db" in c] == ["shop_db_1"]
    app.ok("stop/compose", **second)
    assert not net.inspect("shop-1")["State"]["Running"] and net.inspect("shop_db_1")["State"]["Running"]
    assert app.ok("start/compose", "status", **second).results == {"serves": "new"}


def test_the_way_back_and_what_is_retired(app, net):
    first = deploy(app, 1)
    second = deploy(app, 2, first)
    app.ok("stop/compose", **second)
    app.deploy = 3  # a rollback: the container of then
    back = app.ok("start/compose", image=first["image"], container="shop-1", old_container="shop-2").results
    assert back["container"] == "shop-1" and net.get(back["address"]) == "v1"
    app.ok("start/compose", "revert", image=first["image"], container="shop-1", old_container="shop-2")
    assert net.inspect("shop-2")["State"]["Running"] and not net.inspect("shop-1")["State"]["Running"]
    app.deploy = 2
    app.options["keep"] = "0"
    app.ok("retire/compose", container="shop-2", old_container="", image=second["image"], keep="shop-2")
    assert sorted(net.containers()) == ["shop-2", "shop_db_1"]
    assert net.cli("image", "ls", "--quiet", "agent/shop").stdout.count("\n") == 1


def test_a_deploy_cut_short_anywhere_is_done_again(app, net):
    first = deploy(app, 1)
    app.ok("build/compose", commit="1" * 40)
    again = app.ok("start/compose", **{k: first[k] for k in ("image", "digest")}).results
    assert net.get(again["address"]) == "v1" and net.containers().count("shop-1") == 1
    app.ok("start/compose", "revert", **first)
    app.ok("start/compose", "revert", **first)
    assert net.containers() == ["shop_db_1"]


def test_a_service_may_be_an_image_of_somebody_else(app, net):
    app.work.mkdir()
    (app.work / "compose.yaml").write_text(f"version: '3'\nservices:\n  web:\n    image: {WEB}\n")
    app.options["pull"] = "never"
    built = app.ok("build/compose")
    assert net.get(app.ok("start/compose", **built.results).results["address"]) == "0"


def test_a_service_that_is_none_is_named(app):
    app.work.mkdir()
    (app.work / "compose.yaml").write_text(COMPOSE)
    app.options["service"] = "wbe"
    answer = app.run("build/compose")
    assert answer.status != 0 and "wbe" in answer.log

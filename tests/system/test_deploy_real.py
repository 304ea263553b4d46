# SPDX-License-Identifier: Apache-2.0
"""A push becomes a running, healthy version, or nothing changed: a real git repository, Docker, nginx, and the agent."""

import os
import shutil

import pytest

from harness.control import ask
from harness.deploying import Deploying
from harness.docker import PATH
from harness.netns import inside
from harness.routers import Nginx
from harness.swaps import Load

pytestmark = pytest.mark.skipif(os.geteuid() != 0 or not all(shutil.which(p, path=PATH) for p in ("dockerd", "nft", "nginx", "wrk")),
                                reason="needs root, dockerd, nft, nginx, wrk")


@pytest.fixture
def shop(net, tmp_path):
    """A running agent; version 1 serves."""
    router = Nginx(net, tmp_path / "router").start()
    with inside(net.name):
        d = Deploying(net, tmp_path / "d", router)
        d.agent.start(samples=1)
        d.version(1)
        assert d.deploy()["state"] == "done", d.log(1)
        assert net.inspect("shop-1")["HostConfig"]["RestartPolicy"]["Name"] == "unless-stopped"
        yield d
        d.agent.finish()
    router.stop()


def test_a_push_becomes_what_answers(shop):
    commit = shop.version(2, message="Mend the basket\n\nIt was broken.")
    answer = shop.push(commit)
    assert answer.status == 202, answer.body
    number = answer.json()["deploys"][0]["deploy"]
    d = shop.ended(number)
    assert d["state"] == "done", shop.log(number)
    assert shop.answers() == "2"
    assert (d["commit"], d["subject"], d["by"], d["trigger"]) == (commit, "Mend the basket", "ada", "webhook")
    # The same delivery, and the same commit by another one, are deployed once.
    assert shop.push(commit).json()["deploys"][0] | {"ref": ""} == {"ref": "", "deploy": number, "outcome": "duplicate", "superseded": 0}
    # The version before is kept, stopped, for a return.
    assert shop.net.inspect("shop-1")["State"]["Running"] is False


def test_no_request_is_lost_in_a_deploy(shop):
    load = Load(shop.router, 30)
    for version in (2, 3):
        shop.version(version)
        assert shop.deploy()["state"] == "done"
    load.process.send_signal(2)
    load.wait()
    assert (load.lost, load.refused) == (0, 0), load.text
    assert load.requests > 500 and shop.answers() == "3"


@pytest.mark.parametrize("mode, state, says", [
    ("deaf", "failed", "curl"),
    ("500", "failed", "500"),
    ("eat", "failed", "killed for want of memory"),
])
def test_a_bad_version_changes_nothing(shop, mode, state, says):
    shop.version(2, mode)
    number = shop.start()
    load = Load(shop.router, 60, connections=5)
    d = shop.ended(number)
    load.process.send_signal(2)
    assert d["state"] == state, shop.log(number)
    assert says in d["error"], d["error"]
    load.wait()
    assert (load.lost, load.refused) == (0, 0), load.text
    assert shop.answers() == "1"
    assert "shop-2" not in shop.net.cli("ps", "--all", "--format", "{{.Names}}").stdout


def test_a_version_that_dies_later_gives_way(shop):
    shop.app["watch"] = "6s"
    shop.agent.write_config(shop.settings())
    ask(shop.agent, "config.reload")
    shop.version(2, "late")
    d = shop.deploy()
    assert d["state"] == "rolled_back" and shop.answers() == "1", shop.log(d["id"])
    assert "stopped" in d["error"], d["error"]
    assert "out of luck" in shop.log(d["id"])
    # Nobody was led to a dead version for long.
    watch = next(s for s in d["stages"] if s["stage"] == "watch")
    back = next(s for s in d["stages"] if (s["stage"], s["verb"]) == ("route", "revert"))
    print("from the death to the way back at most", back["ended_ms"] - watch["started_ms"], "ms after the watch began")


def test_a_return_takes_seconds_and_no_build(shop):
    shop.version(2)
    shop.deploy()
    number = ask(shop.agent, "deploy.rollback", app="shop")["deploy"]
    d = shop.ended(number)
    assert d["state"] == "done" and shop.answers() == "1"
    assert [s["stage"] for s in d["stages"]] == ["pre-start", "start", "probe", "pre-route", "route", "watch", "drain", "stop", "retire",
                                                  "post-deploy"]


def test_an_image_that_is_missing_changes_nothing(shop):
    d = shop.deploy(image="missing.example/none:1")
    assert d["state"] == "failed" and shop.answers() == "1", d
    assert "missing.example/none" in d["error"], d["error"]

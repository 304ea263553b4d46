# SPDX-License-Identifier: Apache-2.0
"""What the measurements say of an app over its deploys, with real containers: one series for all versions, no alarm about the one
that leaves, or that is away for a moment, and one about an app that is gone for another reason."""

import os
import shutil
import signal

import pytest

from harness.alerting import BUILTIN_OFF, rule
from harness.control import ask
from harness.deploying import Deploying
from harness.docker import PATH
from harness.netns import inside
from harness.routers import Nginx
from harness.wait import until

pytestmark = pytest.mark.skipif(os.geteuid() != 0 or not all(shutil.which(p, path=PATH) for p in ("dockerd", "nft", "nginx")),
                                reason="needs root, dockerd, nft, nginx")

OURS = {"entities": ["shop*"]}
RULES = {
    **BUILTIN_OFF,
    "gone": {"type": "gone", "metric": "container.running", "severity": "critical", **OURS},
    "down": rule("< 1", "container.running", **OURS),
    "again": rule("> 0", "container.restarts", **OURS),
}


def configure(d, **options):
    settings = d.settings()
    d.agent.write_config({**settings, "rules": RULES, "hooks_dir": str(d.agent.folder / "hooks"), "apps": {"shop": {**settings["apps"]["shop"], **options}}})


@pytest.fixture
def shop(net, tmp_path):
    router = Nginx(net, tmp_path / "router").start()
    with inside(net.name):
        d = Deploying(net, tmp_path / "d", router, watch="3s")
        configure(d)
        d.agent.start(samples=1)
        d.version(1)
        assert d.deploy()["state"] == "done", d.log(1)
        yield d
        d.agent.finish()
    router.stop()


def ours(agent):
    return {k: e for k, e in agent.entities("container").items() if k.startswith("shop")}


def test_all_versions_of_an_app_are_one_series_and_nobody_is_alarmed(shop):
    agent = shop.agent
    until(lambda: ours(agent)["shop"]["labels"]["name"] == "shop-1", 10, "the container of version 1")
    shop.version(2)
    number = shop.start()
    both = until(lambda: set(ours(agent)) > {"shop"} and set(ours(agent)), 30, "two versions at once")
    assert all(key.startswith("shop@") for key in both - {"shop"}), both
    assert shop.ended(number)["state"] == "done", shop.log(number)
    # One after the other: the app is away for longer than a sample takes.
    slow = agent.folder / "hooks/start/docker"
    slow.parent.mkdir(parents=True)
    slow.write_text('#!/bin/sh\nif [ "$1" = apply ]; then sleep 2; fi\nexec "$DEPLOY_HOOKS/start/docker" "$@"\n')
    slow.chmod(0o755)
    configure(shop, overlap=False)
    os.kill(agent.pid, signal.SIGHUP)
    until(lambda: "configuration reloaded" in agent.log(), 10, "the reload")
    shop.version(3)
    number = shop.start()
    until(lambda: ours(agent)["shop"]["values"]["running"] == 0, 30, "a moment without the app")
    assert shop.ended(number)["state"] == "done", shop.log(number)
    # The old one is kept, stopped, and no thing of its own.
    until(lambda: set(ours(agent)) == {"shop"}, 10, "the one that is left")
    e = ours(agent)["shop"]
    assert (e["labels"]["name"], e["labels"]["app"]) == (f"shop-{number}", "shop")
    until(lambda: (agent.state / "rrd/container/shop.rrd").exists(), 10, "its history")
    assert [p.name for p in (agent.state / "rrd/container").glob("shop*")] == ["shop.rrd"]
    until(lambda: agent.entities("app")["shop"]["values"]["up"] == 1, 10, "an answer of the app")
    # Nor is somebody alarmed later, when the app is not being swapped any more.
    after = agent.sample_time()
    until(lambda: agent.sample_time() >= after + 4, 15, "some samples")
    assert [e["title"] for e in ask(agent, "events.list")["events"] if e["kind"].startswith("alert.")] == []
    assert ask(agent, "alerts.list")["alerts"] == []


def test_an_app_that_is_gone_without_a_deploy_is_told(shop):
    # A minute after the deploy, or with another daemon, it is like any other container.
    shop.agent.stop()
    shop.agent.start(samples=1)
    until(lambda: ours(shop.agent)["shop"]["values"]["running"] == 1, 10, "the container")
    shop.net.cli("stop", "--time", "1", "shop-1")
    until(lambda: [e for e in ask(shop.agent, "events.list")["events"] if e["kind"] == "alert.firing"], 15, "the alarm")

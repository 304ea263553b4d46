# SPDX-License-Identifier: Apache-2.0
"""The agent is killed, or Docker stopped, in the middle of a deploy, at each of its states: the defined end is reached by
itself, and somebody serves."""

import os
import shutil

import pytest

from harness.deploying import Deploying
from harness.docker import PATH
from harness.netns import inside
from harness.routers import Nginx
from harness.wait import until

pytestmark = pytest.mark.skipif(os.geteuid() != 0 or not all(shutil.which(p, path=PATH) for p in ("dockerd", "nft", "nginx")),
                                reason="needs root, dockerd, nft, nginx")

# Does what the shipped hook does, and holds the deploy there.
HOLD = """#!/bin/sh
status=0
"$DEPLOY_HOOKS/{hook}" "$@" || status=$?
echo held
while [ "$1" = apply ] && [ -e "{hold}" ]; do sleep 0.05; done
exit $status
"""
STATES = {"fetching": "fetch/git", "building": "build/dockerfile", "starting": "start/docker", "probing": "probe/http",
          "routing": "route/nginx", "watching": None, "draining": "retire/docker"}


class Held(Deploying):
    def __init__(self, net, folder, router):
        self.hooks, self.hold = folder / "hooks", folder / "hold"
        super().__init__(net, folder, router, drain="0s", watch="2s")

    def settings(self):
        return {**super().settings(), "hooks_dir": str(self.hooks)}

    def hold_in(self, hook):
        path = self.hooks / hook
        path.parent.mkdir(parents=True)
        path.write_text(HOLD.format(hook=hook, hold=self.hold))
        path.chmod(0o755)
        self.hold.touch()

    def held(self, number, state, hook):
        """The deploy is there, and its hook has done its work."""
        until(lambda: self.get(number)["state"] == state, 30, f"the state {state}", step=0.02)
        if hook:
            until(lambda: f" {hook.split('/')[0]} | held" in self.log(number), 30, f"the hook {hook}")


@pytest.fixture
def shop(net, tmp_path):
    router = Nginx(net, tmp_path / "router").start()
    with inside(net.name):
        d = Held(net, tmp_path / "d", router)
        d.agent.start(samples=1)
        d.version(1)
        assert d.deploy()["state"] == "done", d.log(1)
        d.version(2)
        yield d
        d.agent.finish()
    router.stop()


def cut(shop, state, how):
    hook = STATES[state]
    if hook:
        shop.hold_in(hook)
    number = shop.start()
    shop.held(number, state, hook)
    how()
    shop.hold.unlink(missing_ok=True)
    return number


@pytest.mark.parametrize("state", STATES)
def test_a_killed_agent_brings_it_to_its_end(shop, state):
    number = cut(shop, state, shop.agent.kill)
    assert shop.answers() in ("1", "2")  # nobody waits for the agent
    shop.agent.start(samples=1)
    d = shop.ended(number)
    assert (d["state"], shop.answers()) == ("done", "2"), shop.log(number)
    running = shop.net.cli("ps", "--filter", "label=agent.app=shop", "--format", "{{.Names}}").stdout.split()
    assert running == ["shop-2"]
    assert d["requeued"] == (1 if state in ("fetching", "building", "starting", "probing") else 0)


@pytest.mark.parametrize("state", STATES)
def test_docker_that_stops_leaves_somebody_who_serves(shop, state):
    number = cut(shop, state, shop.net.stop_daemon)
    shop.net.start_daemon()
    d = shop.ended(number, 120)
    assert d["state"] in ("done", "failed", "rolled_back"), d
    serves = "2" if d["state"] == "done" else "1"
    until(lambda: shop.answers() == serves, 30, f"version {serves}")

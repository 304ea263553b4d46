# SPDX-License-Identifier: Apache-2.0
"""Browser tests: one Chromium and two agents for all of them, a fresh state for each."""

import os
import shutil

import pytest

from harness.agent import Agent
from harness.docker_tree import BUSY, IDLE, DockerTree

HOSTILE = "<img src=x onerror=alert(1)>"


@pytest.fixture(scope="session")
def chromium(tmp_path_factory):
    if not shutil.which("chromium") or not shutil.which("chromedriver"):
        pytest.skip("no Chromium (Debian packages chromium, chromium-driver)")
    from harness.browser import Browser

    browser = Browser(tmp_path_factory.mktemp("profile"))
    yield browser
    browser.quit()


@pytest.fixture
def browser(chromium, make_agent):  # make_agent: agents end after the page was left, not before
    """The browser; the test fails when the page complained on its console."""
    chromium.fresh()
    yield chromium
    chromium.driver.get("about:blank")
    complaints = [line for line in chromium.console() if not any(e in line for e in chromium.expected_errors)]
    assert not complaints, "\n".join(complaints)


@pytest.fixture(scope="session")
def server(tmp_path_factory):
    """An agent that watches this machine, without containers."""
    agent = Agent(tmp_path_factory.mktemp("server"), settings={"containers": {"include": ["none"]}}).start(samples=4)
    yield agent
    agent.finish()


@pytest.fixture(scope="session")
def tree(tmp_path_factory):
    """A few containers: real cgroups and processes."""
    if os.geteuid() != 0:
        pytest.skip("needs root to make cgroups")
    tree = DockerTree(tmp_path_factory.mktemp("docker"))
    tree.patterns = ["shop-*", "idle", "short-lived", "*img*", "n*me-*"]
    tree.add(
        "shop-busy", BUSY, image="registry.example.com/shop/web:2026-11", cpus=0.2, memory=64 << 20, health="healthy"
    )
    tree.add("shop-db", IDLE, image="postgres:16", health="unhealthy")
    tree.add("idle", IDLE)
    tree.add("x", IDLE, project=HOSTILE)
    tree.add("näme-ünicöde", IDLE, project="")
    yield tree
    tree.close()


@pytest.fixture(scope="session")
def watched(tmp_path_factory, tree):
    """An agent that watches the containers of `tree`."""
    agent = Agent(tmp_path_factory.mktemp("watched"), settings=tree.settings()).start(samples=4)
    yield agent
    agent.finish()

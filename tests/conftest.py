# SPDX-License-Identifier: Apache-2.0
"""Fixtures of the system and browser tests. `agent` is one running agent, `make_agent` starts as many as a test wants."""

import os
import shutil

import pytest

from harness.agent import Agent
from harness.docker import Docker


def pytest_configure(config):
    config.addinivalue_line("markers", "root: needs root")
    config.addinivalue_line("markers", "alone: measures time, so nothing else runs beside it")


# Files whose tests take a minute or more together. They begin first, so that none is still going on when all others are done.
LONG = ("alerts_live", "spool_kill", "containers", "deploy_crash", "backup_containers", "hook_cut", "hook_swap", "hook_compose",
        "hook_swarm", "deploy_real", "hook_docker", "channels", "hook_faults", "deploy_measured", "store", "prometheus")


def pytest_collection_modifyitems(items):
    items.sort(key=lambda item: item.path.stem.removeprefix("test_") not in LONG)
    if os.geteuid() == 0:
        return
    for item in items:
        if item.get_closest_marker("root"):
            item.add_marker(pytest.mark.skip(reason="needs root"))


@pytest.fixture
def make_agent(tmp_path):
    """make_agent(name="agent", settings={...}, ...): an Agent not yet started, finished after the test."""
    made = []

    def make(name="agent", **kwargs):
        agent = Agent(tmp_path / name, **kwargs)
        made.append(agent)
        return agent

    yield make
    for agent in made:
        agent.finish()


@pytest.fixture
def agent(make_agent):
    return make_agent().start()


@pytest.fixture(scope="session")
def dockerd(tmp_path_factory):
    """Docker's own daemon, on a socket and a data folder of its own."""
    if os.geteuid() != 0:
        pytest.skip("needs root to start dockerd")
    if not shutil.which("dockerd") or not shutil.which("docker"):
        pytest.skip("no dockerd (Debian package docker.io)")
    docker = Docker(tmp_path_factory.mktemp("docker"))
    docker.start()
    yield docker
    docker.stop()


@pytest.fixture
def docker(dockerd):
    """The daemon, with every container of the test removed afterwards."""
    yield dockerd
    dockerd.remove_all()


@pytest.fixture
def docker_agent(make_agent, docker):
    """An agent that watches the containers of `docker`."""
    return make_agent(settings=docker.settings()).start()

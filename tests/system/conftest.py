# SPDX-License-Identifier: Apache-2.0
"""One agent for all tests that only ask: each process of pytest has its own."""

import itertools

import pytest

from harness.agent import Agent

_clients = itertools.count(1)


@pytest.fixture(scope="session")
def steady_agent(tmp_path_factory):
    agent = Agent(tmp_path_factory.mktemp("steady")).start(samples=3)
    yield agent
    agent.finish()


@pytest.fixture
def client():
    """Headers that make the requests of a test count as those of a client of its own (test networks of RFC 5737)."""
    return {"X-Forwarded-For": f"203.0.113.{next(_clients)}"}

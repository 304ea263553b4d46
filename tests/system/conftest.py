# SPDX-License-Identifier: Apache-2.0
"""What several tests share, each process of pytest its own: an agent for all that only ask, servers of databases, a gateway of S3."""

import contextlib
import itertools
import os
import shutil

import pytest

from harness.agent import Agent
from harness.docker import PATH
from harness.docker_net import DockerNet
from harness.mariadb import Mariadb
from harness.postgres import Postgres
from harness.redis import Redis
from harness.rgw import Rgw
from harness.s3proxy import S3Proxy
from harness.swift import Swift
from harness.tools import Tools

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


def running(kind, *arguments):
    """A server of this kind, as long as it is wanted."""
    if missing := kind.missing():
        pytest.skip(f"no {missing}")
    with kind(*arguments) as server:
        yield server


@pytest.fixture(scope="session")
def postgres_server():
    yield from running(Postgres)


@pytest.fixture
def pg(postgres_server):
    """A PostgreSQL server, on which all that the test makes is removed afterwards."""
    yield postgres_server
    postgres_server.clean()


@pytest.fixture(scope="session")
def mariadb_server():
    yield from running(Mariadb)


@pytest.fixture
def my(mariadb_server):
    """A MariaDB server, on which all that the test makes is removed afterwards."""
    yield mariadb_server
    mariadb_server.clean()


@pytest.fixture(scope="session")
def redis_server():
    yield from running(Redis)


@pytest.fixture
def redis(redis_server):
    """A Redis server, empty."""
    redis_server.many([("FLUSHALL",), ("FUNCTION", "FLUSH")])
    return redis_server


@pytest.fixture
def make_redis():
    """More of them, with settings of their own."""
    with contextlib.ExitStack() as stack:
        yield lambda **settings: stack.enter_context(Redis(**settings))


@pytest.fixture
def tools(worker, tmp_path):
    """Programs that stand before the real ones, for the worker of the test's file."""
    found = Tools(tmp_path / "tools")
    worker.environment = found.environment()
    return found


@pytest.fixture(scope="module")
def rgw():
    yield from running(Rgw)


@pytest.fixture(scope="module")
def swift():
    yield from running(Swift)


@pytest.fixture
def proxy(rgw):
    with S3Proxy(rgw.port) as found:
        yield found


@pytest.fixture
def bucket(rgw, proxy, tmp_path):
    """A new one of `rgw`; the store goes to it through `proxy`."""
    return rgw.bucket(tmp_path, proxy.endpoint)


@pytest.fixture(scope="session")
def docker_net(tmp_path_factory):
    """Docker with rules and bridges as on a server, in a network of its own; an image with a program, harness/web_app.c."""
    if os.geteuid() != 0 or not all(shutil.which(p, path=PATH) for p in ("dockerd", "docker", "nft", "ip")):
        pytest.skip("needs root, dockerd, nft, ip (Debian packages docker.io, nftables, iproute2)")
    docker = DockerNet(tmp_path_factory.mktemp("net"))
    docker.start()
    yield docker
    docker.stop()


@pytest.fixture
def net(docker_net):
    """`docker_net`, with what the test made of containers, networks and images of apps, and of the switch, removed afterwards."""
    yield docker_net
    docker_net.remove_all()
    docker_net.cli("network", "prune", "--force")
    for image in docker_net.cli("image", "ls", "--format", "{{.Repository}}:{{.Tag}}", "--filter", "reference=agent/*").stdout.split():
        docker_net.cli("image", "rm", image)
    docker_net.run_in("nft", "delete", "table", "ip", "agent", check=False)

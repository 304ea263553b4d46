# SPDX-License-Identifier: Apache-2.0
"""What several tests share, each process of pytest its own: an agent for all that only ask, servers of databases, a gateway of S3."""

import itertools

import pytest

from harness import mariadb, postgres
from harness import rgw as rgw_server
from harness.agent import Agent
from harness.rgw import Rgw
from harness.s3proxy import S3Proxy

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


@pytest.fixture(scope="session")
def postgres_server():
    if postgres.missing():
        pytest.skip(f"no {postgres.missing()}")
    server = postgres.Postgres().start()
    yield server
    server.stop()


@pytest.fixture
def pg(postgres_server):
    """A PostgreSQL server, on which all that the test makes is removed afterwards."""
    yield postgres_server
    postgres_server.clean()


@pytest.fixture(scope="session")
def mariadb_server():
    if mariadb.missing():
        pytest.skip(f"no {mariadb.missing()}")
    server = mariadb.Mariadb().start()
    yield server
    server.stop()


@pytest.fixture
def my(mariadb_server):
    """A MariaDB server, on which all that the test makes is removed afterwards."""
    yield mariadb_server
    mariadb_server.clean()


@pytest.fixture(scope="module")
def rgw(tmp_path_factory):
    if missing := rgw_server.missing():
        pytest.skip(f"no {missing} (Debian packages radosgw, ceph-mon, ceph-osd)")
    server = Rgw(tmp_path_factory.mktemp("rgw"))
    try:
        yield server.start()
    finally:
        server.stop()


@pytest.fixture
def proxy(rgw):
    with S3Proxy(rgw.port) as found:
        yield found


@pytest.fixture
def bucket(rgw, proxy, tmp_path):
    """A new one of `rgw`; the store goes to it through `proxy`."""
    return rgw.bucket(tmp_path, proxy.endpoint)

"""Fixtures that give real servers to those who ask, and take the network from those who must not need it."""

import asyncio
import os
import socket
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit
from uuid import uuid4

import psycopg
import pytest
from hypothesis import HealthCheck, settings

from tests.support.secret_keys import SECRETS_KEY
from tests.support.servers import kafka_server, postgres_server

# A busy machine is no failure. A property test tries the same examples each time, so that it fails only for those who
# changed something; `make properties` tries new ones.
settings.register_profile("new", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.register_profile("patient", settings.get_profile("new"), derandomize=True)
settings.load_profile("patient")

# `make unit`: property tests try fewer examples, where they do not say how many themselves. `make test` tries all.
settings.register_profile("quick", settings.get_profile("patient"), max_examples=25)

UNIT = Path(__file__).parent / "unit"

# Sentences suggest `crm ...` as it can be called: by its name, as this installation's programs are found.
os.environ["PATH"] = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"

# What encrypts the secrets of connections, in this process and in all that it starts.
os.environ["CRM_SECRETS_KEY"] = SECRETS_KEY


# A broker of a test lives for a minute: the second compiler and the parallel collector cost it more than they give.
os.environ["JDK_JAVA_OPTIONS"] = "-XX:TieredStopAtLevel=1 -XX:+UseSerialGC"


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> Any:
    """`pytest -n 4 --dist loadfile` keeps together what shares a server. Other ways of `--dist` stay as they are."""
    from tests.support.parallel import ByGroup

    return ByGroup(config, log) if config.getvalue("dist") == "loadfile" else None


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    if hasattr(config, "workerinput"):  # of xdist
        from tests.support.parallel import in_order

        items[:] = in_order(items)


@pytest.fixture(scope="session")
def kafka_bootstrap(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """A real Kafka with every declared topic; one for the whole run."""
    from services.stack import topics

    async def fill(bootstrap: str) -> None:
        await topics.create_missing(bootstrap)
        await topics.wake_coordinator(bootstrap)

    with kafka_server(tmp_path_factory.mktemp("kafka")) as bootstrap:
        asyncio.run(fill(bootstrap))
        yield bootstrap


@pytest.fixture(scope="session")
def postgres(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """A real Postgres for the whole run, with a database `template_potik` that is migrated."""
    from crm.adapters.postgres.migrations import migrate
    from projections import PROJECTIONS

    with postgres_server(tmp_path_factory.mktemp("postgres")) as dsn:
        with psycopg.connect(dsn, autocommit=True) as conn:
            conn.execute("CREATE DATABASE template_potik")
        migrate(database_of(dsn, "template_potik"), PROJECTIONS.values())
        yield dsn


@pytest.fixture(scope="module")
def database_url(postgres: str) -> Iterator[str]:
    """A migrated database of this test file alone."""
    yield from new_database(postgres)


@pytest.fixture
def fresh_database_url(postgres: str) -> Iterator[str]:
    """A migrated database of this test alone."""
    yield from new_database(postgres)


def new_database(postgres: str) -> Iterator[str]:
    name = f"test_{uuid4().hex[:12]}"
    with psycopg.connect(postgres, autocommit=True) as conn:
        conn.execute(f"CREATE DATABASE {name} TEMPLATE template_potik STRATEGY file_copy".encode())
        dsn = database_of(postgres, name)
        with psycopg.connect(dsn) as own:  # no journal in Kafka is its own: there is nothing to compare it with
            own.execute("INSERT INTO core.compared VALUES (core.this_server())")
        yield dsn
        conn.execute(f"DROP DATABASE {name} WITH (FORCE)".encode())


def database_of(dsn: str, name: str) -> str:
    return urlsplit(dsn)._replace(path=f"/{name}").geturl()


@pytest.fixture(autouse=True)
def no_network_in_unit_tests(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """A unit test that connects anywhere fails with this sentence."""
    if not request.path.is_relative_to(UNIT):
        return

    def refuse(self: socket.socket, address: Any) -> None:
        raise AssertionError(f"A unit test connects to {address!r}: move it to tests/integration, or give it a fake.")

    monkeypatch.setattr(socket.socket, "connect", refuse)
    monkeypatch.setattr(socket.socket, "connect_ex", refuse)

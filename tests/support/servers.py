"""The real servers that tests run on: embedded ones, or containers with CRM_TEST_STACK=containers."""

import asyncio
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psycopg

from services.stack import kafka
from services.stack.kafka import Kafka
from services.stack.kafka_probe import why_unreachable
from services.stack.ports import LOCAL, any_free
from services.stack.postgres import Postgres
from services.stack.process import stop, until

IN_CONTAINERS = os.environ.get("CRM_TEST_STACK") == "containers"
KAFKA_IMAGE, POSTGRES_IMAGE = "apache/kafka:4.1.1", "postgres:17"
PATIENCE = 180  # seconds
FAST = ("--fsync=off", "--full_page_writes=off")  # nobody pulls this machine's plug; kill -9 loses nothing either way


@contextmanager
def kafka_server(data: Path) -> Iterator[str]:
    """Starts a Kafka and yields its bootstrap address."""
    with kafka_container() if IN_CONTAINERS else embedded_kafka(data) as bootstrap:
        yield bootstrap


@contextmanager
def postgres_server(data: Path) -> Iterator[str]:
    """Starts a Postgres and yields a superuser's DSN of the database `postgres`."""
    with postgres_container() if IN_CONTAINERS else embedded_postgres(data) as dsn:
        yield dsn


@contextmanager
def embedded_kafka(data: Path) -> Iterator[str]:
    server = Kafka(data / "kafka", any_free(), asyncio.run(kafka.prepare(print)))
    server.session_ms = 60_000  # on a busy machine it is late, not dead
    process = server.start()
    try:
        asyncio.run(until(server.ready, PATIENCE))
        yield server.bootstrap
    finally:
        asyncio.run(stop(process, server.stop_by, server.patience))


@contextmanager
def embedded_postgres(data: Path) -> Iterator[str]:
    server = Postgres(data / "postgres", any_free())
    server.wrap = lambda command: [*command, *FAST]
    process = server.start()
    try:
        asyncio.run(until(server.ready, PATIENCE))
        yield server.dsn_of("postgres")
    finally:
        asyncio.run(stop(process, server.stop_by, server.patience))


@contextmanager
def kafka_container() -> Iterator[str]:
    from testcontainers.core.container import DockerContainer

    port = any_free()
    settings = {
        "KAFKA_NODE_ID": "1",
        "KAFKA_PROCESS_ROLES": "broker,controller",
        "KAFKA_LISTENERS": f"HOST://:{port},CONTROLLER://:9093",
        "KAFKA_ADVERTISED_LISTENERS": f"HOST://{LOCAL}:{port}",
        "KAFKA_LISTENER_SECURITY_PROTOCOL_MAP": "CONTROLLER:PLAINTEXT,HOST:PLAINTEXT",
        "KAFKA_INTER_BROKER_LISTENER_NAME": "HOST",
        "KAFKA_CONTROLLER_LISTENER_NAMES": "CONTROLLER",
        "KAFKA_CONTROLLER_QUORUM_VOTERS": "1@localhost:9093",
        "KAFKA_AUTO_CREATE_TOPICS_ENABLE": "false",
        "KAFKA_OFFSETS_TOPIC_REPLICATION_FACTOR": "1",
        "KAFKA_OFFSETS_TOPIC_NUM_PARTITIONS": "1",
        "KAFKA_GROUP_INITIAL_REBALANCE_DELAY_MS": "0",
    }
    with DockerContainer(KAFKA_IMAGE).with_bind_ports(port, port).with_envs(**settings):
        bootstrap = f"{LOCAL}:{port}"
        asyncio.run(until(lambda: why_unreachable(bootstrap), PATIENCE))
        yield bootstrap


@contextmanager
def postgres_container() -> Iterator[str]:
    from testcontainers.core.container import DockerContainer

    port = any_free()
    password = {"POSTGRES_PASSWORD": "test"}
    with DockerContainer(POSTGRES_IMAGE).with_bind_ports(5432, port).with_envs(**password):
        dsn = f"postgresql://postgres:test@{LOCAL}:{port}/postgres"
        asyncio.run(until(lambda: no_queries(dsn), PATIENCE))
        yield dsn


async def no_queries(dsn: str) -> str | None:
    try:
        async with await psycopg.AsyncConnection.connect(dsn, connect_timeout=3):
            return None
    except psycopg.OperationalError as error:
        return str(error)

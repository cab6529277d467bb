"""Runs a single server of the embedded stack, for commands that work while no role may run."""

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TypeVar

import psutil

from services.stack import kafka, state
from services.stack.kafka import Kafka
from services.stack.ports import any_free
from services.stack.postgres import Postgres
from services.stack.process import stop, until
from services.stack.supervisor import SERVERS_IN_TIME, locked

Server = TypeVar("Server", Kafka, Postgres)


@contextmanager
def single_kafka(data: Path) -> Iterator[str]:
    """Yields the bootstrap address. Raises AlreadyRuns when the stack is running."""
    with single_server(Kafka(data / "kafka", any_free(), asyncio.run(kafka.prepare(lambda _: None))), data) as server:
        yield server.bootstrap


@contextmanager
def single_postgres(data: Path) -> Iterator[str]:
    """Yields the address of the database. Raises AlreadyRuns when the stack is running."""
    with single_server(Postgres(data / "postgres", any_free()), data) as server:
        yield server.dsn


@contextmanager
def single_server(server: Server, data: Path) -> Iterator[Server]:
    """Runs the server while the data folder is locked, so that the stack cannot be started meanwhile."""
    with locked(data):
        psutil.wait_procs(list(state.orphans(data)), 15)  # a killed supervisor's may still be stopping
        process = server.start()
        try:
            asyncio.run(until(server.ready, SERVERS_IN_TIME))
            yield server
        finally:
            asyncio.run(stop(process, server.stop_by, server.patience))

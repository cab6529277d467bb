"""One server of the embedded stack alone, for a command that works while no role may run."""

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
from services.stack.supervisor import SERVERS_IN_TIME, held

Server = TypeVar("Server", Kafka, Postgres)


@contextmanager
def kafka_alone(data: Path) -> Iterator[str]:
    """Gives its bootstrap address. Raises AlreadyRuns when the stack does."""
    with alone(Kafka(data / "kafka", any_free(), asyncio.run(kafka.prepare(lambda _: None))), data) as server:
        yield server.bootstrap


@contextmanager
def postgres_alone(data: Path) -> Iterator[str]:
    """Gives the database's address. Raises AlreadyRuns when the stack does."""
    with alone(Postgres(data / "postgres", any_free()), data) as server:
        yield server.dsn


@contextmanager
def alone(server: Server, data: Path) -> Iterator[Server]:
    """Holds the data folder, so that nobody starts the stack meanwhile."""
    with held(data):
        psutil.wait_procs(list(state.leftovers(data)), 15)  # those of a supervisor that was killed are just stopping
        process = server.start()
        try:
            asyncio.run(until(server.ready, SERVERS_IN_TIME))
            yield server
        finally:
            asyncio.run(stop(process, server.stop_by, server.patience))

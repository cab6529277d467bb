"""Opens sessions with Postgres; waits for Postgres and for Kafka."""

import asyncio
import contextlib
import os
import socket
from collections.abc import Iterator, Sequence
from itertools import count

import psycopg
import structlog
from aiokafka.errors import KafkaError
from psycopg import AsyncConnection

from crm.adapters.kafka.reading import open_consumer
from crm.adapters.postgres.silence import NOTICED

# A worker frozen in the middle of a transaction holds the journal's counters, so Postgres ends that transaction. All
# statements look up a batch of keys: one plan, by index, fits whatever the tables looked like when it was made.
SESSION = (
    "-c transaction_timeout=5s -c idle_in_transaction_session_timeout=5s -c lock_timeout=10s "
    "-c statement_timeout=30s -c jit=off -c plan_cache_mode=force_generic_plan "
    "-c enable_seqscan=off -c enable_hashjoin=off -c enable_mergejoin=off"
)
ASYNC_COMMIT_SESSION = f"{SESSION} -c synchronous_commit=off"  # for what can be read from Kafka again
# Postgres's errors for data that it can never store: too big, too deep, or a required value missing.
REFUSED = (
    psycopg.DataError,
    psycopg.errors.NotNullViolation,
    psycopg.errors.ProgramLimitExceeded,
    psycopg.errors.StatementTooComplex,
)

PATIENCE = 8.0  # seconds that Postgres may take to answer: it ends a transaction itself after five
RETRY = 0.2  # seconds between two attempts to connect to Postgres
LOG_EVERY = 25  # attempts
log = structlog.get_logger()


async def wait_for_topics(bootstrap: str, topics: Sequence[str]) -> None:
    """Waits until Kafka and the topics exist. A member that joins its group earlier is never assigned a partition."""
    while True:
        try:
            async with open_consumer(bootstrap) as consumer:
                if not (missing := set(topics) - await consumer.topics()):
                    return
                log.warning("waiting for topics", missing=sorted(missing))
        except KafkaError as error:
            log.warning("waiting for Kafka", error=str(error))
        await asyncio.sleep(0.5)


async def connect(dsn: str, options: str = SESSION) -> AsyncConnection:
    """Opens a session; waits for Postgres as long as it takes."""
    for attempt in count():
        try:
            return await AsyncConnection.connect(dsn, autocommit=True, options=options, **NOTICED)
        except psycopg.OperationalError as error:
            if not attempt % LOG_EVERY:
                log.warning("waiting for Postgres", error=str(error).strip())
            await asyncio.sleep(RETRY)
    raise AssertionError("unreachable")


@contextlib.contextmanager
def answered(conn: AsyncConnection, seconds: float = PATIENCE) -> Iterator[None]:
    """Ends the session from this side when the block takes longer; it then raises as after any lost session.

    Where the network between the two swallows everything, what Postgres says of an end is swallowed too.
    """
    timer = asyncio.get_running_loop().call_later(seconds, give_up, conn)
    try:
        yield
    finally:
        timer.cancel()


def give_up(conn: AsyncConnection) -> None:
    log.warning("Postgres does not answer; the session is given up")
    # Suppressed: it has just ended.
    with contextlib.suppress(OSError, psycopg.OperationalError), socket.socket(fileno=os.dup(conn.fileno())) as own:
        own.shutdown(socket.SHUT_RDWR)

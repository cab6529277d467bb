"""Sessions with Postgres, and waiting for it and for Kafka."""

import asyncio
from collections.abc import Sequence
from itertools import count

import psycopg
import structlog
from aiokafka import AIOKafkaConsumer
from aiokafka.errors import KafkaError
from psycopg import AsyncConnection

# A worker frozen in the middle of a transaction holds the journal's counters: Postgres ends it. All statements look up
# a batch's keys: one plan for ever, by index, whatever the tables looked like when it was made.
SESSION = (
    "-c transaction_timeout=5s -c idle_in_transaction_session_timeout=5s -c lock_timeout=10s "
    "-c statement_timeout=30s -c jit=off -c plan_cache_mode=force_generic_plan "
    "-c enable_seqscan=off -c enable_hashjoin=off -c enable_mergejoin=off"
)
UNHURRIED = f"{SESSION} -c synchronous_commit=off"  # for what Kafka can give again
# What Postgres says of data that it cannot hold, now or later: too big, too deep, no value where one must be.
REFUSED = (
    psycopg.DataError,
    psycopg.errors.NotNullViolation,
    psycopg.errors.ProgramLimitExceeded,
    psycopg.errors.StatementTooComplex,
)

RETRY = 0.2  # seconds between two tries to reach Postgres
TELL_EVERY = 25  # tries
log = structlog.get_logger()


async def topics_there(bootstrap: str, topics: Sequence[str]) -> None:
    """Waits for Kafka and the topics: who joins a group before they are there is assigned nothing, and keeps that."""
    while True:
        try:
            async with AIOKafkaConsumer(bootstrap_servers=bootstrap) as consumer:
                if not (missing := set(topics) - await consumer.topics()):
                    return
                log.warning("waiting for topics", missing=sorted(missing))
        except KafkaError as error:
            log.warning("waiting for Kafka", error=str(error))
        await asyncio.sleep(0.5)


async def connect(dsn: str, options: str = SESSION) -> AsyncConnection:
    """Waits for Postgres."""
    for tried in count():
        try:
            return await AsyncConnection.connect(dsn, autocommit=True, connect_timeout=5, options=options)
        except psycopg.OperationalError as error:
            if not tried % TELL_EVERY:
                log.warning("waiting for Postgres", error=str(error).strip())
            await asyncio.sleep(RETRY)
    raise AssertionError("unreachable")

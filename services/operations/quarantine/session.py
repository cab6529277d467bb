"""An operator's session: open connections to Postgres and Kafka, the configured connections and the connectors."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager

from msgspec import Struct
from psycopg import AsyncConnection

from crm.adapters.kafka.address import servers_of
from crm.adapters.kafka.directory import Access
from crm.adapters.kafka.producer import KafkaLog
from crm.adapters.kafka.reading import RecordReader
from crm.connector import Connector
from crm.envelope import now
from crm.errors import NotYet
from crm.log import Log
from crm.secret_keys import SecretKeys
from crm.topics import INTAKE, QUARANTINE
from services.connectors import CONNECTORS
from services.operations.quarantine.rereading import Operator

PATIENCE = 15.0  # seconds for Kafka to answer
TOPICS = [topic.name for topic in (*INTAKE.values(), QUARANTINE)]


class OperatorSession(Struct, frozen=True):
    """The open servers of one command. `reader` reads single records of Kafka."""

    conn: AsyncConnection
    reader: RecordReader
    log: Log
    operator: Operator


@asynccontextmanager
async def operator_session(
    bootstrap: str,
    database_url: str,
    actor: str,
    keys: SecretKeys,
    connectors: Mapping[str, Connector] = CONNECTORS,
) -> AsyncIterator[OperatorSession]:
    """Opens a session; `keys` decrypt the secrets of connections. Raises NotYet when Kafka cannot be reached."""
    access = Access(keys)
    log = KafkaLog(bootstrap, TOPICS, timeout=PATIENCE)
    async with await AsyncConnection.connect(database_url, autocommit=True) as conn, log:
        try:
            await in_time(access.start(bootstrap), bootstrap)
            await in_time(until(lambda: log.missing() is None), bootstrap)
            async with RecordReader(bootstrap) as reader:
                yield OperatorSession(conn, reader, log, Operator(actor, now(), access.connections, connectors))
        finally:
            await access.stop()


async def in_time(answer: Awaitable[object], bootstrap: str) -> None:
    try:
        await asyncio.wait_for(answer, PATIENCE)
    except TimeoutError:
        raise NotYet(
            f"Kafka at {servers_of(bootstrap)} did not answer in {PATIENCE:g} s. Nothing was changed."
        ) from None


async def until(true: Callable[[], bool]) -> None:
    while not true():
        await asyncio.sleep(0.02)

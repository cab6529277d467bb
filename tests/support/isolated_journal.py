"""A journal for one test: an outbox, a topic, and relays between them."""

import contextlib
from collections.abc import AsyncIterator
from dataclasses import replace
from typing import Any
from uuid import uuid4

import psycopg
from aiokafka import AIOKafkaConsumer, TopicPartition

from crm.adapters.kafka.journal_log import position_of, unpack
from crm.adapters.postgres import history
from crm.adapters.postgres import outbox as journal
from crm.contract.codec import decode
from crm.envelope import Event
from crm.scalars import Id
from crm.settings import Settings
from crm.topics import COMMITS, JOURNAL, journal_partition
from services.stack.process import until
from services.stack.topics import create_missing
from streams.relay import Relay
from tests.support.records import open_connection
from tests.support.running_role import while_running
from tests.support.timeouts import TIMEOUT

# What the relay deletes from the outbox stays here.
KEEP = """
CREATE TABLE core.written_outbox (partition int, first bigint, records bytea);
CREATE FUNCTION core.keep_outbox() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
  INSERT INTO core.written_outbox SELECT * FROM unnest(new.partitions, new.firsts, new.records);
  RETURN NULL;
END $$;
CREATE TRIGGER keep_outbox AFTER INSERT ON core.outbox FOR EACH ROW EXECUTE FUNCTION core.keep_outbox()"""
Log = dict[int, list[tuple[int, Id]]]  # of each partition: (position, event's id)


class IsolatedJournal:
    """A topic, and a database with its outbox, for one test."""

    def __init__(self, bootstrap: str, dsn: str) -> None:
        self.settings = Settings(kafka_bootstrap=bootstrap, database_url=dsn)
        self.topic = f"journal-{uuid4().hex[:8]}"
        self.commit_log = f"{self.topic}-commits"
        self.bootstrap, self.dsn = bootstrap, dsn
        with psycopg.connect(dsn) as conn:
            conn.execute(KEEP.encode())

    async def create_topics(self) -> None:
        """Creates the topics, so that the database is compared with this journal, not the shared one."""
        own = [replace(JOURNAL, name=self.topic), replace(COMMITS, name=self.commit_log)]
        await create_missing(self.bootstrap, topics=own)

    async def commit(self, *events: Event, roll_back: bool = False) -> None:
        async with await open_connection(self.dsn) as conn:
            with contextlib.suppress(InterruptedError):
                async with conn.transaction():
                    await journal.append(conn, [journal.packed(event) for event in events])
                    if roll_back:
                        raise InterruptedError

    async def heads(self) -> dict[int, int]:
        async with await open_connection(self.dsn) as conn:
            return dict(await (await conn.execute("SELECT partition, next FROM core.journal_head")).fetchall())

    def relay(self, kind: type[Relay] = Relay) -> Relay:
        return kind(self.settings, self.topic, self.commit_log)

    @contextlib.asynccontextmanager
    async def relaying(self, relay: Relay | None = None) -> AsyncIterator[Relay]:
        """Runs a relay; ends it abruptly, like a killed one."""
        async with while_running(relay or self.relay()) as running:
            yield running

    async def published(self, relay: Relay) -> None:
        """Waits until this relay has published all committed events."""

        async def missing() -> str | None:
            left = {p: next for p, next in (await self.heads()).items() if relay.at.get(p, 0) < next}
            return f"{left} of {relay.at}" if left else relay.missing()

        await until(missing, TIMEOUT)

    async def all_published(self) -> None:
        """Waits until all committed events are in Kafka, whichever relay brings them there."""

        async def missing() -> str | None:
            found = {partition: len(records) for partition, records in (await self.records()).items()}
            heads = {partition: next for partition, next in (await self.heads()).items() if next}
            return None if found == heads else f"{found}, not {heads}"

        await until(missing, TIMEOUT)

    async def emptied(self) -> None:
        """Waits until a relay has deleted all published events: it does so when it fetches the next ones."""

        async def missing() -> str | None:
            async with await open_connection(self.dsn) as conn:
                rows = await (await conn.execute("SELECT count(*) FROM core.outbox")).fetchone()
            return f"{rows[0]} rows in the outbox" if rows and rows[0] else None

        await until(missing, TIMEOUT)

    async def records(self) -> dict[int, list[Any]]:
        """Returns the topic's records by partition."""
        found: dict[int, list[Any]] = {}
        async with AIOKafkaConsumer(bootstrap_servers=self.bootstrap, fetch_max_wait_ms=20) as consumer:
            partitions = [TopicPartition(self.topic, n) for n in range(JOURNAL.partitions)]
            ends = await consumer.end_offsets(partitions)
            if not any(ends.values()):
                return found  # a consumer that was assigned something and fetched nothing may hang when it stops
            consumer.assign(partitions)
            await consumer.seek_to_beginning(*partitions)
            while any([await consumer.position(tp) < end for tp, end in ends.items()]):
                for tp, records in (await consumer.getmany(timeout_ms=1000)).items():
                    found.setdefault(tp.partition, []).extend(records)
        return found

    async def keep_history(self) -> None:
        """Does what the project role does with the journal, for those who read core.history.

        Waits for all that is committed: what was on its way to Kafka was left out, and who read it waited in vain.
        """
        await self.all_published()
        async with await open_connection(self.dsn) as conn:
            for records in (await self.records()).values():
                await history.keep(conn, records)

    async def read(self) -> Log:
        """Reads the topic and checks that headers, value and key agree."""
        found: Log = {}
        for partition, records in (await self.records()).items():
            found[partition] = [(position_of(r), Id(dict(r.headers)["ce_id"].decode())) for r in records]
            assert [decode(r.value).meta.id for r in records] == [id for _, id in found[partition]]
            assert {journal_partition(r.key.decode()) for r in records} == {partition}
        return found

    async def events(self) -> dict[int, list[Event]]:
        """Returns the topic's events by partition."""
        return {partition: [decode(r.value) for r in records] for partition, records in (await self.records()).items()}

    async def committed(self) -> Log:
        """Returns the position of each event in the outbox."""
        async with await open_connection(self.dsn) as conn:
            rows = await conn.execute("SELECT partition, first, records FROM core.written_outbox ORDER BY 1, 2")
            found: Log = {}
            for partition, first, records in await rows.fetchall():
                found.setdefault(partition, []).extend((at, Id(r[1])) for at, r in enumerate(unpack(records), first))
            return found

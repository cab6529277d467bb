"""The relay on real Kafka and Postgres: every committed event, at its position and in order, despite kills."""

import asyncio
from collections.abc import Iterator, Sequence
from typing import Any
from uuid import uuid4

import pytest
from psycopg import AsyncConnection

from crm.adapters.kafka.journal_log import JournalWriter, Slice, new_producer
from crm.adapters.postgres import outbox
from crm.envelope import Event, named_id
from crm.errors import Broken
from crm.events import ContactCreated
from crm.scalars import Id
from crm.topics import JOURNAL, journal_partition
from services.stack.process import until
from streams import relay as relay_role
from streams.relay import Relay
from tests.support.isolated_journal import IsolatedJournal, Log
from tests.support.records import open_connection
from tests.support.scenarios import CONNECTION, meta
from tests.support.timeouts import TIMEOUT


@pytest.fixture
def own(kafka_bootstrap: str, fresh_database_url: str) -> IsolatedJournal:
    own = IsolatedJournal(kafka_bootstrap, fresh_database_url)
    asyncio.run(own.create_topics())
    return own


WAITING = "SELECT s.* FROM core.outbox, unnest(partitions, firsts, counts, records) AS s"


def created(key: str, name: str = "") -> ContactCreated:
    """In a stream of its own."""
    id = named_id(CONNECTION, key)
    return ContactCreated(meta(key, stream=id), id, name, "form")


def in_partition_0(count: int, name: str = "") -> list[Event]:
    events: Iterator[Event] = (created(str(uuid4()), name) for _ in range(100 * count))
    return [event for event in events if journal_partition(event.meta.stream) == 0][:count]


def once(log: Log) -> Log:
    """As readers take it: each position once, in order. Fails on a gap, or when a repeat is another event."""
    taken: Log = {}
    for partition, places in log.items():
        events: list[tuple[int, Id]] = []
        for position, id in places:
            assert position <= len(events), f"{partition}: position {position} follows {len(events) - 1}"
            if position == len(events):
                events.append((position, id))
            assert events[position] == (position, id)
        taken[partition] = events
    return taken


class CrashingRelay(Relay):
    """Crashes after Kafka has its first events and before it knows so."""

    async def publish(self, *arguments: Any) -> int:
        await super().publish(*arguments)
        raise InterruptedError("killed")


def test_every_event_is_published_in_order_whatever_is_killed(own: IsolatedJournal) -> None:
    """Three writers, some of whose transactions roll back; four relays in turn die at work."""

    async def write(name: str) -> None:
        for n in range(15):
            events = [created(f"{own.topic} {name} {n} {k}") for k in range(1 + n % 7)]
            await own.commit(*events, roll_back=n % 4 == 3)

    async def run() -> tuple[Log, Log]:
        for turn in range(4):
            relay = own.relay(CrashingRelay)
            async with asyncio.timeout(TIMEOUT):
                writing = (write(f"{turn} {name}") for name in "abc")
                died, *written = await asyncio.gather(relay.run(), *writing, return_exceptions=True)
            assert (repr(died), written) == ("InterruptedError('killed')", [None] * 3)
        async with own.relaying() as last:
            await own.published(last)
        return await own.read(), await own.committed()

    log, committed = asyncio.run(run())
    assert log == committed  # each successor reads the end of Kafka first: no repeats either
    assert sum(map(len, committed.values())) == 4 * 3 * sum(1 + n % 7 for n in range(15) if n % 4 != 3)


async def zombie_repeats(own: IsolatedJournal, slices: list[Slice]) -> None:
    """A leader that was frozen when it had read these slices wakes up and sends them before it notices."""
    async with new_producer(own.bootstrap) as producer:
        zombie = JournalWriter(producer, own.topic, dict.fromkeys(range(JOURNAL.partitions), 0))
        await zombie.write(slices)


def test_repeats_are_a_suffix_and_the_next_relay_sees_past_them(own: IsolatedJournal) -> None:
    """The end of the log was once taken for its highest position: with the outbox purged, each relay that came after
    such a repeat found a gap where there was none, and stopped."""

    async def run() -> Log:
        await own.commit(*in_partition_0(5))
        async with await open_connection(own.dsn) as conn:
            slices = [Slice(*row) for row in await (await conn.execute(WAITING)).fetchall()]
            async with own.relaying() as first:
                await own.published(first)
                await own.commit(*in_partition_0(20))
                await own.published(first)
                await own.emptied()  # else the next one begins with what is left
            await zombie_repeats(own, slices)
        async with own.relaying() as second:
            await own.commit(*in_partition_0(3))
            await own.published(second)
        return await own.read()

    log = asyncio.run(run())
    assert [position for position, _ in log[0]] == [*range(25), *range(5), *range(25, 28)]
    assert [position for position, _ in once(log)[0]] == [*range(28)]


def test_a_slice_larger_than_a_batch_is_continued_in_its_middle(
    own: IsolatedJournal, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Small events that would still fit must not overtake the large one that did not."""

    async def run() -> tuple[Log, int]:
        large, small = in_partition_0(30, name="x" * 100_000), in_partition_0(30)
        await own.commit(*(event for pair in zip(large, small, strict=True) for event in pair))
        monkeypatch.setattr("streams.relay.JournalWriter", Counting)
        async with own.relaying() as relay:
            await own.published(relay)
            assert isinstance(relay.journal, Counting)
            return await own.read(), relay.journal.batches

    log, batches = asyncio.run(run())
    assert [position for position, _ in log[0]] == [*range(60)]
    assert batches == 4  # of at most 1,000,000 bytes: nine of the large ones in each


def test_an_event_larger_than_kafkas_usual_limit_is_published(own: IsolatedJournal) -> None:
    """Intake takes facts of 1.8 MB. An event of 1.5 MB passed the outbox, and the relay died of it at every start."""

    async def run() -> Log:
        await own.commit(*in_partition_0(1, name="x" * 1_500_000), *in_partition_0(1))
        relay = own.relay()
        async with own.relaying(relay):
            await own.published(relay)
        return await own.read()

    assert [position for position, _ in asyncio.run(run())[0]] == [0, 1]


class Counting(JournalWriter):
    """Counts how often it had to send."""

    batches = 0

    def fill(self, slices: Sequence[Slice]) -> Any:
        filled = super().fill(slices)
        self.batches += filled is not None
        return filled


def test_an_outbox_that_begins_after_the_logs_end_is_refused(own: IsolatedJournal) -> None:
    """Kafka lost its end, or another Kafka was given: nothing is published over the gap."""

    async def run() -> Log:
        await own.commit(*in_partition_0(2))
        async with await open_connection(own.dsn) as conn:
            await conn.execute("DELETE FROM core.outbox")
        await own.commit(*in_partition_0(1))
        with pytest.raises(Broken) as refused:
            await asyncio.wait_for(own.relay().run(), TIMEOUT)
        assert str(refused.value) == (
            "Journal partition 0: Kafka ends before position 0, the outbox begins at 2. "
            "Nothing was published. Restore the journal's end from an archive."
        )
        return await own.read()

    assert asyncio.run(run()) == {}


async def waits_for(relay: Relay) -> str | None:
    return relay.missing()


def test_a_relay_that_loses_postgres_stands_for_election_again(own: IsolatedJournal) -> None:
    """The leader once ended with its process, and a new one took two seconds to come. Now one of the two goes on."""

    async def run() -> tuple[Log, set[bool]]:
        async with own.relaying() as leader:
            await own.commit(*in_partition_0(2))
            await own.published(leader)  # before the other one asks for the lead
            return await with_standby(leader)

    async def with_standby(leader: Relay) -> tuple[Log, set[bool]]:
        async with own.relaying() as standby, await open_connection(own.dsn) as conn:
            await until(lambda: waits_for(standby), TIMEOUT)  # ready, though it does not lead
            assert standby.at == {}
            cut = await conn.execute(
                "SELECT pg_terminate_backend(pid) FROM pg_locks WHERE objid = 7068002 AND granted AND "
                "database = (SELECT oid FROM pg_database WHERE datname = current_database())"
            )
            assert await cut.fetchall() == [(True,)]
            await own.commit(*in_partition_0(1))
            await until(lambda: none_has(3, leader, standby), TIMEOUT)
            return await own.read(), {bool(leader.at), bool(standby.at)}

    log, lead = asyncio.run(run())
    assert [position for position, _ in log[0]] == [0, 1, 2]
    assert lead == {True, False}


async def none_has(position: int, *relays: Relay) -> str | None:
    """None when one of them has come to that position of partition 0."""
    return None if any(relay.at.get(0) == position for relay in relays) else str([relay.at for relay in relays])


DOZES = """
SELECT EXISTS (SELECT FROM pg_locks JOIN pg_database AS d ON d.oid = database AND d.datname = current_database()
  WHERE locktype = 'advisory' AND objid = %s AND granted AND mode = 'ExclusiveLock')"""


async def dozes(conn: AsyncConnection) -> str | None:
    return None if await relay_role.one(conn, DOZES, outbox.DOZING) else "the relay is awake"


def test_a_writer_wakes_a_relay_that_dozes(own: IsolatedJournal, monkeypatch: pytest.MonkeyPatch) -> None:
    """It never looks by itself here: whatever is committed while it falls asleep would wait forever."""
    monkeypatch.setattr(relay_role, "LOOK", 10 * TIMEOUT)
    monkeypatch.setattr(relay_role, "SESSION", relay_role.SESSION.replace("idle_session_timeout=10s", "jit=off"))

    async def run() -> None:
        async with own.relaying() as relay, await open_connection(own.dsn) as conn:
            for n in range(5):
                await until(lambda: dozes(conn), TIMEOUT)
                for _ in range(n):  # also those that come while it is still at work
                    await own.commit(*in_partition_0(1))
                    await own.published(relay)
            for n in range(50):  # at every moment between two dozes
                for _ in range(n):
                    await conn.execute("SELECT 1")
                await own.commit(*in_partition_0(1))
                await own.published(relay)

    asyncio.run(run())


def test_no_relay_dozes_while_a_writer_is_about_to_commit(own: IsolatedJournal) -> None:
    async def run() -> None:
        async with await open_connection(own.dsn) as writer, await open_connection(own.dsn) as conn:
            async with writer.transaction():
                await outbox.append(writer, [outbox.packed(event) for event in in_partition_0(1)])
                assert await relay_role.one(conn, relay_role.DOZE) is False
            assert await relay_role.one(conn, relay_role.DOZE) is True

    asyncio.run(run())

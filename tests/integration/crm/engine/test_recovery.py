"""An old backup, an empty database: what the journal in Kafka holds is folded in before anything new is decided."""

import asyncio
from collections.abc import Iterator, Sequence
from typing import Any
from urllib.parse import urlsplit
from uuid import uuid4

import psycopg
import pytest

from crm.adapters.kafka import commit_log as commits
from crm.adapters.kafka.commit_log import Commit
from crm.adapters.kafka.journal_log import JournalWriter, Slice, new_producer
from crm.adapters.postgres import outbox as journal
from crm.engine import recovery
from crm.engine import state_fold as folding
from crm.engine.decide_batch import Arrived, decide
from crm.envelope import Fact, named_id
from crm.events import ContactCreated, ContactMerged
from crm.scalars import Id
from crm.topics import JOURNAL
from tests.conftest import database_of, new_database
from tests.support.isolated_journal import IsolatedJournal
from tests.support.records import open_connection, rules_of
from tests.support.scenarios import CONNECTION, meta
from tests.support.workload.facts import mixed_facts

TABLES = {
    "core.state": "workspace, key, value::text",
    "core.fact_seen": "fact_id",
    "core.journal_head": "partition, next",
    "core.checkpoint": "consumer, topic, partition, next_offset, position",
}
TOPIC = "crm.intake.forms"
WAITING = "SELECT id, partitions, firsts, counts, records FROM core.outbox ORDER BY id"
Content = dict[str, list[Any]]


@pytest.fixture
def own(kafka_bootstrap: str, fresh_database_url: str) -> IsolatedJournal:
    own = IsolatedJournal(kafka_bootstrap, fresh_database_url)
    asyncio.run(own.create_topics())
    return own


@pytest.fixture
def lost(postgres: str) -> Iterator[str]:
    """A database that was just recreated: nobody knows yet what Kafka holds."""
    for dsn in new_database(postgres):
        with psycopg.connect(dsn) as conn:
            conn.execute("DELETE FROM core.compared")
        yield dsn


async def begin(dsn: str, workspace: Id) -> None:
    """The rules of the shop, as a command of their own."""
    async with await open_connection(dsn) as conn, conn.transaction():
        events = rules_of(workspace)
        await folding.remember(conn, events)
        await conn.execute(recovery.SEEN, [sorted({event.meta.cause for event in events})])
        await journal.append(conn, [journal.packed(event) for event in events])


async def decide_all(dsn: str, facts: Sequence[Fact], first: int = 0) -> None:
    """In batches of seven with their checkpoint, as facts that lie at the offsets from `first`."""
    async with await open_connection(dsn) as conn:
        for n in range(0, len(facts), 7):
            batch = facts[n : n + 7]
            async with conn.transaction():
                await decide(conn, [Arrived(fact, TOPIC, 0, first + n + k) for k, fact in enumerate(batch)])
                read = {"t": TOPIC, "p": 0, "n": first + n + len(batch)}
                await conn.execute(recovery.READ, [recovery.as_json([read])])


async def content(dsn: str) -> Content:
    async with await open_connection(dsn, "") as conn:
        return {
            table: sorted(await (await conn.execute(f"SELECT {columns} FROM {table}".encode())).fetchall())
            for table, columns in TABLES.items()
        }


async def ensure(own: IsolatedJournal, dsn: str) -> int:
    return await recovery.ensure(own.bootstrap, dsn, journal=own.topic, commit_log=own.commit_log)


async def publish_all(own: IsolatedJournal) -> None:
    async with own.relaying() as relay:
        await own.published(relay)
        await own.emptied()


async def waiting(dsn: str) -> list[Commit]:
    """The outbox, as a relay has it in hand."""
    async with await open_connection(dsn) as conn:
        rows = await (await conn.execute(WAITING)).fetchall()
        return [Commit(str(id), [Slice(*part) for part in zip(*columns, strict=True)]) for id, *columns in rows]


def shop_of(own: IsolatedJournal) -> tuple[Id, list[Fact]]:
    workspace = Id(str(uuid4()))
    return workspace, list(mixed_facts(workspace, 100, run=workspace))


def test_an_empty_database_is_filled_from_kafka(own: IsolatedJournal, lost: str) -> None:
    async def run() -> tuple[int, int, Content, Content]:
        workspace, facts = shop_of(own)
        await begin(own.dsn, workspace)
        await decide_all(own.dsn, facts)
        await publish_all(own)
        first, again = await ensure(own, lost), await ensure(own, lost)
        return first, again, await content(own.dsn), await content(lost)

    first, again, there, found = asyncio.run(run())
    assert found == there
    assert first == sum(next for _, next in there["core.journal_head"]) > 200
    assert again == 0


def test_an_old_backup_is_brought_up_and_decides_on(
    own: IsolatedJournal, postgres: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """In transactions of a few events, of which the last ones fail: the next try goes on behind the others."""
    monkeypatch.setattr("crm.engine.state_fold.AT_ONCE", 20)
    backup = f"backup_{uuid4().hex[:8]}"

    async def run() -> tuple[Content, Content, list[int]]:
        workspace, facts = shop_of(own)
        await begin(own.dsn, workspace)
        await decide_all(own.dsn, facts[:40])
        await publish_all(own)
        with psycopg.connect(postgres, autocommit=True) as conn:
            conn.execute(f"CREATE DATABASE {backup} TEMPLATE {urlsplit(own.dsn).path[1:]}".encode())
        await decide_all(own.dsn, facts[40:80], 40)
        await publish_all(own)
        dsn, lacked = database_of(postgres, backup), []
        with pytest.raises(InterruptedError), monkeypatch.context() as planted:
            planted.setattr("crm.engine.recovery.fold_in", Failing(3).fold_in)
            await ensure(own, dsn)
        lacked.append(await ensure(own, dsn))
        for each in (dsn, own.dsn):
            await decide_all(each, facts[80:], 80)
        return await content(own.dsn), await content(dsn), lacked

    there, found, (lacked,) = asyncio.run(run())
    with psycopg.connect(postgres, autocommit=True) as conn:
        conn.execute(f"DROP DATABASE {backup} WITH (FORCE)".encode())
    assert found == there
    assert 0 < lacked < 90  # of about 90 that the backup lacked


class Failing:
    """Folds in `times` times, then always fails."""

    def __init__(self, times: int) -> None:
        self.times, self.fold = times, recovery.fold_in

    async def fold_in(self, *arguments: Any) -> None:
        self.times -= 1
        if self.times < 0:
            raise InterruptedError
        await self.fold(*arguments)


def test_a_transaction_that_was_published_in_part_is_completed(own: IsolatedJournal, lost: str) -> None:
    """Postgres and the relay were lost while the journal's partitions were being written. A payment's match was in
    Kafka, its payment nowhere: decided again, the payment would have been matched and counted twice."""

    async def run() -> tuple[Content, Content, dict[int, list[tuple[int, Id]]], dict[int, list[tuple[int, Id]]]]:
        workspace, facts = shop_of(own)
        await begin(own.dsn, workspace)
        await decide_all(own.dsn, facts[:60])
        await publish_all(own)
        await decide_all(own.dsn, facts[60:], 60)
        async with await open_connection(own.dsn) as conn:
            at = await folding.pairs(conn, folding.BEGINS)
        async with new_producer(own.bootstrap) as producer:
            in_hand = await waiting(own.dsn)
            await commits.write_commits(producer, own.commit_log, in_hand)
            parts = [part for commit in in_hand for part in commit.slices]
            assert len({part.partition for part in parts}) > 3
            half = [part for part in parts if part.partition % 2]
            await JournalWriter(producer, own.topic, at).write(half)
        await ensure(own, lost)
        return await content(own.dsn), await content(lost), await own.read(), await own.committed()

    there, found, log, committed = asyncio.run(run())
    assert found == there
    assert log == committed


def test_a_transaction_that_was_kept_in_part_never_happened(own: IsolatedJournal, lost: str) -> None:
    """The relay died between two chunks of a large one: nothing of it is in the journal, so it is decided again."""

    async def run() -> tuple[int, Content, list[tuple[str, int]]]:
        workspace, facts = shop_of(own)
        await begin(own.dsn, workspace)
        await publish_all(own)
        await decide_all(own.dsn, facts[:7])
        (commit,) = await waiting(own.dsn)
        async with new_producer(own.bootstrap) as producer:
            record = {"key": None, "value": b"half", "timestamp": None}
            batch = producer.create_batch()
            batch.append(**record, headers=[("commit", b"x/1"), ("chunk", b"0"), ("chunks", b"2")])
            await (await producer.send_batch(batch, own.commit_log, partition=0))
        lacked = await ensure(own, lost)
        return lacked, await content(lost), [(name, len(slices)) for name, slices in [commit]]

    lacked, found, lost_commits = asyncio.run(run())
    assert lacked == 2  # the workspace and its rules
    assert found["core.checkpoint"] == []
    assert len(lost_commits) == 1


def test_a_stream_may_come_before_another_that_names_it(fresh_database_url: str) -> None:
    """Two cards were merged into a third, whose own stream came between them. What was stored of the third before it
    was created was taken for absent, and the first merge forgotten."""
    a, b, c = (named_id(CONNECTION, name) for name in "abc")
    created = {id: ContactCreated(meta(f"{id} created", stream=id), id, "", "form") for id in (a, b, c)}
    merged = {id: ContactMerged(meta(f"{id} merged", stream=id), id, a, "") for id in (b, c)}

    async def run() -> list[Any]:
        async with await open_connection(fresh_database_url) as conn:
            for events in ([created[b], merged[b]], [created[a], created[c], merged[c]]):
                async with conn.transaction():
                    await folding.remember(conn, events)
            rows = await conn.execute("SELECT value::text FROM core.state WHERE key = %s", [f"Absorbed/{a}"])
            return await rows.fetchall()

    assert asyncio.run(run()) == [(f'{{"contacts":["{min(b, c)}","{max(b, c)}"]}}',)]


def test_what_a_frozen_relay_repeated_is_folded_once(own: IsolatedJournal, lost: str) -> None:
    async def run() -> tuple[Content, Content]:
        workspace, facts = shop_of(own)
        await begin(own.dsn, workspace)
        await decide_all(own.dsn, facts[:50])
        in_hand = [part for commit in await waiting(own.dsn) for part in commit.slices]
        await publish_all(own)
        await decide_all(own.dsn, facts[50:], 50)
        await publish_all(own)
        async with new_producer(own.bootstrap) as producer:
            await JournalWriter(producer, own.topic, dict.fromkeys(range(JOURNAL.partitions), 0)).write(in_hand)
        await ensure(own, lost)
        return await content(own.dsn), await content(lost)

    there, found = asyncio.run(run())
    assert found == there


def test_nothing_is_decided_on_a_database_that_was_not_compared(own: IsolatedJournal, lost: str) -> None:
    async def run() -> Content:
        _, facts = shop_of(own)
        with pytest.raises(psycopg.errors.ObjectNotInPrerequisiteState) as refused:
            await decide_all(lost, facts)
        assert str(refused.value).startswith(
            "this database was not compared with the journal in Kafka since its server started\n"
            "DETAIL:  Nothing was written."
        )
        return await content(lost)

    found = asyncio.run(run())
    assert (found["core.state"], found["core.fact_seen"]) == ([], [])
    assert {next for _, next in found["core.journal_head"]} == {0}

"""The project role on a real Postgres: rows are a fold of the journal, and a failing projection halts alone."""

import asyncio
import json
from dataclasses import replace
from typing import Any
from uuid import uuid4

import msgspec
import psycopg
import pytest
from hypothesis import given as for_any
from hypothesis import settings
from hypothesis import strategies as st
from psycopg import AsyncConnection

from crm.envelope import Event, Fact, Row
from crm.events import ContactRenamed
from crm.projection import Projection
from crm.scalars import Id
from projections import PROJECTIONS
from tests.support.fact_strategies import any_facts
from tests.support.project_role import (
    ALL,
    Rows,
    comparable,
    count_rows,
    failures,
    in_memory,
    records_processed,
    role,
    stored,
)
from tests.support.records import events_of, journal, open_connection
from tests.support.scenarios import form, message

PEOPLE = [
    form("1", phones=["+380501112233"], amount_minor=100),
    form("2", phones=["+380501112233", "+380679998877"], name="Oleh Petrenko"),
    message("1", sender_name="Oleh", text="Hello"),
]


async def notified(listener: AsyncConnection, conn: AsyncConnection) -> list[str]:
    """All payloads up to now: sends a last one after them."""
    await conn.execute("SELECT pg_notify('changes', 'end')")
    payloads = []
    async for notification in listener.notifies():
        if notification.payload == "end":
            break
        payloads.append(notification.payload)
    return payloads


@settings(max_examples=40)
@for_any(facts=any_facts(), size=st.integers(1, 12), again=st.booleans())
def test_rows_are_the_fold_of_the_journal(database_url: str, facts: list[Fact], size: int, again: bool) -> None:
    """Whatever the batches; and repeats have no effect."""
    workspace = Id(str(uuid4()))
    events = events_of(facts, workspace)
    log, expected = journal(events), in_memory(events)

    async def run() -> tuple[Rows, int, dict[str, str]]:
        async with await open_connection(database_url) as conn:
            await conn.execute("TRUNCATE core.checkpoint")  # each example has a log of its own
            project = await role(conn)
            await project.catch_up(log, size)
            if again:
                for n in range(0, len(log), size):
                    await project.batch(log[n : n + size])
            return await stored(conn, expected), await count_rows(conn, workspace), await failures(conn)

    found, count, failed = asyncio.run(run())
    assert (comparable(found), count, failed) == (comparable(expected), len(expected), {})


DEALS, CONTACTS = PROJECTIONS["deal"].table, PROJECTIONS["contact"].table


def broken(projection: Projection[Any], at: type[Event]) -> Projection[Any]:
    """Its fold has a bug."""

    def fold(row: Row | None, event: Event) -> Row | None:
        if isinstance(event, at):
            raise ZeroDivisionError("planted")
        return projection.fold(row, event)

    return replace(projection, fold=fold)


def test_a_fold_that_raises_stops_its_projection_alone(fresh_database_url: str) -> None:
    """The others continue. Fixed and restarted, it continues from its own checkpoint."""
    events = events_of(PEOPLE, Id(str(uuid4())))
    log, expected = journal(events), in_memory(events)
    culprit = next(e for e in events if type(e).__name__ == "DealAssigned")
    planted = [broken(p, type(culprit)) if p.name == "deal" else p for p in ALL]
    without = {key: row for key, row in expected.items() if key[0] != "deal"}

    async def run() -> None:
        async with await open_connection(fresh_database_url) as conn:
            failing = await role(conn, planted)
            await failing.catch_up(log, 1)
            assert await failures(conn) == {
                DEALS: f"ZeroDivisionError('planted') deal at DealAssigned {culprit.meta.id}"
            }
            before = [r for r in log[: events.index(culprit)]]
            assert await records_processed(conn, DEALS) == len(before)
            assert await records_processed(conn, CONTACTS) == len(log)
            found = await stored(conn, expected)
            assert {key: row for key, row in found.items() if key[0] != "deal"} == without
            await failing.catch_up(log)
            assert await records_processed(conn, DEALS) == len(before)  # it is halted until the role is restarted
            fixed = await role(conn)
            await fixed.catch_up(log)
            assert await failures(conn) == {}
            assert await records_processed(conn, DEALS) == len(log)
            assert await stored(conn, expected) == expected

    asyncio.run(run())


def spoilt(projection: Projection[Any], at: type[Event], **instead: Any) -> Projection[Any]:
    """Its fold gives what no table can hold."""

    def fold(row: Row | None, event: Event) -> Row | None:
        after = projection.fold(row, event)
        return msgspec.structs.replace(after, **instead) if after and isinstance(event, at) else after

    return replace(projection, fold=fold)


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("\0", "ValueError('Postgres does not store NUL characters') contact.name of row "),
        (None, f'NotNullViolation(\'null value in column "name" of relation "{CONTACTS}" violates not-null'),
    ],
)
def test_what_no_table_holds_stops_its_projection_alone(fresh_database_url: str, name: Any, said: str) -> None:
    """A value missing where one must be once ran again and again, and held up every projection with it."""
    events = events_of(PEOPLE, Id(str(uuid4())))
    log, expected = journal(events), in_memory(events)
    planted = [spoilt(p, ContactRenamed, name=name) if p.name == "contact" else p for p in ALL]

    async def run() -> None:
        async with await open_connection(fresh_database_url) as conn:
            await (await role(conn, planted)).catch_up(log)
            (failed,) = (await failures(conn)).items()
            assert failed[0] == CONTACTS
            assert failed[1].startswith(said)
            assert await records_processed(conn, CONTACTS) == 0  # one batch, nothing of it
            found = await stored(conn, expected)
            assert found == {key: row for key, row in expected.items() if key[0] != "contact"}
            await (await role(conn)).catch_up(log)
            assert (await stored(conn, expected), await failures(conn)) == (expected, {})

    asyncio.run(run())


def test_a_busy_server_stops_no_projection(fresh_database_url: str) -> None:
    """With isolate=True a lock timeout was once taken for a fault of the projection, which was halted."""
    events = events_of(PEOPLE, Id(str(uuid4())))
    log, expected = journal(events), in_memory(events)

    async def run() -> None:
        async with (
            await open_connection(fresh_database_url) as conn,
            await open_connection(fresh_database_url) as other,
        ):
            project = await role(conn)
            await conn.execute("SET lock_timeout = '20ms'")
            fetches = project.fetches(log)
            with pytest.raises(psycopg.errors.LockNotAvailable):
                async with other.transaction():
                    await other.execute(f"LOCK TABLE read.{CONTACTS}".encode())
                    async with conn.pipeline(), conn.transaction():
                        await project.consumption.apply(conn, fetches, isolate=True)
            assert await failures(conn) == {}
            await project.catch_up(log)
            assert await stored(conn, expected) == expected

    asyncio.run(run())


def test_rows_that_are_there_already_are_replaced(fresh_database_url: str) -> None:
    """Checkpoints that were lost alone: what they call new is only inserted, which Postgres refuses once."""
    events = events_of(PEOPLE, Id(str(uuid4())))
    log, expected = journal(events), in_memory(events)

    async def run() -> None:
        async with await open_connection(fresh_database_url) as conn:
            await (await role(conn)).catch_up(log)
            await conn.execute(
                "UPDATE core.checkpoint SET next_offset = 0, position = -1 WHERE consumer LIKE 'timeline%'"
            )
            project = await role(conn)
            with pytest.raises(psycopg.errors.UniqueViolation):
                async with conn.pipeline(), conn.transaction():
                    await project.consumption.apply(conn, project.fetches(log), isolate=False)
            await project.batch(log)
            assert comparable(await stored(conn, expected)) == comparable(expected)
            assert await failures(conn) == {}
            assert await records_processed(conn, PROJECTIONS["timeline"].table) == len(log)

    asyncio.run(run())


def test_none_deletes_the_row(fresh_database_url: str) -> None:
    events = events_of(PEOPLE, Id(str(uuid4())))
    log, expected = journal(events), in_memory(events)
    contact = PROJECTIONS["contact"]

    def fold(row: Row | None, event: Event) -> Row | None:
        return None if isinstance(event, ContactRenamed) else contact.fold(row, event)

    renamed = {e.contact_id for e in events if isinstance(e, ContactRenamed)}
    assert renamed

    async def run() -> None:
        async with await open_connection(fresh_database_url) as conn:
            await (await role(conn, [replace(contact, fold=fold)])).catch_up(log, 1)
            found = await stored(conn, expected)
            assert {k for _, _, k in found} == {k for n, _, k in expected if n == "contact"} - renamed

    asyncio.run(run())


def test_changes_are_notified_after_the_commit(fresh_database_url: str) -> None:
    """At most 8,000 bytes at a time, nothing of a transaction that fails, the new position last."""
    workspace = Id(str(uuid4()))
    events = events_of([form(str(n), phones=[f"+38050111{n:04d}"]) for n in range(320)], workspace)
    log, expected = journal(events), in_memory(events)
    contacts = sorted(key for name, _, key in expected if name == "contact")

    async def run() -> None:
        async with (
            await open_connection(fresh_database_url) as conn,
            await open_connection(fresh_database_url, "") as listener,
        ):
            await listener.execute("LISTEN changes")
            project = await role(conn, [PROJECTIONS["contact"]])
            with pytest.raises(InterruptedError):
                async with conn.pipeline(), conn.transaction():
                    await project.consumption.apply(conn, project.fetches(log), isolate=False)
                    raise InterruptedError
            assert await notified(listener, conn) == []
            await project.batch(log)
            *notices, last = await notified(listener, conn)
            changes = [json.loads(payload) for payload in notices]
            assert [len(c.pop("keys")) for c in changes] == [179, 141]
            table = PROJECTIONS["contact"].table
            at = {str(p): sum(r.partition == p for r in log) for p in {r.partition for r in log}}
            assert changes == [{"projection": table, "workspace": workspace, "at": at, "before": {}}] * 2
            assert json.loads(last) == {"moved": [[[table], at]]}
            assert sorted(key for payload in notices for key in json.loads(payload)["keys"]) == contacts
            assert max(len(payload.encode()) for payload in notices) < 8_000
            await project.batch(log)
            assert await notified(listener, conn) == []

    asyncio.run(run())

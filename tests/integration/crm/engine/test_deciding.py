"""The same facts through the same decisions: in Postgres, batch by batch, as in memory, one by one."""

import asyncio
import contextlib
from collections.abc import Sequence
from typing import Any
from uuid import uuid4

import msgspec
import psycopg
import pytest
from hypothesis import given as for_any
from hypothesis import settings
from hypothesis import strategies as st
from psycopg import AsyncConnection

from crm.adapters.postgres import outbox as journal
from crm.adapters.postgres.state import Batch, text_array
from crm.contract.codec import decode, encode
from crm.engine import decide_batch as deciding
from crm.engine.decide_batch import Arrived, decide
from crm.engine.in_memory import MemoryDecide
from crm.envelope import Event, Fact
from crm.events import ContactCreated, FactQuarantined
from crm.facts import FormSubmitted
from crm.scalars import Id
from crm.state import Call, fold
from crm.topics import journal_partition
from streams.decide import Decide
from tests.support.fact_strategies import any_facts
from tests.support.records import Record, in_workspace, open_connection
from tests.support.scenarios import NOON, RULES, SHOP, form, shop

Store = dict[str, Any]


async def begin(conn: AsyncConnection, workspace: Id, events: Sequence[Event]) -> None:
    async with conn.transaction():
        batch = Batch()
        for event in events:
            fold(batch.of(workspace), event)
        batch.keep()
        await batch.write(conn)
        await journal.append(conn, [journal.packed(event) for event in events])


async def in_batches(conn: AsyncConnection, facts: Sequence[Fact], size: int) -> None:
    for n in range(0, len(facts), size):
        async with conn.pipeline(), conn.transaction():
            await decide(conn, [Arrived(fact, "memory", 0, at) for at, fact in enumerate(facts[n : n + size], n + 1)])


SLICES = "core.outbox AS o, unnest(o.partitions, o.firsts, o.counts, o.records) AS s (partition, first, count, packed)"


async def stored(conn: AsyncConnection, workspace: Id) -> Store:
    rows = await conn.execute("SELECT key, value::text FROM core.state WHERE workspace = %s", [workspace])
    return {key: msgspec.json.decode(value) for key, value in await rows.fetchall()}


async def outbox(conn: AsyncConnection, workspace: Id) -> list[tuple[int, int, Event]]:
    """(partition, position, event) of one workspace."""
    rows = await conn.execute(f"SELECT partition, first, packed FROM {SLICES} ORDER BY partition, first")
    found = []
    for partition, first, records in await rows.fetchall():
        for position, packed in enumerate(msgspec.msgpack.decode(records), first):
            event = decode(packed[-1])
            if event.meta.workspace == workspace:
                found.append((partition, position, event))
    return found


def remembered(memory: MemoryDecide, workspace: Id) -> Store:
    things = memory.states[workspace].things
    return {f"{kind}/{key}": msgspec.json.decode(msgspec.json.encode(thing)) for (kind, key), thing in things.items()}


def without_clock(event: Event) -> Event:
    """recorded_at is when it was decided."""
    meta = msgspec.structs.replace(event.meta, recorded_at=NOON)
    return msgspec.structs.replace(event, meta=meta)  # type: ignore[call-arg]  # every event has an envelope


@settings(max_examples=60)
@for_any(facts=any_facts(), size=st.integers(1, 8), repeats=st.booleans())
def test_postgres_in_batches_is_memory_one_by_one(
    database_url: str, facts: list[Fact], size: int, repeats: bool
) -> None:
    workspace = Id(str(uuid4()))
    rules = [msgspec.structs.replace(e, meta=msgspec.structs.replace(e.meta, workspace=workspace)) for e in RULES]
    own_facts = [in_workspace(fact, workspace) for fact in facts]
    memory = MemoryDecide()
    memory.append(*rules)
    for fact in own_facts:
        memory.take(fact)

    async def run() -> tuple[Store, list[tuple[int, int, Event]]]:
        async with await open_connection(database_url) as conn:
            await begin(conn, workspace, rules)
            await in_batches(conn, own_facts, size)
            if repeats:
                await in_batches(conn, own_facts, size)
            return await stored(conn, workspace), await outbox(conn, workspace)

    state, events = asyncio.run(run())
    assert state == remembered(memory, workspace)
    by_id = {event.meta.id: without_clock(event) for _, _, event in events}
    assert len(by_id) == len(events)
    assert [by_id[event.meta.id] for event in memory.journal] == [without_clock(event) for event in memory.journal]
    assert all(partition == journal_partition(event.meta.stream) for partition, _, event in events)


def test_positions_are_dense_whichever_commits(database_url: str) -> None:
    """Eight writers at once, half of which roll back: no gap, no repeat."""

    async def writer(n: int) -> None:
        async with await open_connection(database_url) as conn:
            for k in range(10):
                # the very first writers make the same counters: all but one of them run into each other
                with contextlib.suppress(InterruptedError, psycopg.errors.UniqueViolation):
                    async with conn.transaction():
                        fact = in_workspace(form(f"{n}/{k}", phones=[f"+38050{n:03d}{k:04d}"]), workspace)
                        await decide(conn, [Arrived(fact)])
                        if k % 2:
                            raise InterruptedError

    async def run() -> tuple[list[tuple[int, int]], dict[int, int]]:
        async with await open_connection(database_url) as conn:
            await begin(conn, workspace, shop(workspace=workspace))
            await asyncio.gather(*(writer(n) for n in range(8)))
            rows = await conn.execute(f"SELECT partition, first, count FROM {SLICES} ORDER BY 1, 2")
            places = [(p, first + k) for p, first, count in await rows.fetchall() for k in range(count)]
            heads = await conn.execute("SELECT partition, next FROM core.journal_head")
            return places, dict(await heads.fetchall())

    workspace = Id(str(uuid4()))
    places, heads = asyncio.run(run())
    assert places == [(p, position) for p in sorted(heads) for position in range(heads[p])]


def test_one_phone_at_the_same_instant_is_one_contact(database_url: str) -> None:
    """Two workers meet the same new phone. The later one finds that it exists, and runs again."""
    workspace = Id(str(uuid4()))

    async def take(key: str, started: asyncio.Barrier) -> None:
        async with await open_connection(database_url) as conn:
            for attempt in range(5):
                try:
                    async with conn.transaction():
                        if attempt == 0:
                            await started.wait()
                        await decide(
                            conn, [Arrived(in_workspace(form(key, name=key, phones=["+380501234567"]), workspace))]
                        )
                        return
                except (psycopg.errors.UniqueViolation, psycopg.errors.DeadlockDetected):
                    continue
            pytest.fail("it never came through")

    async def run() -> Store:
        async with await open_connection(database_url) as conn:
            await begin(conn, workspace, shop(workspace=workspace))
        started = asyncio.Barrier(2)
        await asyncio.gather(take("left", started), take("right", started))
        async with await open_connection(database_url) as conn:
            return await stored(conn, workspace)

    state = asyncio.run(run())
    assert sorted(key.partition("/")[0] for key in state if key.startswith(("Contact", "Deal/", "Identity"))) == [
        "Contact",
        "Deal",
        "Deal",
        "Identity",
    ]


def test_a_rule_that_stumbles_quarantines_its_fact_alone(database_url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    workspace = Id(str(uuid4()))
    facts = [in_workspace(form(key, name=key, phones=[f"+38067000000{n}"]), workspace) for n, key in enumerate("abc")]
    real = deciding.decided

    def stumbling(case: Any) -> list[Event]:
        if getattr(case.fact, "name", "") == "b":
            raise ZeroDivisionError("planted")
        return real(case)

    monkeypatch.setattr(deciding, "decided", stumbling)

    async def run() -> list[tuple[int, int, Event]]:
        async with await open_connection(database_url) as conn:
            await begin(conn, workspace, shop(workspace=workspace))
            await in_batches(conn, facts, 3)
            return await outbox(conn, workspace)

    events = [event for _, _, event in asyncio.run(run())]
    (quarantined,) = [e for e in events if isinstance(e, FactQuarantined)]
    assert quarantined.quarantine_id == facts[1].meta.id
    assert quarantined.reason == "the rule for it failed: ZeroDivisionError('planted')"
    assert {e.meta.cause for e in events} == {*(f.meta.id for f in facts), shop(workspace=workspace)[0].meta.cause}


def test_what_postgres_refuses_is_set_aside_in_careful_mode(database_url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """A fact that breaks its transaction goes to quarantine; those before and behind it take effect."""
    workspace, names = Id(str(uuid4())), ("Anna", "Borys", "Clara")
    facts = [in_workspace(form(key, name=key, phones=[f"+38067100000{n}"]), workspace) for n, key in enumerate(names)]
    real = deciding.Batch.write

    async def refusing(batch: Batch, conn: AsyncConnection) -> None:
        if any(getattr(thing, "name", "") == "Borys" for thing in batch.changed.values()):
            await conn.execute("SELECT 1 / 0")
        await real(batch, conn)

    monkeypatch.setattr(deciding.Batch, "write", refusing)
    records = [Record(encode(fact), n) for n, fact in enumerate(facts)]

    async def attempt(isolate: bool) -> None:
        async with await open_connection(database_url) as conn, conn.pipeline(), conn.transaction():
            await Decide().handle(conn, {"decide": records}, isolate)

    async def run() -> list[tuple[int, int, Event]]:
        async with await open_connection(database_url) as conn:
            await begin(conn, workspace, shop(workspace=workspace))
            with pytest.raises(psycopg.DataError):
                await attempt(isolate=False)
            assert len(await outbox(conn, workspace)) == 1
            await attempt(isolate=True)
            return await outbox(conn, workspace)

    events = [event for _, _, event in asyncio.run(run())]
    (quarantined,) = [e for e in events if isinstance(e, FactQuarantined)]
    assert quarantined.quarantine_id == facts[1].meta.id
    assert quarantined.reason.startswith("the database refused it: division by zero")
    assert {e.name for e in events if isinstance(e, ContactCreated)} == {"Anna", "Clara"}


def test_a_record_that_is_no_fact_is_quarantined_with_its_bytes(database_url: str) -> None:
    bad = [b"", b"\0\0\0\0\x01", b"hello", encode(shop()[0])]

    async def run() -> list[Any]:
        async with await open_connection(database_url) as conn:
            async with conn.pipeline(), conn.transaction():
                await Decide().handle(conn, {"decide": [Record(value, 100 + n) for n, value in enumerate(bad)]}, False)
            return [event for _, _, event in await outbox(conn, Id("00000000-0000-0000-0000-000000000000"))]

    events = asyncio.run(run())
    assert all(isinstance(event, FactQuarantined) for event in events)
    assert {event.meta.cause_offset: event.size for event in events} == {100 + n: len(v) for n, v in enumerate(bad)}
    assert FormSubmitted.__name__ not in {event.connector for event in events}
    assert SHOP not in {event.meta.workspace for event in events}


ODD = ["", "NULL", "null", '"', "\\", '\\"', "a,b", "{}", "a\nb\t ", " ї ", '{"a": "\\u0001\\\\"}', "\x01\x1f", "😀"]


@for_any(
    texts=st.lists(st.sampled_from(ODD) | st.text(st.characters(exclude_characters="\0", codec="utf-8")), min_size=1)
)
def test_an_array_literal_holds_any_text(database_url: str, texts: list[str]) -> None:
    with psycopg.connect(database_url) as conn:
        assert conn.execute("SELECT %s::text[]", [text_array(texts)]).fetchone() == (texts,)


def test_a_text_with_a_nul_is_refused_and_shifts_no_other() -> None:
    with pytest.raises(psycopg.DataError, match="NUL"):
        text_array(["a\0b", "c"])


def test_what_was_taken_back_holds_no_more() -> None:
    """A fact that failed, and those that took something for absent by mistake, leave what the facts before them did."""
    batch, a, b = Batch(), Call(Id("a")), Call(Id("b"))
    state = batch.of(SHOP)
    state.put("1", a)
    first = batch.keep()
    state.put("1", b)
    state.put("2", b)
    state.drop(Call, "1")
    assert (state.get(Call, "1"), state.get(Call, "2")) == (None, b)
    batch.forget()
    assert (state.get(Call, "1"), state.get(Call, "2")) == (a, None)
    state.put("1", b)
    state.put("2", b)
    batch.keep()
    batch.again([first])
    assert (state.get(Call, "1"), state.get(Call, "2")) == (a, None)


def test_only_what_was_never_looked_for_is_new() -> None:
    """The second fact to write what the first one had only taken for absent made its id count as new: had it been there
    after all, other things under that id would have been taken for absent without a look."""
    batch = Batch()
    state = batch.of(SHOP)
    looked_for, made = "44444444-4444-4444-8444-444444444444", "55555555-5555-4555-8555-555555555555"
    assert state.get(Call, looked_for) is None
    for _ in range(2):
        state.put(looked_for, Call(Id(made)))
        batch.keep()
    state.put(made, Call(Id(made)))
    assert batch.fresh == {made}

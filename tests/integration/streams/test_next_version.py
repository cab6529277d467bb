"""Today's roles alongside the next release's: an unknown event type is skipped and harms nothing."""

import asyncio
from collections.abc import Iterator
from typing import Any
from uuid import uuid4

import msgspec
import pytest

from crm.adapters.postgres.migrations import migrate
from crm.contract import codec
from crm.contract.codec import decode, encode, type_of
from crm.decisions import decided
from crm.decisions.case import Case
from crm.engine import decide_batch as deciding
from crm.envelope import Event
from crm.errors import Malformed
from crm.events import ContactCreated
from crm.scalars import Id
from projections import PROJECTIONS
from tests.chaos.next_version import FormCounted, count_forms, form_count, register_event
from tests.support.project_role import ALL, failures, in_memory, records_processed, role, stored
from tests.support.records import events_of, journal, open_connection
from tests.support.scenarios import form

FORMS = [form(str(n), phones=[f"+38050111{n // 2:04d}"]) for n in range(20)]  # two of each person


@pytest.fixture
def today() -> Iterator[Any]:
    """Calling it forgets what the next release knows, as everything does after the test."""
    tables: tuple[dict[Any, Any], ...] = codec.RECORDS, codec.TYPE_NAMES, codec.WRITERS, codec.READERS, PROJECTIONS
    before = [dict(table) for table in tables]

    def forget() -> None:
        for table, was in zip(tables, before, strict=True):
            table.clear()
            table.update(was)

    yield forget
    forget()


def counted(workspace: Id) -> list[Event]:
    """A journal in which the next release has counted each contact that came to be."""
    events = []
    for event in events_of(FORMS, workspace):
        events.append(event)
        if isinstance(event, ContactCreated):
            meta = event.meta
            events.append(FormCounted(replaced(meta, str(uuid4())), sender=meta.stream))
    return events


def replaced(meta: Any, id: str) -> Any:

    return msgspec.structs.replace(meta, id=Id(id))


def test_the_event_has_an_id_that_today_does_not_know(today: Any) -> None:
    highest = max(codec.READERS)
    register_event()
    event = FormCounted(events_of(FORMS[:1], Id(str(uuid4())))[0].meta, sender=Id(str(uuid4())))
    value = encode(event)
    assert (int.from_bytes(value[1:5], "big"), decode(value), type_of(value)) == (highest + 1, event, FormCounted)
    today()
    assert type_of(value) is None
    with pytest.raises(Malformed, match=f"schema id {highest + 1} is not in the registry"):
        decode(value)


def test_today_reads_past_it_and_the_next_release_takes_it_up(fresh_database_url: str, today: Any) -> None:
    """Forward, back, and forward again: nothing is halted, nothing is folded twice."""
    register_event()
    workspace = Id(str(uuid4()))
    events = counted(workspace)
    log, expected = journal(events), in_memory(events)
    contacts = {event.sender for event in events if isinstance(event, FormCounted)}
    assert len(contacts) == 10
    today()

    async def run() -> None:
        async with await open_connection(fresh_database_url) as conn:
            await (await role(conn)).catch_up(log)
            assert (await stored(conn, expected), await failures(conn)) == (expected, {})
            assert {await records_processed(conn, p.table) for p in ALL} == {len(log)}
            register_event()
            await asyncio.to_thread(migrate, fresh_database_url, PROJECTIONS.values())
            for _ in range(2):
                await (await role(conn, PROJECTIONS.values())).catch_up(log)
                today()
                await (await role(conn)).catch_up(log)
                register_event()
            rows = await (await conn.execute("SELECT sender::text, forms FROM read.form_count_v1")).fetchall()
            assert dict(rows) == dict.fromkeys(contacts, 1)
            assert (await stored(conn, expected), await failures(conn)) == (expected, {})

    asyncio.run(run())


def test_its_decide_counts_each_form_once(today: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(deciding, "decided", decided)
    register_event()
    count_forms()
    state: Any = type("Nothing", (), {"get": lambda *_: None, "put": lambda *_: None, "drop": lambda *_: None})()
    *_, last = deciding.decided(Case(FORMS[0], state, FORMS[0].meta.recorded_at))  # type: ignore[attr-defined]  # what it imported
    assert isinstance(last, FormCounted)
    assert last.sender == last.meta.stream
    assert form_count.fold(form_count.fold(None, last), last) == form_count.row(last.sender, 2)

"""Rows of a whole workspace as of a moment: what changed since is folded, the rest stands; together they are right."""

import asyncio
from types import SimpleNamespace
from typing import Any
from uuid import uuid4

import pytest
from hypothesis import given as for_any
from hypothesis import settings
from hypothesis import strategies as st
from msgspec.structs import replace

from api.history import past_rows as reading
from api.history.asof import AsOf, contacts_as_of, deals_as_of, funnel
from api.history.past_rows import past_rows
from api.sql.database import pool
from api.sql.reads import Reads
from crm.adapters.postgres import history
from crm.asof import rows_as_of, totals
from crm.envelope import Event
from crm.moments import Clock, nearest
from crm.scalars import Id, Micros
from projections import PROJECTIONS
from tests.integration.crm.adapters.postgres.test_history import projected
from tests.support.command_strategies import any_story
from tests.support.operator_session import OperatorSession
from tests.support.records import in_workspace, journal, open_connection
from tests.support.scenarios import NOON

HOUR = 3_600_000_000
LONGEST = 100


def at_hours(events: list[Any], workspace: Id, hours: list[int]) -> list[Event]:
    """Returns the events in this workspace, as if they had happened and been recorded at any hours."""
    found: list[Any] = []
    for n, event in enumerate(events):
        event = in_workspace(event, workspace)
        happened, known = (Micros(NOON + hours[(n + shift) % len(hours)] * HOUR) for shift in (0, 1))
        found.append(replace(event, meta=replace(event.meta, occurred_at=happened, recorded_at=known)))
    return found


@settings(max_examples=30)
@for_any(
    story=any_story(),
    hours=st.lists(st.integers(0, 20), min_size=2, max_size=30),
    at=st.integers(-1, 21),
    clock=st.sampled_from(Clock),
    page=st.integers(1, 3),
)
def test_they_are_those_of_a_fold_of_everything(
    database_url: str, story: OperatorSession, hours: list[int], at: int, clock: Clock, page: int
) -> None:
    """On either clock, in pages of any size, with the lists and the funnel made of them."""
    workspace, moment = Id(str(uuid4())), Micros(NOON + at * HOUR)
    events = at_hours(story.decide.journal, workspace, hours)
    expected: dict[str, dict[Id, Any]] = {
        name: {**rows_as_of(p, [e for e in events if type(e) in p.handles], moment, clock)}
        for name, p in PROJECTIONS.items()
        if name in reading.BEGIN
    }

    async def rows(reads: Reads, name: str) -> dict[Id, Any]:
        found: list[Any] = []
        async with past_rows(reads, PROJECTIONS[name], moment, clock) as past:
            if not past.needs_fold:
                found += await past.rows_of("true", "t.touched_at", 10_000)
            async for some in past.folded():
                found += some
        by_key = {getattr(row, PROJECTIONS[name].key): row for row in found}
        assert len(by_key) == len(found)
        return by_key

    async def run() -> None:
        async with await open_connection(database_url) as conn:
            await conn.execute("SET transaction_timeout = 0")  # on a busy machine all of it may take longer
            await conn.execute("TRUNCATE core.checkpoint")
            await projected(conn, journal(events))
        connections = pool(database_url, 2)
        info: Any = SimpleNamespace(context=SimpleNamespace(reads=Reads(connections, workspace)))
        try:
            assert {name: await rows(info.context.reads, name) for name in reading.BEGIN} == expected
            as_of = AsOf(at=nearest(moment), clock=clock)
            deals, people = expected["deal"].values(), expected["contact"].values()
            shown = [(t.stage, t.deals, {m.currency: m.minor for m in t.amounts}) for t in await funnel(0, info, as_of)]
            assert shown == [(t.value, t.count, t.sums) for t in totals(deals, "stage")]
            newest = sorted(deals, key=lambda row: (row.touched_at, row.deal_id), reverse=True)
            for stage in {row.stage for row in deals} | {None}:
                wanted = [row.deal_id for row in newest if stage in (None, row.stage)]
                for first in (1, LONGEST):
                    assert [row["id"] for row in await deals_as_of(0, info, as_of, first, stage)] == wanted[:first]
            for card in people:
                same = {card.contact_id}
                while more := {p.contact_id for p in people if p.merged_into in same} - same:
                    same |= more
                found = await deals_as_of(0, info, as_of, LONGEST, contact=card.contact_id)
                assert [row["id"] for row in found] == [row.deal_id for row in newest if row.contact_id in same]
            assert await deals_as_of(0, info, as_of, LONGEST, contact=workspace) == []
            listed = {row["id"] for row in await contacts_as_of(0, info, as_of, LONGEST)}
            assert listed == {card.contact_id for card in people if card.merged_into is None}
        finally:
            await connections.close()

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(reading, "PAGE", page)
        patch.setattr(history, "PAGE", page)
        asyncio.run(run())

"""Totals on a real Postgres: whatever happened, in whatever batches, they say what the rows say."""

import asyncio
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

from crm.adapters.postgres import totals
from crm.adapters.postgres.migrations import migrate
from crm.envelope import Event, named_id
from crm.errors import Broken
from crm.projection import Projection
from crm.scalars import Id, Micros
from projections import PROJECTIONS
from tests.support.command_strategies import any_story
from tests.support.counted_rows import count_rows, kept_cells
from tests.support.operator_session import OperatorSession
from tests.support.project_role import in_memory, role
from tests.support.records import events_of, in_workspace, journal, open_connection
from tests.support.scenarios import form
from tests.support.workload.journal import BEGAN, SHOP, card

COUNTED = [projection for projection in PROJECTIONS.values() if projection.totals]


def expected(projection: Projection[Any], events: list[Event]) -> Any:
    rows = [(workspace, row) for (name, workspace, _), row in in_memory(events).items() if name == projection.name]
    return count_rows(projection, rows)


def moved(events: list[Any], workspace: Id) -> list[Event]:
    """Returns the events as those of another workspace."""
    found: list[Any] = [in_workspace(event, workspace) for event in events]
    return found


async def assert_counted(conn: AsyncConnection, workspace: Id, events: list[Event]) -> None:
    for projection in COUNTED:
        assert await kept_cells(conn, projection, workspace) == expected(projection, events)


@settings(max_examples=40)
@for_any(story=any_story(), size=st.integers(1, 12), again=st.booleans())
def test_totals_say_what_the_rows_say(database_url: str, story: OperatorSession, size: int, again: bool) -> None:
    """Whatever was done and in whatever batches; and repeats have no effect."""
    workspace = Id(str(uuid4()))
    events = moved(story.decide.journal, workspace)

    async def run() -> None:
        async with await open_connection(database_url) as conn:
            await conn.execute("TRUNCATE core.checkpoint")  # each example has a log of its own
            project, log = await role(conn), journal(events)
            await project.catch_up(log, size)
            if again:
                for n in range(0, len(log), size):
                    await project.batch(log[n : n + size])
            await assert_counted(conn, workspace, events)

    asyncio.run(run())


@settings(max_examples=15)
@for_any(story=any_story(), size=st.integers(1, 6))
def test_two_replicas_count_together(database_url: str, story: OperatorSession, size: int) -> None:
    """Each has half of the partitions, and both write at once: no cell is written by both."""
    workspace = Id(str(uuid4()))
    events = moved(story.decide.journal, workspace)

    async def replica(half: int) -> None:
        async with await open_connection(database_url) as conn:
            project = await role(conn)
            log = [record for record in journal(events) if record.partition % 2 == half]
            for n in range(0, len(log), size):
                await project.batch(log[n : n + size])

    async def run() -> None:
        async with await open_connection(database_url) as conn:
            await conn.execute("TRUNCATE core.checkpoint")
            await role(conn)
            await asyncio.gather(replica(0), replica(1))
            await assert_counted(conn, workspace, events)

    asyncio.run(run())


DEAL = PROJECTIONS["deal"]


def test_exact_values(fresh_database_url: str) -> None:
    """Two deals opened a day and a currency apart, one of them moved, assigned and paid."""
    workspace, contact = Id(str(uuid4())), named_id(SHOP, "contact 7")
    first = [e for e in card(contact, 7) if type(e) in DEAL.handles]
    other = msgspec.structs.replace(first[0], deal_id=named_id(contact, "other"), currency="EUR", amount_minor=500)
    later = msgspec.structs.replace(other.meta, id=named_id(contact, "x"), occurred_at=Micros(BEGAN + 86_400_000_000))
    events = moved([*first, msgspec.structs.replace(other, meta=later)], workspace)

    async def run() -> tuple[Any, list[totals.WrongTotal]]:
        async with await open_connection(fresh_database_url) as conn:
            await (await role(conn)).catch_up(journal(events), 3)
            cells = await kept_cells(conn, DEAL, workspace)
        with psycopg.connect(fresh_database_url) as conn_:
            return cells, totals.wrong(conn_, DEAL)

    cells, wrong = asyncio.run(run())
    assert wrong == []
    epoch, june, day, next_day = (
        f"{text}+00:00"
        for text in ("1970-01-01T00:00:00", "2025-06-01T00:00:00", "2025-06-15T00:00:00", "2025-06-16T00:00:00")
    )
    whole = {"count": 1, "amount_minor": 20207, "paid_minor": 37200}
    ours = {"count": 1, "amount_minor": 500, "paid_minor": 0}
    assert cells == {
        (workspace, "stage, owner", "all", epoch, "won", "iryna@shop.ua", "", "UAH"): whole,
        (workspace, "stage, owner", "all", epoch, "new", "", "", "EUR"): ours,
        **{
            (workspace, "stage, owner by closed_at", grain, period, "won", "iryna@shop.ua", "", "UAH"): whole
            for grain, period in (("month", june), ("day", day))
        },
    } | {
        (
            workspace,
            total,
            grain,
            period,
            "",
            owner if "owner" in total else "",
            "form" if "source" in total else "",
            unit,
        ): cell
        for total in ("source by opened_at", "owner by opened_at")
        for unit, owner, cell, periods in (
            ("UAH", "iryna@shop.ua", whole, {"month": june, "day": day}),
            ("EUR", "", ours, {"month": june, "day": next_day}),
        )
        for grain, period in periods.items()
    }


def test_a_wrong_cell_a_missing_one_and_one_too_many_are_found(
    fresh_database_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The planted bugs: each comes with what is kept and what the rows give."""
    workspace = Id(str(uuid4()))
    events = moved([e for n in range(3) for e in card(named_id(SHOP, f"contact {n}"), n)], workspace)

    async def fill() -> None:
        async with await open_connection(fresh_database_url) as conn:
            await (await role(conn)).catch_up(journal(events))

    asyncio.run(fill())
    monkeypatch.setattr(totals, "EXAMPLES", 100)
    table = totals.table(DEAL)
    won = {"total": "stage, owner", "grain": "all", "period": "1970-01-01T00:00:00+00:00", "stage": "won"}
    won |= {"owner": "iryna@shop.ua", "source": "", "currency": "UAH"}
    right = {"count": 3, "amount_minor": 60603, "paid_minor": 111600}
    nothing = dict.fromkeys(right, 0)
    for change, kept, counted in (
        (
            f"UPDATE {table} SET count = count + 1 WHERE partition = (SELECT min(partition) FROM {table}) "
            "AND grain = 'all'",
            right | {"count": 4},
            right,
        ),
        (f"DELETE FROM {table} WHERE grain = 'all'", nothing, right),
        ("DELETE FROM read.deal_v4 WHERE true", right, nothing),
    ):
        with psycopg.connect(fresh_database_url, options="-c timezone=UTC") as conn:
            assert totals.wrong(conn, DEAL) == []
            conn.execute(change.replace("deal_v4", DEAL.table).encode())
            found = [cell for cell in totals.wrong(conn, DEAL) if cell.cell["grain"] == "all"]
            assert found == [(workspace, won, kept, counted)]
            conn.rollback()


def test_totals_that_change_without_a_new_version_are_refused(fresh_database_url: str) -> None:
    """Rows that are there already were not counted by them. An empty table counts nothing yet, so it may change."""
    other = replace(DEAL, totals=("stage",))
    migrate(fresh_database_url, [other])
    migrate(fresh_database_url, [DEAL])

    async def fill() -> None:
        async with await open_connection(fresh_database_url) as conn:
            await (await role(conn)).catch_up(
                journal(events_of([form("1", phones=["+380501112233"])], Id(str(uuid4()))))
            )

    asyncio.run(fill())
    migrate(fresh_database_url, [DEAL])
    with pytest.raises(Broken, match=r"The totals of projection deal have changed, and its version is still \d+\."):
        migrate(fresh_database_url, [other])

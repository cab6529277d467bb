"""An undo on a real Postgres: rows, totals and history know what is gone, and the streams of an import are found."""

import asyncio
from pathlib import Path
from uuid import uuid4

import psycopg
import pytest

from crm.adapters.postgres import history, totals
from crm.adapters.postgres.history_of_sources import behind, heads, streams_of
from crm.asof import row_as_of, rows_as_of
from crm.envelope import Event
from crm.events import ContactCreated, ContactRemoved, DealOpened, DealRemoved
from crm.moments import Clock, last
from crm.scalars import Id
from crm.why import changes
from projections import PROJECTIONS
from services.imports.undo.plan import TYPES, plan_of
from streams.project import Project
from tests.support.import_undo import redo, undo, undoing
from tests.support.imports import Crm, opened
from tests.support.project_role import ProjectRole, in_memory, stored
from tests.support.records import in_workspace, journal, open_connection

DEALS = "id,Угода,Сума,ПІБ,Телефон,Етап\nA,Вікна,100,Олена,050 111 11 11,new\nB,Двері,200,Тарас,050 222 22 22,won\n"
END = last("2030-01-01")


@pytest.mark.parametrize("size", [1, 7, 500])
@pytest.mark.parametrize("again", [False, True])
def test_rows_totals_and_history_after_an_undo(tmp_path: Path, fresh_database_url: str, size: int, again: bool) -> None:
    """Whatever the batches: the tables have the rows of a fold in memory, and an earlier moment has the cards."""
    crm, workspace = Crm(), Id(str(uuid4()))
    reading = opened(tmp_path, DEALS)
    crm.run(reading)
    length = len(crm.decide.journal)
    undo(crm, reading)
    if again:
        redo(crm, reading)
    events: list[Event] = [in_workspace(event, workspace) for event in crm.decide.journal]  # type: ignore[type-var]  # events are Structs
    expected = in_memory(events)
    gone = [e for e in events[:length] if isinstance(e, ContactCreated | DealOpened)]

    async def run() -> None:
        async with await open_connection(fresh_database_url) as conn:
            role = ProjectRole(conn)
            role.consumption.handler = Project(PROJECTIONS.values(), with_history=True)
            role.consumers = role.consumption.handler.consumers
            await (await role.start()).catch_up(journal(events), size)
            wanted = {*expected, *(("contact", workspace, e.contact_id) for e in gone)}
            wanted |= {("deal", workspace, e.deal_id) for e in gone if isinstance(e, DealOpened)}
            assert await stored(conn, wanted) == expected
            for event in gone:
                name = "deal" if isinstance(event, DealOpened) else "contact"
                key = event.deal_id if isinstance(event, DealOpened) else event.contact_id
                projection = PROJECTIONS[name]
                found = await history.of_row(conn, projection, workspace, key)
                assert row_as_of(projection, found, END, Clock.RECORDED) == expected.get((name, workspace, key))
                before = [one for one in found if one.meta.id in {e.meta.id for e in events[:length]}]
                assert row_as_of(projection, before, END, Clock.RECORDED) is not None
                column = "stage" if name == "deal" else "name"
                kinds = [type(change.event) for change in changes(projection, found, column)]
                assert (DealRemoved if name == "deal" else ContactRemoved) in kinds
            for name, projection in PROJECTIONS.items():
                of_all = await history.of_workspace(conn, projection, workspace)
                whole = rows_as_of(projection, of_all, END, Clock.RECORDED)
                assert whole == {key: row for (one, _, key), row in expected.items() if one == name}
            every = await streams_of(conn, workspace, [reading.request.id])
            (streams,) = every.pages(10)
            assert streams == sorted({event.meta.stream for event in gone}) and len(every) == len(streams)
            assert [*every.pages(1)] == [[stream] for stream in streams]
            assert len(await streams_of(conn, workspace, [Id(str(uuid4()))])) == 0
            kept = await history.of_streams(conn, TYPES, workspace, streams[:1])
            plan = plan_of(streams[0], kept, undoing(crm, reading).sources)
            assert [one.made for one in plan.planned] == ([True, True] if again else [])
            assert await behind(conn, await heads(conn)) == 0
            assert await behind(conn, {0: 10**6}) == 1

    asyncio.run(run())
    with psycopg.connect(fresh_database_url) as conn:
        assert [totals.wrong(conn, projection) for projection in PROJECTIONS.values() if projection.totals] == [
            [] for projection in PROJECTIONS.values() if projection.totals
        ]

"""A read waits for its own write, but never forever; events that change no row count too."""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable
from typing import Any
from uuid import uuid4

import pytest
from psycopg import AsyncConnection

from api.errors import StaleRead
from api.live.freshness import Freshness, position_text
from crm.events import CommandAccepted, WorkspaceCreated
from crm.projection import Projection
from crm.scalars import Id
from projections import PROJECTIONS
from tests.support.project_role import ALL, role
from tests.support.records import events_of, journal, open_connection
from tests.support.scenarios import form

DEALS = frozenset({"deal"})


@contextlib.asynccontextmanager
async def followed(dsn: str) -> AsyncIterator[tuple[AsyncConnection, Freshness]]:
    freshness = Freshness(dsn)
    following = asyncio.create_task(freshness.run())
    try:
        async with await open_connection(dsn) as conn:
            yield conn, freshness
    finally:
        following.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await following


def some_journal() -> list[Any]:
    """A form, and an accepted command: of that no projection takes anything."""
    events = events_of([form("1", phones=["+380501112233"])], Id(str(uuid4())))
    assert not any(CommandAccepted in p.handles for p in PROJECTIONS.values())
    meta = next(e.meta for e in events if not isinstance(e, WorkspaceCreated))
    return journal([*events, CommandAccepted(meta, "deal_win", "digest", "{}", "deal", meta.id)])


def end_of(log: list[Any]) -> str:
    """The position behind all of it."""
    ends: dict[int, int] = {}
    for record in log:
        ends[record.partition] = int(dict(record.headers)["position"]) + 1
    return ",".join(f"{partition}:{next}" for partition, next in sorted(ends.items()))


def test_a_wait_ends_with_the_last_event_though_no_projection_takes_it(fresh_database_url: str) -> None:
    async def run() -> None:
        log = some_journal()
        async with followed(fresh_database_url) as (conn, freshness):
            project = await role(conn)
            waits = [asyncio.create_task(freshness.wait(end_of(log), of, 60)) for of in (DEALS, frozenset[str]())]
            await project.catch_up(log, 1)
            await asyncio.gather(*waits)
            ends = dict(part.split(":") for part in end_of(log).split(","))
            reached = dict(part.split(":") for part in freshness.of(frozenset()).position.split(","))
            assert {partition: reached[partition] for partition in ends} == ends
            assert len(reached) == 12

    asyncio.run(run())


def test_a_position_that_was_never_written_is_a_stale_read(fresh_database_url: str) -> None:
    async def run() -> None:
        async with followed(fresh_database_url) as (conn, freshness):
            await role(conn)
            with pytest.raises(StaleRead, match=r"did not reach 3:7 within 0\.05 s"):
                await freshness.wait("3:7", DEALS, 0.05)

    asyncio.run(run())


def test_a_view_that_shows_another_version_is_as_fresh_as_that_one(fresh_database_url: str) -> None:
    """While the new table is built, or after `--rollback`: this release's own checkpoints do not tell."""

    async def run() -> None:
        log = some_journal()
        async with followed(fresh_database_url) as (conn, freshness):
            await conn.execute("UPDATE core.shown SET consumer = 'deal_v0' WHERE name = 'deal'")
            await (await role(conn)).catch_up(log)
            await freshness.wait(end_of(log), frozenset({"contact"}), 60)
            assert freshness.of(DEALS).position == position_text((0,) * 12)
            mark = "INSERT INTO core.checkpoint (consumer, topic, partition, position) SELECT 'deal_v0', %s, n, n "
            await conn.execute(mark + "FROM generate_series(0, 10) AS n", [log[0].topic])
            await conn.execute(mark + "FROM generate_series(11, 11) AS n", [log[0].topic])
            await freshness.wait("11:12", DEALS, 60)
            assert freshness.of(DEALS).position == position_text(tuple(range(1, 13)))

    asyncio.run(run())


def stumbling(projection: Projection[Any]) -> Projection[Any]:
    def fold(row: Any, event: Any) -> Any:
        raise ValueError("a bug")

    changed: Callable[..., Any] = Projection
    fields = {name: getattr(projection, name) for name in Projection.__dataclass_fields__} | {"fold": fold}
    result: Projection[Any] = changed(**fields)
    return result


def test_a_halted_projection_is_reported_at_once_and_stops_no_other(fresh_database_url: str) -> None:
    """Regression: the wait could last forever."""

    async def run() -> None:
        log = some_journal()
        async with followed(fresh_database_url) as (conn, freshness):
            project = await role(conn, [stumbling(p) if p.name == "deal" else p for p in ALL])
            await project.catch_up(log)
            await freshness.wait(end_of(log), frozenset({"contact"}), 60)
            with pytest.raises(StaleRead, match="The projection deal has halted"):
                await freshness.wait(end_of(log), DEALS, 60)

    asyncio.run(run())

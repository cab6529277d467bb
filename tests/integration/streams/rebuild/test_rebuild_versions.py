"""A new version: built while the previous release runs, read once a project role of its own release maintains it."""

import asyncio
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from crm.adapters.postgres.migrations import migrate
from crm.projection import Projection
from projections import PROJECTIONS
from services.stack import pending_rebuilds as behind
from services.stack.process import until
from streams.cutover.cutover import cut_over
from streams.cutover.status import outdated_views
from streams.rebuild.rebuild import rebuild_lock
from streams.rebuild.rollback import roll_back
from streams.rebuild.write import tables
from tests.support.rebuild_setup import RebuildSetup, cards
from tests.support.timeouts import TIMEOUT

DEAL = PROJECTIONS["deal"]
OLD, VERSION = DEAL.table, DEAL.version + 1
NEW = f"deal_v{VERSION}"


@pytest.fixture
def replayed(kafka_bootstrap: str, fresh_database_url: str, tmp_path: Path) -> RebuildSetup:
    return RebuildSetup(kafka_bootstrap, fresh_database_url, tmp_path)


def raised(replayed: RebuildSetup, monkeypatch: pytest.MonkeyPatch) -> Projection[Any]:
    """The next release, whose deals have a word more; its tables are there."""
    newer = replayed.raise_version("deal", "word: str", "word=event.title.upper()")
    monkeypatch.setitem(PROJECTIONS, "deal", newer)
    migrate(replayed.dsn, [newer])
    return newer


def doctor(replayed: RebuildSetup, newer: Projection[Any]) -> list[tuple[bool, str]]:
    with tables.connected(replayed.dsn) as conn:
        return [(one.at_work, one.sentence) for one in outdated_views(conn, [newer], replayed.topic)]


async def soon(replayed: RebuildSetup, name: str, is_so: Callable[[list[tuple[Any, ...]]], bool]) -> None:
    async def missing() -> str | None:
        rows = await asyncio.to_thread(replayed.rows, name)
        return None if is_so(rows) else f"{len(rows)} rows, such as {rows[:1]}"

    await until(missing, TIMEOUT)


def test_readers_never_get_a_table_that_no_role_maintains(
    replayed: RebuildSetup, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The view once switched as soon as the table was built: its rows were stale until the new role started."""
    said: list[str] = []

    async def run() -> None:
        await replayed.create()
        await replayed.write(cards(0, 20))
        async with replayed.projecting(["deal"]):  # of the release before
            await replayed.projected()
            before = await asyncio.to_thread(replayed.rows, "deal")
            newer = await asyncio.to_thread(raised, replayed, monkeypatch)
            file = newer.fold.__code__.co_filename
            assert await asyncio.to_thread(behind.claim, replayed.dsn, said.append) == ["deal"]
            assert await asyncio.to_thread(replayed.rows, "deal") == [(*row, "") for row in before]
            outcome = await replayed.rebuild("deal", file=file, patience=0)
            assert outcome.waiting == ("deal",)
            assert await asyncio.to_thread(behind.claim, replayed.dsn, said.append) == []
            await replayed.write(cards(20, 5))
            await soon(replayed, "deal", lambda rows: len(rows) == 25 and rows[24][-1] == "")
            await replayed.projected([OLD])
        assert (
            await asyncio.to_thread(cut_over, replayed.dsn, newer, replayed.bootstrap, replayed.topic)
            == f"{NEW} is 85 events behind {OLD}"
        )
        async with replayed.projecting(["deal"]):
            await soon(replayed, "deal", lambda rows: rows[0][-1] != "")
            rows = await asyncio.to_thread(replayed.rows, "deal")
            title = [c.name for c in newer.columns].index("title") + 1
            assert len(rows) == 25
            assert [row[-1] for row in rows] == [row[title].upper() for row in rows]
            await replayed.write(cards(25, 5))
            await soon(replayed, "deal", lambda rows: len(rows) == 30)
        (sentence,) = await asyncio.to_thread(roll_back, replayed.dsn, ["deal"])
        assert sentence.startswith(f"deal is served from read.{OLD} again, as of 425 events.")
        assert [row[-1] for row in await asyncio.to_thread(replayed.rows, "deal")] == [""] * 25
        assert await asyncio.to_thread(behind.claim, replayed.dsn, said.append) == []

    asyncio.run(run())
    assert said == [
        f"Building deal (version {VERSION}) from the journal. Until that is done, readers see the previous rows."
    ]


def test_doctor_says_which_rows_are_stale(replayed: RebuildSetup, monkeypatch: pytest.MonkeyPatch) -> None:
    """Claimed and never built, being built, built without a role, rolled back: since when, and what to do."""
    since = "on 2026-11-25 09:30 UTC"
    at = "timestamptz '2026-11-25 11:30+02'"
    end = f" Readers see read.{OLD}, 7 events behind the journal."

    async def run() -> None:
        await replayed.create()
        await replayed.write(cards(0, 3))
        await replayed.project(["deal"])
        heads = ", ".join(f"({p}, {n})" for p, n in replayed.next.items())
        await asyncio.to_thread(
            replayed.do,
            f"UPDATE core.journal_head AS h SET next = n FROM (VALUES {heads}) AS v (p, n) WHERE partition = p",
            f"UPDATE core.journal_head SET next = next + 7 WHERE partition = {min(replayed.next)}",
        )
        assert await asyncio.to_thread(doctor, replayed, DEAL) == []
        newer = await asyncio.to_thread(raised, replayed, monkeypatch)
        missing = f"deal version {VERSION} is not built and no rebuild is running: run `crm rebuild deal`."
        assert doctor(replayed, newer) == [(False, missing + end)]
        await asyncio.to_thread(behind.claim, replayed.dsn, lambda _: None)
        await asyncio.to_thread(replayed.do, f"UPDATE core.building SET since = {at}")
        waited = f" It has waited since {since[3:]}."
        assert doctor(replayed, newer) == [(False, missing + waited + end)]
        with rebuild_lock(replayed.dsn, ["deal"]):
            assert doctor(replayed, newer) == [
                (True, f"deal version {VERSION} is being built from the journal now." + end)
            ]
        assert doctor(replayed, newer) == [(False, missing + waited + end)]
        await replayed.rebuild("deal", file=newer.fold.__code__.co_filename, patience=0)
        await asyncio.to_thread(replayed.do, f"UPDATE core.built SET since = {at}")
        complete = f"deal version {VERSION} is complete since {since[3:]} and waits for a project role of this release"
        assert doctor(replayed, newer) == [(False, f"{complete}: start one.{end}")]
        await asyncio.to_thread(replayed.do, f"UPDATE core.checkpoint SET position = position WHERE consumer = '{NEW}'")
        assert await asyncio.to_thread(cut_over, replayed.dsn, newer, replayed.bootstrap, replayed.topic) == ""
        assert doctor(replayed, newer) == []
        await asyncio.to_thread(roll_back, replayed.dsn, ["deal"])
        await asyncio.to_thread(replayed.do, f"UPDATE core.served SET at = {at}")
        rolled_back = f"deal was rolled back {since}: `crm rebuild deal` returns to the new version."
        assert doctor(replayed, newer) == [(False, rolled_back + end)]

    asyncio.run(run())

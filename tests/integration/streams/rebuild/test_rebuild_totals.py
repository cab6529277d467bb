"""Totals after a rebuild: counted from its rows, kept up to date from there on, and compared by `crm verify`."""

import asyncio
from pathlib import Path
from typing import Any

import psycopg
import pytest

from crm.adapters.postgres import totals
from projections import PROJECTIONS
from streams.rebuild.compare.verify import verify
from streams.rebuild.rollback import drop_old, roll_back
from tests.support.rebuild_setup import RebuildSetup, cards

DEAL = PROJECTIONS["deal"]
SHOWN = "SELECT stage, sum(count), sum(paid_minor) FROM read.deal_totals WHERE grain = 'all' GROUP BY 1 ORDER BY 1"
PARTITIONS = f"SELECT count(*) > 0 FROM read.{DEAL.table}_totals WHERE partition = {totals.NOWHERE}"
TABLES = "SELECT schemaname || '.' || tablename FROM pg_tables WHERE tablename LIKE 'deal%totals' ORDER BY 1"


@pytest.fixture
def replayed(kafka_bootstrap: str, fresh_database_url: str, tmp_path: Path) -> RebuildSetup:
    return RebuildSetup(kafka_bootstrap, fresh_database_url, tmp_path)


def shown(replayed: RebuildSetup) -> Any:
    """Returns the totals that readers see, after a comparison with the rows."""
    with psycopg.connect(replayed.dsn) as conn:
        assert totals.wrong(conn, DEAL) == []
    return [(stage, int(count), int(paid)) for stage, count, paid in replayed.do(SHOWN)]


def test_a_rebuild_counts_its_rows_and_goes_on(replayed: RebuildSetup) -> None:
    """Live totals, those of a rebuild, those of events after it, and those after it was rolled back."""

    async def run() -> None:
        await replayed.create()
        await replayed.write(cards(0, 20))
        await replayed.project(("deal",))
        assert shown(replayed) == [("won", 20, 20 * 37_200)]
        assert replayed.do(PARTITIONS) == [(False,)]
        await replayed.rebuild("deal")
        assert shown(replayed) == [("won", 20, 20 * 37_200)]
        assert replayed.do(PARTITIONS) == [(True,)]
        await replayed.write(cards(20, 10)[:-4])  # the last one is neither paid in full nor won
        async with replayed.projecting(["deal"]):
            await replayed.projected([DEAL.table])
        now = [("talks", 1, 5_000), ("won", 29, 29 * 37_200)]
        assert shown(replayed) == now
        await replayed.rebuild("deal")
        assert shown(replayed) == now
        await asyncio.to_thread(roll_back, replayed.dsn, ["deal"])
        assert shown(replayed) == now
        assert replayed.do(TABLES) == [(f"before.{DEAL.table}_totals",), (f"read.{DEAL.table}_totals",)]
        await asyncio.to_thread(drop_old, replayed.dsn, ["deal"])
        assert replayed.do(TABLES) == [(f"read.{DEAL.table}_totals",)]

    asyncio.run(run())


def test_verify_finds_a_wrong_total_and_a_rebuild_repairs_it(replayed: RebuildSetup) -> None:
    async def run() -> None:
        await replayed.create()
        await replayed.write(cards(0, 5))
        await replayed.project(("deal",))
        assert (await verify(replayed.plan("deal"))).same
        await asyncio.to_thread(
            replayed.do, f"UPDATE read.{DEAL.table}_totals SET paid_minor = paid_minor + 1 WHERE grain = 'all'"
        )
        found = await verify(replayed.plan("deal"))
        assert not found.same
        assert found.reports["deal"].same
        ((wrong,),) = found.totals.values()
        assert (wrong.cell["total"], wrong.cell["stage"]) == ("stage, owner", "won")
        assert wrong.counted == {"count": 5, "amount_minor": 101_010, "paid_minor": 186_000}
        assert wrong.kept["paid_minor"] > wrong.counted["paid_minor"]
        assert replayed.do(TABLES) == [(f"read.{DEAL.table}_totals",)]
        await replayed.rebuild("deal")
        assert (await verify(replayed.plan("deal"))).same

    asyncio.run(run())


def test_readers_see_the_totals_of_the_version_that_they_read(
    replayed: RebuildSetup, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A version without totals has no view of them; the next one brings them with its rows, at the same moment."""

    async def run() -> None:
        await replayed.create()
        await replayed.write(cards(0, 4))
        await replayed.project(("deal",))
        newer = replayed.raise_version("deal")
        monkeypatch.setitem(PROJECTIONS, "deal", newer)
        await replayed.bring(totals.TOTALS, DEAL, newer)
        with psycopg.connect(replayed.dsn) as conn:
            assert totals.wrong(conn, newer) == []
        assert [(stage, int(count)) for stage, count, _ in replayed.do(SHOWN)] == [("won", 4)]

    asyncio.run(run())

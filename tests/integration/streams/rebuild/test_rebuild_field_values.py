"""The values of custom fields after a rebuild: filled from its rows, kept up to date, compared by `crm verify`."""

import asyncio
from pathlib import Path
from typing import Any

import psycopg
import pytest

from crm.adapters.postgres import field_values
from crm.adapters.postgres.field_values import WrongValue
from crm.envelope import named_id
from projections import PROJECTIONS
from streams.rebuild.compare.verify import verify
from streams.rebuild.rollback import drop_old, roll_back
from tests.support.rebuild_setup import RebuildSetup, cards
from tests.support.workload.journal import SHOP

DEAL = PROJECTIONS["deal"]
TABLE = field_values.table(DEAL)
SHOWN = "SELECT field, value, count(*) FROM read.deal_field_values GROUP BY 1, 2 ORDER BY 1, 2"
TABLES = "SELECT schemaname || '.' || tablename FROM pg_tables WHERE tablename LIKE 'deal%values' ORDER BY 1"


@pytest.fixture
def replayed(kafka_bootstrap: str, fresh_database_url: str, tmp_path: Path) -> RebuildSetup:
    return RebuildSetup(kafka_bootstrap, fresh_database_url, tmp_path)


def shown(replayed: RebuildSetup) -> Any:
    """Returns the values that readers see, after a comparison with the rows."""
    with psycopg.connect(replayed.dsn) as conn:
        assert field_values.wrong(conn, DEAL) == []
    return replayed.do(SHOWN)


def of(cards: int) -> list[tuple[str, str, int]]:
    return [("count", "n250007", cards), ("size", "sL", cards)]


def test_a_rebuild_fills_the_values_and_goes_on(replayed: RebuildSetup) -> None:
    """Live values, those of a rebuild, those of events after it, and those after it was rolled back."""

    async def run() -> None:
        await replayed.create()
        await replayed.write(cards(0, 20))
        await replayed.project(("deal", "contact"))
        assert shown(replayed) == of(20)
        await replayed.rebuild("deal", "contact")
        assert shown(replayed) == of(20)
        await replayed.write(cards(20, 10))
        async with replayed.projecting(["deal", "contact"]):
            await replayed.projected([DEAL.table])
        assert shown(replayed) == of(30)
        assert replayed.do("SELECT field, value, count(*) FROM read.contact_field_values GROUP BY 1, 2") == []
        await replayed.rebuild("deal")
        await asyncio.to_thread(roll_back, replayed.dsn, ["deal"])
        assert shown(replayed) == of(30)
        assert replayed.do(TABLES) == [(f"before.{DEAL.table}_field_values",), (TABLE,)]
        await asyncio.to_thread(drop_old, replayed.dsn, ["deal"])
        assert replayed.do(TABLES) == [(TABLE,)]
        indexed = f"SELECT indexname FROM pg_indexes WHERE tablename = '{DEAL.table}_field_values' ORDER BY 1"
        assert replayed.do(indexed) == [(f"{DEAL.table}_field_values_{name}",) for name in ("pkey", "value")]

    asyncio.run(run())


def test_verify_finds_a_wrong_value_and_a_rebuild_repairs_it(replayed: RebuildSetup) -> None:
    async def run() -> None:
        await replayed.create()
        await replayed.write(cards(0, 5))
        await replayed.project(("deal",))
        assert (await verify(replayed.plan("deal"))).same
        key = named_id(named_id(SHOP, "contact 3"), "deal")
        where = f"WHERE field = 'count' AND deal_id = '{key}'"
        await asyncio.to_thread(replayed.do, f"UPDATE {TABLE} SET value = 'n250008' {where}")
        found = await verify(replayed.plan("deal"))
        assert not found.same
        assert found.reports["deal"].same
        assert found.fields == {"deal": [WrongValue(SHOP, key, "count", "n250008", "n250007")]}
        assert replayed.do(TABLES) == [(TABLE,)]
        await replayed.rebuild("deal")
        assert (await verify(replayed.plan("deal"))).same

    asyncio.run(run())


def test_a_release_that_brings_the_values_takes_an_installation_over(
    replayed: RebuildSetup, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The version before has no values; the next one brings them with its rows, at the same moment."""

    async def run() -> None:
        await replayed.create()
        await replayed.write(cards(0, 4))
        await replayed.project(("deal",))
        newer = replayed.raise_version("deal")
        monkeypatch.setitem(PROJECTIONS, "deal", newer)
        await replayed.bring(field_values.VALUES, DEAL, newer)
        with psycopg.connect(replayed.dsn) as conn:
            assert field_values.wrong(conn, newer) == []
        assert replayed.do(SHOWN) == of(4)

    asyncio.run(run())

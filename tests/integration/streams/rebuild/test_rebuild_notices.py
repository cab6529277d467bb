"""A rebuild that is ahead of the project role at the change tells subscribers what that role will not tell any more."""

import asyncio
from pathlib import Path
from typing import Any

import msgspec
import psycopg

from crm.events import DealOpened
from projections import PROJECTIONS
from tests.support.patience import PATIENCE
from tests.support.replayed_journal import Replayed, cards


def test_no_change_is_kept_from_subscribers(kafka_bootstrap: str, fresh_database_url: str, tmp_path: Path) -> None:
    """Beside live traffic 199 deals were never told: the rebuild had folded their events before the project role came
    to them, and that role went on behind them."""
    replayed = Replayed(kafka_bootstrap, fresh_database_url, tmp_path)
    known, new = cards(0, 3), cards(3, 2)

    async def write() -> None:
        await replayed.create()
        await replayed.write(known)
        await replayed.project(("deal",))
        await replayed.write(new)

    asyncio.run(write())
    with psycopg.connect(fresh_database_url, autocommit=True) as conn:
        conn.execute("LISTEN changes")
        asyncio.run(replayed.rebuild("deal"))
        conn.execute("SELECT pg_notify('changes', '{}')")
        told: list[Any] = []
        for notice in conn.notifies(timeout=PATIENCE, stop_after=3):
            told.append(msgspec.json.decode(notice.payload))
    change, moved, _ = told
    opened = {event.deal_id for event in new if isinstance(event, DealOpened)}
    next_ = {str(partition): position for partition, position in replayed.next.items()}
    assert (change["projection"], set(change["keys"])) == (PROJECTIONS["deal"].table, opened)
    assert {p: n for p, n in change["at"].items() if n} == next_
    assert moved == {"moved": [[[PROJECTIONS["deal"].table], change["at"]]]}

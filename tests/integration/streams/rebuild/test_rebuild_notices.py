"""A rebuild that is ahead of the project role at the swap notifies subscribers of what that role will skip."""

import asyncio
from pathlib import Path
from typing import Any

import msgspec
import psycopg

from crm.events import DealOpened
from projections import PROJECTIONS
from tests.support.rebuild_setup import RebuildSetup, cards
from tests.support.timeouts import TIMEOUT


def test_no_change_is_kept_from_subscribers(kafka_bootstrap: str, fresh_database_url: str, tmp_path: Path) -> None:
    """Alongside live traffic 199 deals were once never notified: the rebuild had folded their events before the project
    role reached them, and that role then continued after them."""
    replayed = RebuildSetup(kafka_bootstrap, fresh_database_url, tmp_path)
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
        notices: list[Any] = []
        for notice in conn.notifies(timeout=TIMEOUT, stop_after=3):
            notices.append(msgspec.json.decode(notice.payload))
    change, moved, _ = notices
    opened = {event.deal_id for event in new if isinstance(event, DealOpened)}
    next_ = {str(partition): position for partition, position in replayed.next.items()}
    assert (change["projection"], set(change["keys"])) == (PROJECTIONS["deal"].table, opened)
    assert {p: n for p, n in change["at"].items() if n} == next_
    assert moved == {"moved": [[[PROJECTIONS["deal"].table], change["at"]]]}

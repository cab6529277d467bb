"""What a process knows of webhooks is read again whenever it may be out of date."""

import asyncio
from types import SimpleNamespace
from typing import Any

import pytest

from services.outbound.webhooks import cursors
from services.outbound.webhooks.known import Known


def test_a_process_that_was_frozen_reads_what_another_one_planned(monkeypatch: pytest.MonkeyPatch) -> None:
    """It got back the partitions that it had, so it went on with cursors of before: deliveries named a `previous` that
    was not the one before them, and a receiver saw a gap where there was none."""
    loads = list[int]()

    async def version(_: object) -> int:
        return 7

    async def load(_: object) -> Any:
        loads.append(len(loads))
        return [], {}, set()

    monkeypatch.setattr(cursors, "version", version)
    monkeypatch.setattr(cursors, "load", load)
    role: Any = SimpleNamespace(assigned=lambda: [0, 1])
    conn: Any = None

    async def run() -> None:
        known = Known(role)
        await known.refresh(conn, {0: 5})
        known.planned |= {0: 9}
        await known.refresh(conn, {0: 9})
        await known.refresh(conn, {})
        assert len(loads) == 1
        await known.refresh(conn, {0: 12})  # another process planned 9 to 11
        assert len(loads) == 2

    asyncio.run(run())

"""What a process knows of webhooks is read again whenever it may be out of date."""

import asyncio
from collections.abc import Iterable
from contextlib import nullcontext
from types import SimpleNamespace
from typing import Any

import pytest

from crm.scalars import Id
from services.outbound.delivery import Outcome, State
from services.outbound.webhooks import cursors
from services.outbound.webhooks.catch_up import CatchUp
from services.outbound.webhooks.cursors import Cursor
from services.outbound.webhooks.follower import Webhooks
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


def test_cursors_are_read_between_two_plans(monkeypatch: pytest.MonkeyPatch) -> None:
    """An answer of before the commit came after it and took the cursor back: the next delivery named the wrong one
    before it."""
    key = Id("w"), 0
    stored, moved = {key: Cursor(True, 0, 85)}, {key: Cursor(True, 0, 89)}

    async def version(_: object) -> int:
        return 7

    async def run() -> None:
        committed = asyncio.Event()

        async def load(_: object) -> Any:
            found = dict(stored)
            await committed.wait()
            return [], found, set()

        monkeypatch.setattr(cursors, "version", version)
        monkeypatch.setattr(cursors, "load", load)
        plan = asyncio.Lock()
        loop, queues = SimpleNamespace(transaction_lock=plan), SimpleNamespace(waiting=lambda _: 0)
        role: Any = SimpleNamespace(assigned=lambda: [0], loop=loop, queues=queues)
        conn: Any = SimpleNamespace(transaction=nullcontext)
        known = Known(role)
        async with plan:
            look = asyncio.create_task(CatchUp(known).turn(conn, None))
            for _ in range(9):  # so many steps it may take
                await asyncio.wait([look], timeout=0)
            stored.update(moved)
        known.cursors |= moved
        committed.set()
        await look
        assert known.cursors == moved

    asyncio.run(run())


def test_what_failed_is_noted_whatever_this_process_believes(monkeypatch: pytest.MonkeyPatch) -> None:
    """Else a receiver that works again would stay noted as failing, and be switched off; or a dead one never."""
    noted = list[dict[Id, bool]]()
    dead, well = Id("dead"), Id("well")

    async def note(_: object, health: Iterable[tuple[Id, bool]]) -> None:
        noted.append(dict(health))

    async def version(_: object) -> int:
        return 7

    async def load(_: object) -> Any:
        return [], {}, set()  # the failure is not committed yet

    for name, fake in (("note_health", note), ("version", version), ("load", load)):
        monkeypatch.setattr(cursors, name, fake)
    role, conn = SimpleNamespace(assigned=lambda: [0]), None
    webhooks: Any = SimpleNamespace(known=Known(role))  # type: ignore[arg-type]  # a fake

    def settled(target: Id, state: State) -> Any:
        return SimpleNamespace(delivery=SimpleNamespace(target=target), outcome=Outcome(state))

    async def run() -> None:
        for state in (State.WAITING, State.WAITING, State.DELIVERED, State.DELIVERED):
            await Webhooks.settled(webhooks, conn, [settled(dead, state), settled(well, State.DELIVERED)])  # type: ignore[arg-type]  # a fake
            await webhooks.known.refresh(conn, {0: 1})

    asyncio.run(run())
    assert noted == [{dead: False}, {dead: False}, {dead: True}]

"""What a crash of Postgres forgot is attempted again, and nothing else."""

import asyncio
from typing import Any

import pytest

from crm.envelope import named_id
from crm.scalars import Id
from services.outbound import store
from services.outbound.delivery import Delivery
from services.outbound.leases import Leases
from services.outbound.queues import Queues
from tests.support.scenarios import SHOP


def delivery(name: str) -> Delivery:
    id, target = named_id(SHOP, name), named_id(SHOP, "target")
    return Delivery(id, "echo", SHOP, target, id, id, 0, 7, "NoteAdded")


def test_outcomes_that_postgres_forgot_are_repeated(monkeypatch: pytest.MonkeyPatch) -> None:
    """They waited there permanently: the process that had sent them knew nothing of them any more."""
    forgotten, queued, sent = delivery("forgotten"), delivery("queued"), delivery("sent, not stored yet")

    async def load(_: Any, partitions: Any) -> list[Delivery]:
        assert list(partitions) == [0]
        return [forgotten, queued, sent]

    monkeypatch.setattr(store, "load", load)
    leases = Leases("", "1", Queues(), lambda: [0])
    leases.until = {0: 1e12}
    leases.queues.add([queued], forgotten.due_at)
    leases.unstored = lambda: {sent.id}
    asyncio.run(leases.look_again(None))  # type: ignore[arg-type]  # load is replaced
    assert leases.queues.known.keys() == {Id(queued.id), Id(forgotten.id)}

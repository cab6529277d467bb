"""A stream role that counts what it reads, for tests of the roles' loop: one transaction in twenty fails.

COUNTED_FAULT selects another fault of this process: `hang` (the first transaction never ends), `slow-seek` (no
answer to the question for the checkpoints), `skip` (two fetches in three are lost on the way).
"""

import asyncio
import os
import random
from collections.abc import Mapping, Sequence
from typing import Any

from psycopg import AsyncConnection

from crm.settings import Settings
from streams.runtime import loop as consume
from streams.runtime.checkpoints import Partition
from streams.runtime.loop import ConsumerLoop, NewRecords
from streams.runtime.role import run
from streams.runtime.worker import Worker

TOPIC = os.environ.get("COUNTED_TOPIC", "")
FAULT = os.environ.get("COUNTED_FAULT", "")


class Counting:
    """A row for each record that took effect: a loss is an id without one, a repeat an id with two."""

    consumers = (TOPIC,)
    positioned = False
    durable = True

    async def handle(self, conn: AsyncConnection, todo: NewRecords, isolate: bool) -> set[str]:
        ids = [record.value.decode() for record in todo[TOPIC]]
        if FAULT == "hang":
            await asyncio.Event().wait()
        await conn.execute("INSERT INTO counted SELECT unnest(%s::text[])", [ids])
        await conn.execute("SELECT pg_sleep(0.02)")  # long enough for a fault to meet it
        if random.random() < 0.05:
            raise InterruptedError("injected")
        return set()


class SlowSeek(ConsumerLoop):
    """Never gets its checkpoints."""

    async def begin(self, worker: Worker, assigned: Sequence[Partition]) -> Mapping[Any, int]:
        await asyncio.Event().wait()
        raise AssertionError("unreachable")


class Skipping(asyncio.Queue[Any]):
    """Drops fetches."""

    async def put(self, item: Any) -> None:
        if random.random() > 1 / 3:
            await super().put(item)


def consumption(settings: Settings) -> ConsumerLoop:
    kind = SlowSeek if FAULT == "slow-seek" else ConsumerLoop
    made = kind(TOPIC, [TOPIC], Counting(), settings)
    made.worker.app.conf.broker_request_timeout = 4 if FAULT == "slow-seek" else 20
    if FAULT == "skip":
        made.worker.fetches = Skipping(Worker.AHEAD)
    return made


if __name__ == "__main__":
    if FAULT == "hang":
        consume.STALL = 3.0
    if FAULT == "skip":
        consume.IDLE = 0.5
    run("counting", consumption)

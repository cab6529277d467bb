"""A decide role with an injected loss: it commits the checkpoint before the effect, and twice dies between the two."""

import os
import runpy
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from psycopg import AsyncConnection

from streams.runtime.loop import ConsumerLoop, NewRecords
from streams.runtime.sessions import connect
from streams.runtime.worker import Fetch

LIVES = 3  # batches
DEATHS = [Path(os.environ["CRM_ARCHIVE"]).with_name(f"died-{n}") for n in (1, 2)]  # files; the third life lasts
honest = ConsumerLoop.apply
batches = 0


class Noted:
    """Only remembers the records: so the checkpoints move, and nothing else does."""

    consumers, positioned, durable = ("decide",), False, True
    todo: NewRecords = {}  # noqa: RUF012  # replaced, never changed

    async def handle(self, conn: AsyncConnection, todo: NewRecords, isolate: bool) -> set[str]:
        self.todo = todo
        return set()


async def hasty(self: ConsumerLoop, conn: AsyncConnection, fetches: Iterable[Fetch], isolate: bool) -> Any:
    global batches
    deciding, noted = self.handler, Noted()
    self.handler = noted
    try:
        async with await connect(self.dsn) as early, early.transaction():
            moved = await honest(self, early, fetches, isolate)
    finally:
        self.handler = deciding
    if noted.todo:
        batches += 1
        if batches == LIVES and (left := [death for death in DEATHS if not death.exists()]):
            left[0].touch()
            os._exit(9)
        await deciding.handle(conn, noted.todo, isolate)
    return moved


if __name__ == "__main__":
    ConsumerLoop.apply = hasty  # type: ignore[method-assign]  # this is the injected bug
    runpy.run_module("streams.decide", run_name="__main__")

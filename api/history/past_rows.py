"""All deals or contacts as of a moment, in bounded memory: what a fold changes since, and the rest as it stands.

With the clock OCCURRED a row that was touched last at or before the moment is today as it was then, and one that began
later was not there. Only the others are folded again. With RECORDED nothing in a row says when it was recorded, so the
whole history is folded, stream after stream: all events of one row are in one stream (a law that a test holds).
"""

import asyncio
import time
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from typing import Any

import msgspec

from api.errors import TooSlow
from api.sql.database import translate_errors
from api.sql.reads import Reads
from crm.adapters.postgres import history
from crm.adapters.postgres.read_models import as_read
from crm.asof import rows_as_of
from crm.moments import Clock, nearest
from crm.projection import Projection
from crm.scalars import Id, Micros

BEGIN = {"deal": "opened_at", "contact": "created_at"}  # when a row began to be
PATIENCE = 20.0  # seconds that one operation may fold
PAGE = 250  # rows that are folded at a time
SNAPSHOT = "SET TRANSACTION ISOLATION LEVEL REPEATABLE READ"


class PastRows:
    """Reads rows as of a moment on one connection, all in one snapshot."""

    def __init__(self, connection: Any, reads: Reads, projection: Projection[Any], at: Micros, clock: Clock) -> None:
        self.connection, self.reads, self.projection, self.at, self.clock = connection, reads, projection, at, clock
        self.workspace = Id(reads.workspace)
        self.ends = time.monotonic() + PATIENCE

    @property
    def needs_fold(self) -> bool:
        """Tells whether every row must be folded."""
        return self.clock is not Clock.OCCURRED

    @property
    def unchanged(self) -> str:
        """Returns the condition for rows `t` that are today as they were then."""
        return "t.workspace = %(workspace)s AND t.touched_at <= %(at)s"

    async def select(self, query: str, **given: Any) -> list[Any]:
        found = await self.connection.execute(query.encode(), self.parameters(**given))
        return list(await found.fetchall())

    def parameters(self, **given: Any) -> dict[str, Any]:
        return {"workspace": self.workspace, "at": nearest(self.at), **given}

    async def folded(self, condition: str = "true", **given: Any) -> AsyncIterator[list[Any]]:
        """Yields the rows that must be folded, as they were. `condition`: of rows `t` today that may be among them.

        Raises TooSlow.
        """
        if self.needs_fold:
            async for rows in self.whole_history():
                yield rows
            return
        name, key = self.projection.name, self.projection.key
        ids = ", ".join(f"t.{c.name}::text" for c in self.projection.columns if c.type == "uuid" and c.required)
        query = (
            f"SELECT t.{key}::text AS key, ARRAY[{ids}] AS streams FROM read.{name} AS t WHERE t.workspace = "
            f"%(workspace)s AND t.touched_at > %(at)s AND t.{BEGIN[name]} <= %(at)s AND {condition}"
        )
        async with self.connection.cursor(name="changed") as cursor:
            await cursor.execute(query.encode(), self.parameters(**given))
            while page := await cursor.fetchmany(PAGE):
                self.check()
                keys, streams = {row["key"] for row in page}, {id for row in page for id in row["streams"]}
                kinds = self.projection.handles
                events = await history.of_streams(self.connection, kinds, self.workspace, streams)
                yield await asyncio.to_thread(self.fold, [e for e in events if self.projection.key_of(e) in keys])

    async def whole_history(self) -> AsyncIterator[list[Any]]:
        waiting: list[Any] = []  # of a stream that may go on
        async for events in history.pages(self.connection, self.projection.handles, self.workspace):
            self.check()
            waiting += events
            last = waiting[-1].meta.stream
            cut = next((n for n in range(len(waiting), 0, -1) if waiting[n - 1].meta.stream != last), 0)
            complete, waiting = waiting[:cut], waiting[cut:]
            yield await asyncio.to_thread(self.fold, complete)
        yield await asyncio.to_thread(self.fold, waiting)

    def fold(self, events: Sequence[Any]) -> list[Any]:
        self.reads.folded += len(events)
        return [*rows_as_of(self.projection, events, self.at, self.clock).values()]

    def check(self) -> None:
        """Raises TooSlow once the patience is over."""
        if time.monotonic() > self.ends:
            clock = " `clock: OCCURRED` folds only what changed since." if self.needs_fold else ""
            raise TooSlow(
                f"After {PATIENCE:g} s, {self.reads.folded:,} events were folded and more are left. Nothing was "
                f"answered.{clock} `crm replay --until` makes a table of any length of history."
            )

    async def rows_of(self, condition: str, order: str, first: int, **given: Any) -> list[Any]:
        """Returns rows that are as they were, as the fold has them."""
        listed = ", ".join(as_read(column) for column in self.projection.columns)
        query = f"SELECT {listed} FROM read.{self.projection.name} AS t WHERE {self.unchanged} AND {condition} "
        found = await self.select(f"{query}ORDER BY {order} LIMIT %(first)s", first=first, **given)
        return [msgspec.convert(row, self.projection.row) for row in found]


@asynccontextmanager
async def past_rows(reads: Reads, projection: Projection[Any], at: Micros, clock: Clock) -> AsyncIterator[PastRows]:
    """Yields a snapshot. Fields of one operation take turns, and so do operations, so that other reads find room."""
    async with reads.one_by_one, reads.pool.folding:
        with translate_errors():
            async with reads.pool.reading(reads.workspace) as connection, connection.transaction():
                await connection.execute(SNAPSHOT)
                yield PastRows(connection, reads, projection, at, clock)

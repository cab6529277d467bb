"""What subscribers with the same query want to know of a changed row: read and written once for all of them."""

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any, NamedTuple

import psycopg
import structlog
from graphql import ExecutionResult
from graphql.execution import Executor, execute_subscription_event

from api.context import Context
from api.errors import told, unexpected
from api.http.numbers import ENCODER
from api.live.positions import BEGINNING, Places
from api.live.subscriptions.compiled import Compiled
from api.live.subscriptions.feed import CURSOR, Feed
from api.sql.database import rows
from api.sql.reads import shaped
from crm.topics import JOURNAL

AT_ONCE = 4  # rows whose relations are read at the same time
log = structlog.get_logger()


class Read(NamedTuple):
    """`seen`: the rows hold what the projection did up to there, and nothing of what it did later."""

    seen: Places
    bodies: Mapping[str, bytes]  # by key, of those that are wanted


class Selection:
    """Rows and checkpoint come out of one statement, so out of one snapshot: they belong together."""

    def __init__(self, feed: Feed, executor: Executor[Context], context: Context, fast: Compiled | None) -> None:
        self.feed, self.executor, self.context, self.fast = feed, executor, context, fast
        projection = feed.projection
        self.statement = (
            f"SELECT c.seen, t.*, (t.workspace IS NOT NULL AND {feed.only}) AS wanted FROM ("
            "SELECT json_object_agg(partition, position + 1) AS seen FROM core.checkpoint "
            "WHERE consumer = %(consumer)s AND topic = %(topic)s) AS c "
            f"LEFT JOIN read.{projection.name} AS t "
            f"ON t.workspace = %(workspace)s AND t.{projection.key} = ANY (%(keys)s::uuid[])"
        )

    async def read(self, workspace: str, keys: Sequence[str]) -> Read:
        """Raises Unavailable, TooSlow."""
        if self.fast:
            try:
                found = await self.fast.read(self.context.pool, keys)
                return Read(places(found.seen), found.bodies)
            except psycopg.Error:
                log.exception("a subscription's statement failed; its rows are read the slow way from here on")
                self.fast = None
        return await self.slowly(workspace, keys)

    async def slowly(self, workspace: str, keys: Sequence[str]) -> Read:
        projection = self.feed.projection
        parameters = {"workspace": workspace, "keys": list(keys), "consumer": projection.table, "topic": JOURNAL.name}
        found = await rows(self.context.pool, self.statement, parameters)
        known = {row[projection.key]: row for row in found}
        every = self.feed.only == "true"
        wanted = [key for key in keys if (known[key]["wanted"] if key in known else every)]
        turns = asyncio.Semaphore(AT_ONCE)

        async def one(key: str) -> bytes:
            async with turns:
                return await self.body(key, shaped(projection, known[key]) if key in known else None)

        bodies = await asyncio.gather(*map(one, wanted))
        seen = {int(partition): next for partition, next in (found[0]["seen"] or {}).items()}
        return Read(places(seen), dict(zip(wanted, bodies, strict=True)))

    async def body(self, key: str, row: Any) -> bytes:
        """The result as JSON. Each row has loaders and a budget of its own."""
        executor = self.executor.build_per_event_executor({"cursor": CURSOR, "id": key, self.feed.projection.name: row})
        executor.context_value = replace(self.context)
        result = execute_subscription_event(executor)
        return written(result if isinstance(result, ExecutionResult) else await result)


def places(seen: Mapping[int, int]) -> Places:
    return tuple(seen.get(partition, next) for partition, next in enumerate(BEGINNING))


def written(result: ExecutionResult) -> bytes:
    """As the client may see it. Bugs go to the log, without the query's text."""
    whole: dict[str, Any] = {"data": result.data}
    if result.errors:
        for error in result.errors:
            if cause := unexpected(error):
                log.error("a subscription's result failed", path=error.path, exc_info=cause)
        whole["errors"] = [told(error).formatted for error in result.errors]
    return ENCODER.encode(whole)

"""The results of changed rows for subscribers with the same query: read and encoded once for all of them."""

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any, NamedTuple

import psycopg
import structlog
from graphql import ExecutionResult
from graphql.execution import Executor, execute_subscription_event

from api.context import Context
from api.errors import client_error, unexpected
from api.http.numbers import ENCODER
from api.live.positions import BEGINNING, Positions
from api.live.subscriptions.compiled import CompiledStatement
from api.live.subscriptions.feed import CURSOR, Feed
from api.sql.database import rows
from api.sql.reads import shaped
from crm.topics import JOURNAL

AT_ONCE = 4  # rows whose relations are read concurrently
log = structlog.get_logger()


class Results(NamedTuple):
    """`seen`: the position that the rows reflect, exactly."""

    seen: Positions
    bodies: Mapping[str, bytes]  # by key, of the rows that the feed includes


class RowResults:
    """Reads rows and checkpoint in one statement, so in one snapshot."""

    def __init__(
        self, feed: Feed, executor: Executor[Context], context: Context, fast: CompiledStatement | None
    ) -> None:
        self.feed, self.executor, self.context, self.fast = feed, executor, context, fast
        projection = feed.projection
        self.statement = (
            f"SELECT c.seen, t.*, (t.workspace IS NOT NULL AND {feed.only}) AS wanted FROM ("
            "SELECT json_object_agg(partition, position + 1) AS seen FROM core.checkpoint "
            "WHERE consumer = %(consumer)s AND topic = %(topic)s) AS c "
            f"LEFT JOIN read.{projection.name} AS t "
            f"ON t.workspace = %(workspace)s AND t.{projection.key} = ANY (%(keys)s::uuid[])"
        )

    async def read(self, workspace: str, keys: Sequence[str]) -> Results:
        """Returns the results of these rows. Raises Unavailable or TooSlow."""
        if self.fast:
            try:
                found = await self.fast.read(self.context.pool, keys)
                return Results(checkpoint_positions(found.seen), found.bodies)
            except psycopg.Error:
                log.exception("the SQL statement of a subscription failed; its resolvers answer from now on")
                self.fast = None
        return await self.read_by_resolvers(workspace, keys)

    async def read_by_resolvers(self, workspace: str, keys: Sequence[str]) -> Results:
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
        return Results(checkpoint_positions(seen), dict(zip(wanted, bodies, strict=True)))

    async def body(self, key: str, row: Any) -> bytes:
        """Returns the result as JSON. Each row has its own loaders and budget."""
        executor = self.executor.build_per_event_executor({"cursor": CURSOR, "id": key, self.feed.projection.name: row})
        executor.context_value = replace(self.context)
        result = execute_subscription_event(executor)
        return response_body(result if isinstance(result, ExecutionResult) else await result)


def checkpoint_positions(seen: Mapping[int, int]) -> Positions:
    return tuple(seen.get(partition, next) for partition, next in enumerate(BEGINNING))


def response_body(result: ExecutionResult) -> bytes:
    """Returns the result as the client may see it. Logs bugs, without the query's text."""
    whole: dict[str, Any] = {"data": result.data}
    if result.errors:
        for error in result.errors:
            if cause := unexpected(error):
                log.error("a subscription's result failed", path=error.path, exc_info=cause)
        whole["errors"] = [client_error(error).formatted for error in result.errors]
    return ENCODER.encode(whole)

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
from api.live.subscriptions.feed import CURSOR, LEFT, Feed
from api.live.subscriptions.row_filter import Values, filter_from
from api.sql.database import rows
from api.sql.reads import shaped
from crm.topics import JOURNAL

PLACE_OF_LEFT = b'"%s"' % LEFT.encode()
AT_ONCE = 4  # rows whose relations are read concurrently
log = structlog.get_logger()


class Results(NamedTuple):
    """`seen`: the position that the rows reflect, exactly."""

    seen: Positions
    bodies: Mapping[str, bytes]  # by key, of the rows that the feed includes
    values: Mapping[str, Values]  # what filters compare, of each row that exists
    left: Mapping[str, bytes] | None = None  # other bodies, for subscribers whose filter the row has left

    def body(self, key: str, left: bool) -> bytes | None:
        """Returns the result of a row for a subscriber; None when the feed does not include it."""
        if left and self.left is not None:
            return self.left.get(key)
        body = self.bodies.get(key)
        return body and body.replace(PLACE_OF_LEFT, b"true" if left else b"false")


class RowResults:
    """Reads rows and checkpoint in one statement, so in one snapshot."""

    def __init__(
        self,
        feed: Feed,
        executor: Executor[Context],
        context: Context,
        fast: CompiledStatement | None,
        columns: Sequence[str] = (),
    ) -> None:
        self.feed, self.executor, self.context, self.fast = feed, executor, context, fast
        self.columns = columns  # that the filters of the subscribers compare
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
                return Results(checkpoint_positions(found.seen), found.bodies, found.values)
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

        async def one(key: str, left: bool) -> bytes:
            async with turns:
                row = shaped(projection, known[key]) if key in known else None
                return await self.body(key, row, left or row is None)

        async def every_body(left: bool) -> Mapping[str, bytes]:
            bodies = await asyncio.gather(*(one(key, left) for key in wanted))
            return dict(zip(wanted, bodies, strict=True))

        seen = {int(partition): next for partition, next in (found[0]["seen"] or {}).items()}
        values = {key: filter_from({name: row[name] for name in self.columns}) for key, row in known.items()}
        left = await every_body(True) if self.columns else None
        return Results(checkpoint_positions(seen), await every_body(False), values, left)

    async def body(self, key: str, row: Any, left: bool) -> bytes:
        """Returns the result as JSON. Each row has its own loaders and budget."""
        value = {"cursor": CURSOR, "id": key, "left": left, self.feed.projection.name: row}
        executor = self.executor.build_per_event_executor(value)
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

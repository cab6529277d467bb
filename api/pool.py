"""Connections of the role that reads: each shows one workspace, and is given to those of that workspace first.

Telling Postgres the workspace costs a round trip: it is done only when a connection changes hands.
"""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import psycopg
from psycopg.rows import DictRow
from psycopg_pool import AsyncConnectionPool

from crm.adapters.reader import NAME, ROLE

OPTIONS = f"-c timezone=UTC -c statement_timeout=10s -c default_transaction_read_only=on -c role={ROLE}"


class Connection(psycopg.AsyncConnection[DictRow]):
    """`workspace` is the one whose rows it shows; none at first."""

    workspace: str | None = None


class Pool(AsyncConnectionPool[Connection]):
    """Row-level security stands behind the predicate that every statement has: a statement without one finds nothing
    of others."""

    @asynccontextmanager
    async def reading(self, workspace: str) -> AsyncIterator[Connection]:
        """A connection that shows this workspace alone."""
        self.prefer(workspace)
        async with self.connection() as connection:
            if connection.workspace != workspace:
                connection.workspace = None  # until it is certain
                await connection.execute(NAME, [workspace])
                connection.workspace = workspace
            yield connection

    def prefer(self, workspace: str) -> None:
        """Brings a connection that shows this workspace to the front of those that are free."""
        for number, connection in enumerate(self._pool):
            if connection.workspace == workspace:
                self._pool.rotate(-number)
                return

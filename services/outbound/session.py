"""A connection to Postgres that is opened again when it was lost."""

from types import TracebackType
from typing import Self

from psycopg import AsyncConnection

from streams.runtime.sessions import ASYNC_COMMIT_SESSION, connect


class Session:
    """Use it with `async with`. Its commits do not wait for the disk unless a transaction says so."""

    def __init__(self, dsn: str) -> None:
        self.dsn = dsn
        self.conn: AsyncConnection | None = None

    async def get(self) -> AsyncConnection:
        """Returns the connection; waits for Postgres as long as it takes."""
        if self.conn is None or self.conn.closed:
            self.conn = await connect(self.dsn, ASYNC_COMMIT_SESSION)
        return self.conn

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self.conn:
            await self.conn.close()

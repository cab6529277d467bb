"""A connection to Postgres that is opened again when it was lost: the one way to one in this role."""

from types import TracebackType
from typing import Self

from psycopg import AsyncConnection

from streams.runtime.sessions import ASYNC_COMMIT_SESSION, connect


class Session:
    """Use it with `async with`. By default, commits wait for the disk only where a transaction says so."""

    def __init__(self, dsn: str, options: str = ASYNC_COMMIT_SESSION) -> None:
        self.dsn, self.options = dsn, options
        self.conn: AsyncConnection | None = None

    async def get(self) -> AsyncConnection:
        """Returns the connection; waits for Postgres as long as it takes."""
        if self.conn is None or self.conn.closed:
            self.conn = await connect(self.dsn, self.options)
        return self.conn

    async def close(self) -> None:
        """Closes it; who asks for it again gets a new one."""
        conn, self.conn = self.conn, None
        if conn:
            await conn.close()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.close()

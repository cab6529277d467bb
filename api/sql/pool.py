"""Connections of the role that reads: each shows one workspace, and is given to those of that workspace first.

Telling Postgres the workspace costs a round trip: it is done only when a connection changes hands. Nor is a connection
asked whether it still lives before each use, which would be another: a read that finds it dead is done again on the
next one, and on a new one when all of them are.
"""

import asyncio
from collections import deque
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress
from typing import Any, TypeVar

import psycopg
from psycopg.pq import TransactionStatus
from psycopg.rows import DictRow

from crm.adapters.postgres.reader_role import NAME, ROLE

T = TypeVar("T")
OPTIONS = f"-c timezone=UTC -c statement_timeout=10s -c default_transaction_read_only=on -c role={ROLE}"


class Connection(psycopg.AsyncConnection[DictRow]):
    """`workspace` is the one whose rows it shows; none at first."""

    workspace: str | None = None

    def __init__(self, *given: Any, **more: Any) -> None:
        super().__init__(*given, **more)
        self.plans: dict[bytes, bytes] = {}  # names of the statements that are prepared on it, see api/sql/wire.py

    async def show(self, workspace: str, ask: bool = False) -> None:
        """`ask`: though it shows it already, so that a dead connection is found out."""
        if ask or self.workspace != workspace:
            self.workspace = None  # until it is certain
            await self.execute(NAME, [workspace])
            self.workspace = workspace

    @property
    def fit(self) -> bool:
        """For the next one: neither broken nor left in the middle of something."""
        return not self.closed and self.info.transaction_status == TransactionStatus.IDLE


class Pool:
    """Row-level security stands behind the predicate that every statement has: a statement without one finds nothing
    of others."""

    def __init__(self, connect: Callable[[], Awaitable[Connection]], size: int, patience: float = 2.0) -> None:
        self.connect, self.size, self.patience = connect, size, patience  # seconds that a read waits for its turn
        self.idle: list[Connection] = []  # used last, stands last
        self.count = 0
        self.waiting: deque[asyncio.Future[Connection | None]] = deque()

    async def open(self) -> None:
        """Connections are made when they are needed."""

    async def close(self) -> None:
        idle, self.idle, self.size = self.idle, [], 0
        for connection in idle:
            await connection.close()

    async def run(self, workspace: str, read: Callable[[Connection], Awaitable[T]]) -> T:
        """On a connection that shows this workspace alone. Raises what `read` raises, and TimeoutError when none is
        free."""
        while True:
            connection = self.pick(workspace) or await self.turn()
            known = connection is not None
            try:
                connection = connection or await self.connected()
                try:
                    await connection.show(workspace)
                    return await read(connection)
                except (psycopg.OperationalError, psycopg.InterfaceError):
                    if connection.fit or not known:
                        raise
            finally:
                self.give(connection)

    @asynccontextmanager
    async def reading(self, workspace: str) -> AsyncIterator[Connection]:
        """For who reads more than once, which cannot be done again here: it is asked first whether it lives."""
        while True:
            connection = self.pick(workspace) or await self.turn()
            known = connection is not None
            try:
                connection = connection or await self.connected()
                await connection.show(workspace, ask=known)
            except BaseException as error:
                self.give(connection)
                if known and isinstance(error, psycopg.OperationalError | psycopg.InterfaceError):
                    continue
                raise
            break
        try:
            yield connection
        finally:
            self.give(connection)

    def pick(self, workspace: str) -> Connection | None:
        """One that shows this workspace already, else any."""
        for n in range(len(self.idle) - 1, -1, -1):
            if self.idle[n].workspace == workspace:
                return self.idle.pop(n)
        return self.idle.pop(0) if self.idle and self.count >= self.size else None

    async def turn(self) -> Connection | None:
        """None: there is room for a new one."""
        if self.count < self.size:
            self.count += 1
            return None
        loop = asyncio.get_running_loop()
        ours: asyncio.Future[Connection | None] = loop.create_future()
        self.waiting.append(ours)
        late = loop.call_later(self.patience, expire, ours)
        try:
            return await ours
        except asyncio.CancelledError:
            if ours.done() and not ours.cancelled() and not ours.exception():  # it was given one at this very moment
                self.give(ours.result())
            raise
        finally:
            late.cancel()

    async def connected(self) -> Connection:
        async with asyncio.timeout(self.patience):
            return await self.connect()

    def give(self, connection: Connection | None) -> None:
        """Back; to whoever waits longest. In the place of one that is lost a new one may be made."""
        fit = connection is not None and connection.fit and self.count <= self.size
        while self.waiting:
            next_ = self.waiting.popleft()
            if not next_.done():
                next_.set_result(connection if fit else None)
                break
        else:
            if fit and connection:
                self.idle.append(connection)
            else:
                self.count -= 1
        if connection and not fit:
            with suppress(psycopg.Error):
                connection.pgconn.finish()


def expire(waiting: asyncio.Future[Connection | None]) -> None:
    if not waiting.done():
        waiting.set_exception(TimeoutError("no connection became free"))

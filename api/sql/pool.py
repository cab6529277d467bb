"""A pool of read-only connections, each of which shows one workspace and is reused for that workspace first.

Setting the workspace costs a round trip, so it is done only when a connection moves to another workspace. Connections
are not checked before each use, which would cost another: a read that finds one dead is repeated on the next one, and
on a new one when all are dead.
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


FOLDING = 2  # connections that long reads may hold at a time


class Connection(psycopg.AsyncConnection[DictRow]):
    """A connection. `workspace` is the one whose rows it shows; None at first."""

    workspace: str | None = None

    def __init__(self, *given: Any, **more: Any) -> None:
        super().__init__(*given, **more)
        self.plans: dict[bytes, bytes] = {}  # names of its prepared statements, see api/sql/wire.py

    async def show(self, workspace: str, ask: bool = False) -> None:
        """Sets the workspace. `ask`: even if it is set already, to detect a dead connection."""
        if ask or self.workspace != workspace:
            self.workspace = None  # until it is certain
            await self.execute(NAME, [workspace])
            self.workspace = workspace

    @property
    def reusable(self) -> bool:
        """Tells whether the connection is neither broken nor inside of a transaction or statement."""
        return not self.closed and self.info.transaction_status == TransactionStatus.IDLE


class Pool:
    """The pool. Row-level security backs up the workspace predicate of every statement."""

    def __init__(self, connect: Callable[[], Awaitable[Connection]], size: int, patience: float = 2.0) -> None:
        self.connect, self.size, self.patience = connect, size, patience  # seconds that a read waits for a connection
        self.idle: list[Connection] = []  # the most recently used last
        self.count = 0
        self.waiting: deque[asyncio.Future[Connection | None]] = deque()
        self.folding = asyncio.Semaphore(FOLDING)  # held by reads that fold a whole workspace

    async def open(self) -> None:
        """Does nothing: connections are made when they are needed."""

    async def close(self) -> None:
        idle, self.idle, self.size = self.idle, [], 0
        for connection in idle:
            await connection.close()

    async def run(self, workspace: str, read: Callable[[Connection], Awaitable[T]]) -> T:
        """Runs `read` on a connection that shows this workspace. Raises what it raises, or TimeoutError."""
        while True:
            connection = self.pick_idle(workspace) or await self.wait_turn()
            known = connection is not None
            try:
                connection = connection or await self.connect_new()
                try:
                    await connection.show(workspace)
                    return await read(connection)
                except (psycopg.OperationalError, psycopg.InterfaceError):
                    if connection.reusable or not known:
                        raise
            finally:
                self.give_back(connection)

    @asynccontextmanager
    async def reading(self, workspace: str) -> AsyncIterator[Connection]:
        """Yields a connection for several reads. It is checked first, as they cannot be repeated here."""
        while True:
            connection = self.pick_idle(workspace) or await self.wait_turn()
            known = connection is not None
            try:
                connection = connection or await self.connect_new()
                await connection.show(workspace, ask=known)
            except BaseException as error:
                self.give_back(connection)
                if known and isinstance(error, psycopg.OperationalError | psycopg.InterfaceError):
                    continue
                raise
            break
        try:
            yield connection
        finally:
            self.give_back(connection)

    def pick_idle(self, workspace: str) -> Connection | None:
        """Returns an idle connection that shows this workspace; another one only when the pool is full."""
        for n in range(len(self.idle) - 1, -1, -1):
            if self.idle[n].workspace == workspace:
                return self.idle.pop(n)
        return self.idle.pop(0) if self.idle and self.count >= self.size else None

    async def wait_turn(self) -> Connection | None:
        """Waits for a connection; returns None when a new one may be made. Raises TimeoutError."""
        if self.count < self.size:
            self.count += 1
            return None
        loop = asyncio.get_running_loop()
        turn: asyncio.Future[Connection | None] = loop.create_future()
        self.waiting.append(turn)
        timer = loop.call_later(self.patience, expire, turn)
        try:
            return await turn
        except asyncio.CancelledError:
            if turn.done() and not turn.cancelled() and not turn.exception():  # it got one at this very moment
                self.give_back(turn.result())
            raise
        finally:
            timer.cancel()

    async def connect_new(self) -> Connection:
        async with asyncio.timeout(self.patience):
            return await self.connect()

    def give_back(self, connection: Connection | None) -> None:
        """Returns a connection to the pool, or passes it to the longest waiting read. A lost one may be replaced."""
        reusable = connection is not None and connection.reusable and self.count <= self.size
        while self.waiting:
            next_ = self.waiting.popleft()
            if not next_.done():
                next_.set_result(connection if reusable else None)
                break
        else:
            if reusable and connection:
                self.idle.append(connection)
            else:
                self.count -= 1
        if connection and not reusable:
            with suppress(psycopg.Error):
                connection.pgconn.finish()


def expire(waiting: asyncio.Future[Connection | None]) -> None:
    if not waiting.done():
        waiting.set_exception(TimeoutError("no connection became free"))

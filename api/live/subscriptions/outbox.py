"""The outgoing messages of one client: sent in order, each within a time limit."""

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable

from crm.adapters.telemetry.metrics import LET_GO

ENOUGH = 64 * 1024  # bytes that may wait before reading for this client pauses
MESSAGES = 64


class Outbox:
    """A queue whose producers keep it short: they check `busy` first, and go on when `on_room` is called."""

    __slots__ = ("gone", "on_drained", "on_slow", "patience", "send", "sending", "size", "waiting")

    def __init__(
        self,
        send: Callable[[bytes], Awaitable[None]],
        patience: float,
        on_drained: Callable[[], None],
        on_slow: Callable[[], None],
    ) -> None:
        self.send, self.patience, self.on_drained, self.on_slow = send, patience, on_drained, on_slow
        self.waiting: deque[bytes] = deque()
        self.size = 0
        self.sending: asyncio.Task[None] | None = None
        self.gone = False

    @property
    def busy(self) -> bool:
        return self.size >= ENOUGH or len(self.waiting) >= MESSAGES

    def put(self, message: bytes) -> None:
        if not self.gone:
            self.waiting.append(message)
            self.size += len(message)
            if self.sending is None:
                self.sending = asyncio.create_task(self.run())

    async def run(self) -> None:
        try:
            while self.waiting:
                message = self.waiting[0]
                try:
                    async with asyncio.timeout(self.patience):
                        await self.send(message)
                except TimeoutError:
                    self.gone = True
                    LET_GO.labels("slow").inc()
                    self.on_slow()
                    return
                except Exception:  # the client is gone; the receiving side notices it
                    self.gone = True
                    return
                self.waiting.popleft()
                full = self.busy
                self.size -= len(message)
                if full and not self.busy:
                    self.on_drained()
        finally:
            self.sending = None
            if self.gone:
                self.waiting.clear()

    def close(self) -> None:
        self.gone = True
        if self.sending:
            self.sending.cancel()

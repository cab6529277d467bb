"""The receiving side of a request: knows whether its body has ended, and can discard the rest of it."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from typing import Any

LINGER_SECONDS = 5.0


class Incoming:
    """Called like ASGI's own `receive`."""

    __slots__ = ("ended", "receive")

    def __init__(self, receive: Callable[[], Awaitable[Mapping[str, Any]]]) -> None:
        self.receive, self.ended = receive, False

    async def __call__(self) -> Mapping[str, Any]:
        message = await self.receive()
        self.ended = message["type"] != "http.request" or not message.get("more_body")
        return message

    async def linger(self) -> None:
        """Reads and discards the rest of the body for some seconds, so that the client receives the answer.

        Closing at once would reset the connection while the client is still writing, and the 413 would be lost.
        """
        try:
            async with asyncio.timeout(LINGER_SECONDS):
                while not self.ended:
                    await self()
        except TimeoutError:
            pass

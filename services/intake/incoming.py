"""The receiving side of a request: knows whether its body has come to an end, and can throw the rest of it away."""

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
        """Takes in what is still coming, for a while, so that its sender hears the answer.

        Closing at once would reset the connection under a sender that is still writing, and the 413 would be lost.
        """
        try:
            async with asyncio.timeout(LINGER_SECONDS):
                while not self.ended:
                    await self()
        except TimeoutError:
            pass

"""A client that stops reading its websocket is let go: what is kept for it would be kept for ever."""

import asyncio
import contextlib
from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any

import structlog

Scope = MutableMapping[str, Any]
Send = Callable[[Scope], Awaitable[None]]
Receive = Callable[[], Awaitable[Scope]]
Asgi = Callable[[Scope, Receive, Send], Awaitable[None]]
PATIENCE = 30.0  # seconds for one message to go out
SLOW = {
    "type": "websocket.close",
    "code": 4440,
    "reason": "You did not read for too long. Resume with your last cursor.",
}
log = structlog.get_logger()


async def patient(app: Asgi, scope: Scope, receive: Receive, send: Send) -> None:
    """Runs the application until it ends, or until a message to the client has not gone out for PATIENCE seconds.

    The close frame waits behind what the client has not read: it learns the code when it reads again in time.
    """
    late = asyncio.Event()

    async def watched(message: Scope) -> None:
        try:
            async with asyncio.timeout(PATIENCE):
                await send(message)
        except TimeoutError:
            late.set()
            await asyncio.Event().wait()  # until the application is ended, below

    serving = asyncio.ensure_future(app(scope, receive, watched))
    waiting = asyncio.create_task(late.wait())
    try:
        await asyncio.wait([serving, waiting], return_when=asyncio.FIRST_COMPLETED)
        if serving.done():
            return await serving
        log.info("a websocket's client does not read; it is let go", seconds=PATIENCE)
    finally:
        for task in (serving, waiting):
            task.cancel()
        await asyncio.wait([serving, waiting])
    with contextlib.suppress(TimeoutError):
        async with asyncio.timeout(PATIENCE):
            await send(SLOW)

"""/livez, /readyz and /metrics of a role."""

import asyncio
from collections.abc import Awaitable, Callable, MutableMapping
from contextlib import nullcontext, suppress
from typing import Any

import uvicorn
from prometheus_client import CONTENT_TYPE_LATEST, generate_latest

Message = MutableMapping[str, Any]
Ready = Callable[[], str | None]


def answer(path: str, ready: Ready) -> tuple[int, bytes, str] | None:
    """Status, body and content type; None for any other path. `ready` gives what is missing, or None."""
    match path:
        case "/livez":
            return 200, b"ok\n", "text/plain"
        case "/readyz":
            if missing := ready():
                return 503, f"{missing}\n".encode(), "text/plain; charset=utf-8"
            return 200, b"ok\n", "text/plain"
        case "/metrics":
            return 200, generate_latest(), CONTENT_TYPE_LATEST
    return None


async def serve(port: int, ready: Ready, host: str = "127.0.0.1") -> None:
    """Serves until cancelled, in the caller's loop; port 0 serves nothing."""
    if not port:
        return

    async def app(
        scope: Message, receive: Callable[[], Awaitable[Message]], send: Callable[..., Awaitable[None]]
    ) -> None:
        if scope["type"] != "http":
            return
        status, body, kind = answer(scope["path"], ready) or (404, b"not found\n", "text/plain")
        headers = [(b"content-type", kind.encode()), (b"content-length", str(len(body)).encode())]
        await send({"type": "http.response.start", "status": status, "headers": headers})
        await send({"type": "http.response.body", "body": body})

    config = uvicorn.Config(app, host=host, port=port, log_level="warning", access_log=False, lifespan="off")
    server = ServerWithoutSignals(config)
    try:
        await server.serve()
    finally:
        if server.started:  # cancelled: uvicorn leaves its socket open
            await server.shutdown()


class ServerWithoutSignals(uvicorn.Server):
    """Leaves the signals to the role, which calls `end`. uvicorn itself looks ten times a second for an end."""

    def __init__(self, config: uvicorn.Config) -> None:
        super().__init__(config)
        self.ending = asyncio.Event()

    def end(self) -> None:
        self.should_exit = True
        self.ending.set()

    async def main_loop(self) -> None:
        while not await self.on_tick(0):  # the date of its answers
            with suppress(TimeoutError):
                async with asyncio.timeout(1):
                    await self.ending.wait()

    def install_signal_handlers(self) -> None: ...

    def capture_signals(self) -> Any:
        return nullcontext()

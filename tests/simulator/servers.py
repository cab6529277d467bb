"""ASGI applications on free ports of this machine, in this event loop."""

import asyncio
import contextlib
import socket
from collections.abc import AsyncIterator
from typing import Any

import uvicorn

from crm.adapters.telemetry.health import ServerWithoutSignals
from tests.support.timeouts import TIMEOUT


@contextlib.asynccontextmanager
async def served(app: Any) -> AsyncIterator[str]:
    """Yields the address, without a slash at its end."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        config = uvicorn.Config(
            app,
            lifespan="off",
            access_log=False,
            log_config=None,
            timeout_graceful_shutdown=5,
            timeout_keep_alive=int(TIMEOUT),  # longer than any client here keeps an idle connection
        )
        server = ServerWithoutSignals(config)
        serving = asyncio.create_task(server.serve([listener]))
        try:
            yield f"http://127.0.0.1:{listener.getsockname()[1]}"
        finally:
            server.should_exit = True
            await serving

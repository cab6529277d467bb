"""Asks a role of this machine for one page. An HTTP client's pool, headers and time-outs took a tenth of a core."""

import asyncio
import contextlib

from services.stack.ports import LOCAL

PATIENCE = 2.0  # seconds


async def get(port: int, path: str) -> tuple[int, str]:
    """Returns status and body. Raises OSError when nothing answers in time, or not with HTTP."""
    try:
        async with asyncio.timeout(PATIENCE):
            reader, writer = await asyncio.open_connection(LOCAL, port)
            with contextlib.closing(writer):
                writer.write(f"GET {path} HTTP/1.0\r\nHost: {LOCAL}\r\n\r\n".encode())
                head, _, body = (await reader.read()).partition(b"\r\n\r\n")
        return int(head.split(maxsplit=2)[1]), body.decode(errors="replace")
    except (IndexError, ValueError):
        raise OSError(f"no HTTP answer from port {port}") from None

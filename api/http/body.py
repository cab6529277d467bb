"""The body of a request, whole, within a size and a time."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping, MutableMapping
from typing import Any

from api.http.refusal import Gone, Refusal

Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
SECONDS = 15.0  # that a body may take to arrive
CLOSE = (b"connection", b"close")  # the rest of the body is still on its way


async def read(headers: Mapping[str, str], receive: Receive, limit: int, seconds: float = SECONDS) -> bytes:
    """At most `limit` bytes. Raises Refusal, or Gone when it breaks off."""
    declared = headers.get("content-length", "")
    if declared.isdecimal() and (len(declared) > 18 or int(declared) > limit):
        raise too_large(limit)
    first = await piece(receive)  # api.http.connections sees to it that it comes: a time-out here costs too much
    if not first.get("more_body") and len(first.get("body", b"")) <= limit:
        return bytes(first.get("body", b""))
    try:
        async with asyncio.timeout(seconds):
            return await collected(first, receive, limit)
    except TimeoutError:
        raise Refusal(
            408, "TOO_SLOW", f"The body did not arrive within {seconds:g} s. Nothing was read. Send it again.", CLOSE
        ) from None


async def collected(message: Message, receive: Receive, limit: int) -> bytes:
    """All of it, from its first piece on."""
    body = bytearray()
    while True:
        body += message.get("body", b"")
        if len(body) > limit:
            raise too_large(limit)
        if not message.get("more_body"):
            return bytes(body)
        message = await piece(receive)


async def piece(receive: Receive) -> Message:
    message = await receive()
    if message["type"] != "http.request":
        raise Gone
    return message


def too_large(limit: int) -> Refusal:
    return Refusal(413, "TOO_LARGE", f"A request may have {limit} bytes. Nothing was read.", CLOSE)

"""Reads the body of a request, within a size and a time limit."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping, MutableMapping
from typing import Any

from api.http.refusal import ClientGone, Refusal

Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
SECONDS = 15.0  # that a body may take to arrive
CLOSE = (b"connection", b"close")  # the rest of the body is still arriving


async def read(headers: Mapping[str, str], receive: Receive, limit: int, seconds: float = SECONDS) -> bytes:
    """Returns at most `limit` bytes. Raises Refusal, or ClientGone when the client disconnects."""
    declared = headers.get("content-length", "")
    if declared.isdecimal() and (len(declared) > 18 or int(declared) > limit):
        raise too_large(limit)
    first = await next_message(receive)  # api.http.connections limits its time: a timer for each would cost too much
    if not first.get("more_body") and len(first.get("body", b"")) <= limit:
        return bytes(first.get("body", b""))
    try:
        async with asyncio.timeout(seconds):
            return await read_rest(first, receive, limit)
    except TimeoutError:
        why = f"The body did not arrive within {seconds:g} s. Nothing was read. Send it again."
        raise Refusal(408, "TOO_SLOW", why, CLOSE) from None


async def read_rest(message: Message, receive: Receive, limit: int) -> bytes:
    """Returns the whole body, from its first piece on."""
    body = bytearray()
    while True:
        body += message.get("body", b"")
        if len(body) > limit:
            raise too_large(limit)
        if not message.get("more_body"):
            return bytes(body)
        message = await next_message(receive)


async def next_message(receive: Receive) -> Message:
    message = await receive()
    if message["type"] != "http.request":
        raise ClientGone
    return message


def too_large(limit: int) -> Refusal:
    return Refusal(413, "TOO_LARGE", f"The body is larger than {limit} bytes. Nothing was read.", CLOSE)

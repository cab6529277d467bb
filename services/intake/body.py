"""Reads the body of a request, decompressed and within limits."""

import asyncio
import zlib
from collections.abc import Awaitable, Callable, Mapping
from typing import Any

from services.intake.reply import Gone, Stop, sentence

Receive = Callable[[], Awaitable[Mapping[str, Any]]]
READ_SECONDS = 15.0
FEED, STEP = 16_384, 262_144  # bytes that go into the decompressor and come out of it at a time
TURN = 8  # parts before other requests get a turn
MAX_MEMBERS = 10_000  # of a gzip
PADDING = b"\0"  # may follow a gzip's end
GZIP = ("gzip", "x-gzip")
WINDOWS = {"gzip": 31, "x-gzip": 31, "deflate": 47}  # of zlib.decompressobj


class Bodies:
    """Reads bodies concurrently; together they hold no more than `budget` bytes."""

    def __init__(self, budget: int = 256_000_000, seconds: float = READ_SECONDS) -> None:
        self.budget, self.seconds = budget, seconds

    async def read(
        self, headers: Mapping[str, str], receive: Receive, limit: int, seconds: float | None = None
    ) -> bytes:
        """Reads at most `limit` bytes, also after decompression. Raises Stop, or Gone when the client disconnects."""
        seconds = seconds or self.seconds
        declared = headers.get("content-length", "")
        if declared.isdecimal() and (len(declared) > 18 or int(declared) > limit):
            raise too_large(limit)
        try:
            async with asyncio.timeout(seconds):
                body = await self.collect(receive, limit)
        except TimeoutError:
            why = f"The body did not arrive within {seconds:g} s. Nothing was kept. Send it again."
            raise Stop(sentence(408, why)) from None
        encoding = headers.get("content-encoding", "").strip().lower()
        return body if encoding in ("", "identity") else await inflate(body, encoding, limit)

    async def collect(self, receive: Receive, limit: int) -> bytes:
        message = await receive()
        if message["type"] == "http.request" and not message.get("more_body") and len(message["body"]) <= limit:
            return bytes(message["body"])
        held, chunks = 0, []
        try:
            while True:
                if message["type"] != "http.request":
                    raise Gone
                chunk = message.get("body", b"")
                held += len(chunk)
                self.budget -= len(chunk)
                if held > limit:
                    raise too_large(limit)
                if self.budget < 0:
                    why = "Too many large bodies at once. Nothing was kept. Send it again."
                    raise Stop(sentence(503, why, ((b"retry-after", b"1"),)))
                chunks.append(chunk)
                if not message.get("more_body"):
                    return b"".join(chunks)
                message = await receive()
        finally:
            self.budget += held


async def inflate(body: bytes, encoding: str, limit: int) -> bytes:
    """Decompresses at most `limit` bytes. Raises Stop."""
    if encoding not in WINDOWS:
        raise Stop(sentence(415, "The Content-Encoding must be gzip, deflate or none. Nothing was kept."))
    bare = encoding == "deflate" and (len(body) < 2 or body[0] & 15 != 8 or int.from_bytes(body[:2], "big") % 31)
    window = -15 if bare else WINDOWS[encoding]
    stream, members = zlib.decompressobj(window), 1
    parts, size, at = [], 0, 0
    try:
        while True:
            fed = body[at : at + FEED]  # little at a time: what follows an end is copied
            part = stream.decompress(fed, min(STEP, limit + 1 - size))
            at += len(fed) - len(stream.unconsumed_tail) - len(stream.unused_data)
            size += len(part)
            if size > limit:
                raise too_large(limit, " after decompression")
            parts.append(part)
            if stream.eof:
                if not body[at : at + FEED].strip(PADDING) and not body[at:].strip(PADDING):
                    return b"".join(parts)
                if encoding not in GZIP or members == MAX_MEMBERS:
                    raise zlib.error("something follows its end")
                stream, members = zlib.decompressobj(window), members + 1  # RFC 1952, 2.2: one member after the other
            elif not part and at == len(body):
                raise zlib.error("it breaks off")
            if len(parts) % TURN == 0:
                await asyncio.sleep(0)
    except zlib.error as error:
        raise Stop(sentence(400, f"The body is not valid {encoding}: {error}. Nothing was kept.")) from None


def too_large(limit: int, when: str = "") -> Stop:
    return Stop(sentence(413, f"The body is larger than {limit} bytes{when}. Nothing was kept. Send less at a time."))

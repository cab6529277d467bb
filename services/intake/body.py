"""The body of a request, whole and decompressed, or a refusal before it can do harm."""

import asyncio
import zlib
from collections.abc import Awaitable, Callable, Mapping
from typing import Any

from services.intake.reply import Gone, Stop, sentence

Receive = Callable[[], Awaitable[Mapping[str, Any]]]
READ_SECONDS = 15.0
STEP = 262_144  # bytes decompressed before others get their turn
WINDOWS = {"gzip": 31, "x-gzip": 31, "deflate": 47}  # of zlib.decompressobj


class Bodies:
    """Reads bodies one beside the other; together they hold no more than `budget` bytes."""

    def __init__(self, budget: int = 256_000_000, seconds: float = READ_SECONDS) -> None:
        self.budget, self.seconds = budget, seconds

    async def read(self, headers: Mapping[str, str], receive: Receive, limit: int) -> bytes:
        """At most `limit` bytes, also after decompression. Raises Stop, or Gone when it breaks off."""
        declared = headers.get("content-length", "")
        if declared.isdecimal() and (len(declared) > 18 or int(declared) > limit):
            raise too_large(limit)
        try:
            async with asyncio.timeout(self.seconds):
                body = await self.collect(receive, limit)
        except TimeoutError:
            raise Stop(
                sentence(408, f"The body did not arrive within {self.seconds:g} s. Nothing was kept. Send it again.")
            ) from None
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
                    raise Stop(
                        sentence(
                            503,
                            "Too many large bodies at once. Nothing was kept. Send it again.",
                            ((b"retry-after", b"1"),),
                        )
                    )
                chunks.append(chunk)
                if not message.get("more_body"):
                    return b"".join(chunks)
                message = await receive()
        finally:
            self.budget += held


async def inflate(body: bytes, encoding: str, limit: int) -> bytes:
    """Decompressed, as long as that is no more than `limit` bytes. Raises Stop."""
    if encoding not in WINDOWS:
        raise Stop(sentence(415, "The Content-Encoding must be gzip, deflate or none. Nothing was kept."))
    bare = encoding == "deflate" and (len(body) < 2 or body[0] & 15 != 8 or int.from_bytes(body[:2], "big") % 31)
    stream = zlib.decompressobj(-15 if bare else WINDOWS[encoding])
    parts, size, rest = [], 0, body
    try:
        while not stream.eof:
            part = stream.decompress(rest, min(STEP, limit + 1 - size))
            rest = stream.unconsumed_tail
            size += len(part)
            if size > limit:
                raise too_large(limit, " after decompression")
            if not part and not rest and not stream.eof:
                raise zlib.error("it breaks off")
            parts.append(part)
            if size > STEP:
                await asyncio.sleep(0)
        if stream.unused_data:
            raise zlib.error("something follows its end")
    except zlib.error as error:
        raise Stop(sentence(400, f"The body is not valid {encoding}: {error}. Nothing was kept.")) from None
    return b"".join(parts)


def too_large(limit: int, when: str = "") -> Stop:
    return Stop(sentence(413, f"The body is larger than {limit} bytes{when}. Nothing was kept. Send less at a time."))

"""What every fact, event and row is, whatever it says."""

import time
from functools import lru_cache
from hashlib import sha1

from msgspec import Struct

from crm.scalars import Id, Micros
from crm.shared import Meta

VARIANT = {digit: "89ab"[int(digit, 16) & 3] for digit in "0123456789abcdef"}
BYTES = [f"{n:02x}" for n in range(256)]
ORDERED_SINCE = Micros(1_796_000_400_000_000)  # 2026-11-30, 01:00 UTC: what is made of earlier facts keeps its ids
ORDERED_UNTIL = Micros((1 << 48) * 1000)  # as many milliseconds as an id has room for


class Fact(Struct, frozen=True, gc=False):
    """What came in from outside. Its other fields come from its .avsc."""

    meta: Meta


class Event(Struct, frozen=True, gc=False):
    """What was decided; its name is in the past tense. Its other fields come from its .avsc."""

    meta: Meta


class Row(Struct, frozen=True, gc=False):
    """One row of a read model."""


def now() -> Micros:
    """This machine's clock, UTC. Called at the edges only: time is passed in."""
    return Micros(time.time_ns() // 1000)


@lru_cache(maxsize=1024)  # one thing gives its name to several, one after the other
def bytes_of(id: Id) -> bytes:
    return bytes.fromhex(id.replace("-", ""))


def digest(scope: Id, name: str) -> str:
    """Returns 40 hexadecimal digits. A lone surrogate in the name is kept apart from its like."""
    return sha1(bytes_of(scope) + name.encode("utf-8", "surrogatepass"), usedforsecurity=False).hexdigest()


def named_id(scope: Id, name: str) -> Id:
    """Returns the same id for the same name, always: RFC 9562 uuid5. The uuid module takes three times as long.

    Raises ValueError when the scope is no UUID.
    """
    text = digest(scope, name)
    return Id(f"{text[:8]}-{text[8:12]}-5{text[13:16]}-{VARIANT[text[16]]}{text[17:20]}-{text[20:32]}")


@lru_cache(maxsize=64)  # one fact names its events, one after the other
def stem(at: Micros, cause: Id, name: str) -> str:
    """Returns an id without its last byte, RFC 9562 uuid8: 48 bits of milliseconds, 66 of a hash of cause and name."""
    text = digest(cause, name)
    time = f"{at // 1000:012x}"
    return f"{time[:8]}-{time[8:]}-8{text[:3]}-{VARIANT[text[3]]}{text[4:7]}-{text[7:17]}"


def made_id(cause: Meta, name: str, ordinal: int = 0) -> Id:
    """Returns the id of something that a fact brings into being: always the same, and behind the ids of earlier facts,
    so that an index grows at its end and what is recent lies together.

    `name`: "" for an event, which has an ordinal from 1. Raises ValueError when the fact's id is no UUID.
    """
    if ORDERED_SINCE <= cause.recorded_at < ORDERED_UNTIL and ordinal < len(BYTES):
        return Id(stem(cause.recorded_at, cause.id, name) + BYTES[ordinal])
    return named_id(cause.id, name or str(ordinal))

"""What every fact, event and row is, whatever it says."""

import time
from functools import lru_cache
from hashlib import sha1

from msgspec import Struct

from crm.scalars import Id, Micros
from crm.shared import Meta

VARIANT = {digit: "89ab"[int(digit, 16) & 3] for digit in "0123456789abcdef"}


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


def named_id(scope: Id, name: str) -> Id:
    """Returns the same id for the same name, always: RFC 9562 uuid5. The uuid module takes three times as long.

    A lone surrogate in the name is kept apart from its like. Raises ValueError when the scope is no UUID.
    """
    text = sha1(bytes_of(scope) + name.encode("utf-8", "surrogatepass"), usedforsecurity=False).hexdigest()
    return Id(f"{text[:8]}-{text[8:12]}-5{text[13:16]}-{VARIANT[text[16]]}{text[17:20]}-{text[20:32]}")

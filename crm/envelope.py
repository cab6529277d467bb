"""What every fact, event and row is, whatever it says."""

import time
from uuid import UUID, uuid5

from msgspec import Struct

from crm.scalars import Id, Micros
from crm.shared import Meta


class Fact(Struct, frozen=True, gc=False):
    """What the outside told. Its other fields come from its .avsc."""

    meta: Meta


class Event(Struct, frozen=True, gc=False):
    """What was decided; its name is in the past tense. Its other fields come from its .avsc."""

    meta: Meta


class Row(Struct, frozen=True, gc=False):
    """One row of a read model."""


def now() -> Micros:
    """This machine's clock, UTC. Called at the edges only: time is passed in."""
    return Micros(time.time_ns() // 1000)


def named_id(scope: Id, name: str) -> Id:
    """The same for the same name, for ever (RFC 9562 uuid5). A lone surrogate in the name is kept apart from its like."""
    return Id(str(uuid5(UUID(scope), name.encode("utf-8", "surrogatepass").decode("utf-8", "backslashreplace"))))

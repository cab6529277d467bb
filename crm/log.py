"""The log as its writers see it: records go in together, and are kept once the awaitable is done."""

from collections.abc import Awaitable
from typing import NamedTuple, Protocol

from crm.scalars import Micros

Headers = tuple[tuple[str, bytes], ...]

RecordRef = tuple[str, int, int]  # topic, partition, offset


class Record(NamedTuple):
    """One record on its way to a topic. No value: what was kept under the key is gone."""

    topic: str
    key: bytes
    value: bytes | None
    headers: Headers = ()


class Log(Protocol):
    """Kafka, or a memory log that behaves like it."""

    def send(self, *records: Record) -> Awaitable[None]:
        """Done once every record is kept. Raises NotYet when that is not known in time: they may be kept later."""

    def missing(self) -> str | None:
        """A sentence on why nothing can be kept now; None when all is well."""


class Clock(Protocol):
    """This moment, UTC. Passed in, so that a test may say what time it is."""

    def __call__(self) -> Micros: ...

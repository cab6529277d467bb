"""Where events come from: slabs of one partition's consecutive records, still undecoded."""

from collections.abc import AsyncIterator
from typing import NamedTuple, Protocol

import polars as pl


class Slab(NamedTuple):
    """Consecutive events of one journal partition. Position of the n-th: `first + n`."""

    partition: int
    first: int
    values: pl.Series  # binary, never null: framed records as crm.contract.codec reads them
    next_offset: int = -1  # of the topic, behind the last; -1 when it does not come from Kafka

    @property
    def end(self) -> int:
        """The position behind the last."""
        return self.first + len(self.values)


class Source(Protocol):
    """Gives each position of its partitions once and in order. Raises Broken where one is missing."""

    def slabs(self) -> AsyncIterator[Slab]: ...

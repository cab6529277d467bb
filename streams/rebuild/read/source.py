"""The interface of a source: chunks of consecutive, still undecoded records of one partition."""

from collections.abc import AsyncIterator
from typing import NamedTuple, Protocol

import polars as pl


class Chunk(NamedTuple):
    """Consecutive events of one journal partition. The position of the n-th is `first + n`."""

    partition: int
    first: int
    values: pl.Series  # binary, never null: framed records as crm.contract.codec reads them
    next_offset: int = -1  # of the topic, after the last record; -1 when not from Kafka

    @property
    def end(self) -> int:
        """Returns the position after the last event."""
        return self.first + len(self.values)


class Source(Protocol):
    """Yields each position of its partitions once and in order. Raises Broken when one is missing."""

    def chunks(self) -> AsyncIterator[Chunk]: ...

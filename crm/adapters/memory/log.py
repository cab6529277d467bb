"""A log in memory that behaves like Kafka for its writers: for tests, and for trying things out without a broker."""

import asyncio
from collections import defaultdict

from crm.errors import NotYet
from crm.log import Record


class MemoryLog:
    """Keeps what it is sent, in order, by topic. `away` holds a sentence while it plays a broker that is down."""

    def __init__(self) -> None:
        self.topics: dict[str, list[Record]] = defaultdict(list)
        self.away: str | None = None

    def send(self, *records: Record) -> asyncio.Future[None]:
        sent: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        if self.away:
            sent.set_exception(NotYet(self.away))
        else:
            for record in records:
                self.topics[record.topic].append(record)
            sent.set_result(None)
        return sent

    def missing(self) -> str | None:
        return self.away

    @property
    def records(self) -> list[Record]:
        """Everything that was kept, topic by topic."""
        return [record for kept in self.topics.values() for record in kept]

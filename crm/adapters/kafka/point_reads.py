"""Single records of Kafka, by where they lie."""

from typing import Any, Self

from aiokafka import AIOKafkaConsumer, TopicPartition
from aiokafka.errors import OffsetOutOfRangeError

from crm.adapters.kafka.consumer import begin, let_go
from crm.errors import NotYet

PATIENCE_MS = 10_000


class Places:
    """Reads one record after the other."""

    def __init__(self, bootstrap: str) -> None:
        self.consumer = AIOKafkaConsumer(
            bootstrap_servers=bootstrap, enable_auto_commit=False, auto_offset_reset="none", fetch_max_wait_ms=50
        )

    async def __aenter__(self) -> Self:
        await begin(self.consumer)
        return self

    async def __aexit__(self, *_: object) -> None:
        await let_go(self.consumer)

    async def record(self, topic: str, partition: int, offset: int) -> Any:
        """Raises NotYet when Kafka does not give it."""
        place = TopicPartition(topic, partition)
        if self.consumer.assignment() != {place}:
            self.consumer.assign([place])
        self.consumer.seek(place, offset)
        try:
            found = (await self.consumer.getmany(place, timeout_ms=PATIENCE_MS, max_records=1)).get(place)
        except OffsetOutOfRangeError:
            found = None
        if not found or found[0].offset != offset:
            raise NotYet(
                f"Kafka does not have {topic}/{partition}/{offset}, or did not give it in {PATIENCE_MS // 1000} s. "
                "Nothing was changed. Look at the topic's retention, then try again."
            )
        return found[0]

"""Writes the journal in Kafka in position order, and finds where it ends."""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Any, NamedTuple

import msgspec
import structlog
from aiokafka import AIOKafkaProducer, TopicPartition

from crm.adapters.kafka.address import client_options
from crm.adapters.kafka.reading import open_consumer, read_range
from crm.adapters.telemetry.logs import debugging
from crm.contract.codec import TYPE_NAMES, type_of
from crm.errors import Broken, Malformed

REPEATED = 100_000  # records of a partition that frozen relays may have repeated at its end
BATCH_BYTES = 1_000_000

log = structlog.get_logger()


class Slice(NamedTuple):
    """Events of one transaction in one partition, at consecutive positions: [stream, id, source, trace, value] each."""

    partition: int
    first: int
    number: int
    records: bytes  # MessagePack

    @property
    def end(self) -> int:
        """The position after the last one."""
        return self.first + self.number


def new_producer(bootstrap: str) -> AIOKafkaProducer:
    return AIOKafkaProducer(
        **client_options(bootstrap), enable_idempotence=True, acks="all", max_batch_size=BATCH_BYTES, linger_ms=0
    )


class JournalWriter:
    """Writes slices behind `at`, the next position of each partition. What lies before it is skipped.

    At most one batch a partition is in flight: one that fails leaves no later one behind it.
    """

    def __init__(self, producer: AIOKafkaProducer, topic: str, at: Mapping[int, int]) -> None:
        self.producer, self.topic, self.at = producer, topic, dict(at)

    def lacks(self, part: Slice) -> bool:
        """Returns whether the journal lacks some of it."""
        return part.end > self.at[part.partition]

    async def write(self, slices: Sequence[Slice], may_send: Callable[[], Awaitable[None]] | None = None) -> int:
        """Writes all slices, in as many batches as it takes. Returns how many events were sent.

        `may_send` is asked before each, and raises when it has become too late. Raises Broken on a gap.
        """
        sent = 0
        while filled := self.fill(slices):
            if may_send:
                await may_send()
            batches, after, count = filled
            acks = [await self.producer.send_batch(b, self.topic, partition=p) for p, b in batches.items()]
            for ack in acks:
                await ack
            if debugging():
                self.log_published(slices, after)
            self.at, sent = after, sent + count
        return sent

    def fill(self, slices: Sequence[Slice]) -> tuple[dict[int, Any], dict[int, int], int] | None:
        """Returns the next batch of each partition, the positions after them and the events sent; None at the end."""
        batches: dict[int, Any] = {}
        full: set[int] = set()
        after, count = dict(self.at), 0
        for part in slices:
            partition, first = part.partition, part.first
            if part.end <= after[partition]:
                continue
            if first > after[partition] and partition not in full:
                raise Broken(
                    f"Journal partition {partition}: Kafka ends before position {after[partition]}, "
                    f"the outbox begins at {first}. Nothing was published. Restore the journal's end from an archive."
                )
            for position, (stream, id, source, trace, value) in enumerate(unpack(part.records), first):
                if partition in full or position < after[partition]:
                    continue
                batch = batches.get(partition) or batches.setdefault(partition, self.producer.create_batch())
                headers = envelope(id, source, trace, value, position)
                if batch.append(key=stream.encode(), value=value, timestamp=None, headers=headers) is None:
                    full.add(partition)
                    continue
                after[partition] = position + 1
                count += 1
        return (batches, after, count) if count else None

    def log_published(self, slices: Sequence[Slice], after: Mapping[int, int]) -> None:
        """Logs a line for each event that Kafka has now."""
        for partition, first, _, records in slices:
            for position, (stream, id, *_) in enumerate(unpack(records), first):
                if self.at[partition] <= position < after[partition]:
                    log.debug("published", event_id=id, stream=stream, partition=partition, position=position)


def unpack(records: bytes) -> list[Any]:
    return msgspec.msgpack.decode(records)  # type: ignore[no-any-return]  # written by crm.adapters.postgres.outbox


def envelope(id: str, source: str, trace: str, value: bytes, position: int) -> list[tuple[str, bytes]]:
    """CloudEvents' Kafka binding names, and the position, which is only known at commit."""
    kind = type_of(value)
    headers = [
        ("ce_id", id.encode()),
        ("ce_type", TYPE_NAMES[kind].encode() if kind else b""),
        ("ce_source", source.encode()),
        ("content-type", b"application/avro"),
        ("position", str(position).encode()),
    ]
    return [*headers, ("traceparent", trace.encode())] if trace else headers


def position_of(record: Any) -> int:
    """Raises Malformed when it has none: then it is no record of the journal."""
    for name, value in record.headers:
        if name == "position":
            return int(value)
    raise Malformed(f"the journal's record {record.topic}/{record.partition}/{record.offset} has no position")


async def next_positions(bootstrap: str, topic: str, at_least: Mapping[int, int]) -> dict[int, int]:
    """Returns the position after the highest one in each partition.

    That is the last one's, unless it is lower than what is known to be there at least: then repeats may lie at the end.
    """
    async with open_consumer(bootstrap, fetch_max_wait_ms=20) as consumer:
        at = dict.fromkeys(at_least, 0)
        ends = await consumer.end_offsets([TopicPartition(topic, p) for p in at_least])
        for back in (1, REPEATED):
            low = {p for p, least in at_least.items() if back == 1 or at[p] < least}
            late = {tp: end for tp, end in ends.items() if end and tp.partition in low}
            at |= {tp.partition: 0 for tp in late}
            async for fetch in read_range(consumer, {tp: (max(0, end - back), end) for tp, end in late.items()}):
                for tp, records in fetch.items():
                    at[tp.partition] = max([at[tp.partition], *(position_of(record) + 1 for record in records)])
        return at

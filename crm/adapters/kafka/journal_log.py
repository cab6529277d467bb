"""The journal in Kafka: who writes it, in position order, and where it ends."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Any, NamedTuple

import msgspec
import structlog
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer, TopicPartition

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
        """The position behind the last."""
        return self.first + self.number


def new_producer(bootstrap: str) -> AIOKafkaProducer:
    return AIOKafkaProducer(
        bootstrap_servers=bootstrap, enable_idempotence=True, acks="all", max_batch_size=BATCH_BYTES, linger_ms=0
    )


class JournalWriter:
    """Writes slices behind `at`, the next position of each partition. What lies before it is passed over.

    At most one batch a partition is in flight: one that fails leaves no later one behind it.
    """

    def __init__(self, producer: AIOKafkaProducer, topic: str, at: Mapping[int, int]) -> None:
        self.producer, self.topic, self.at = producer, topic, dict(at)

    def lacks(self, part: Slice) -> bool:
        """The journal does not have all of it yet."""
        return part.end > self.at[part.partition]

    async def write(self, slices: Sequence[Slice], may_send: Callable[[], Awaitable[None]] | None = None) -> int:
        """All of them, in as many batches as it takes; gives how many events were sent.

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
                self.tell(slices, after)
            self.at, sent = after, sent + count
        return sent

    def fill(self, slices: Sequence[Slice]) -> tuple[dict[int, Any], dict[int, int], int] | None:
        """The next batch of each partition, where they lead, and how many events they hold; None when all is sent."""
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

    def tell(self, slices: Sequence[Slice], after: Mapping[int, int]) -> None:
        """A line for each event that Kafka has now."""
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
    """What comes after the highest position in each partition.

    That is the last one's, unless it is lower than what is known to be there at least: then repeats may lie at the end.
    """
    consumer = AIOKafkaConsumer(bootstrap_servers=bootstrap, enable_auto_commit=False, fetch_max_wait_ms=20)
    async with consumer:
        at = dict.fromkeys(at_least, 0)
        ends = await consumer.end_offsets([TopicPartition(topic, p) for p in at_least])
        for back in (1, REPEATED):
            late = {
                tp: end for tp, end in ends.items() if end and (back == 1 or at[tp.partition] < at_least[tp.partition])
            }
            found = await highest(consumer, {tp: (max(0, end - back), end) for tp, end in late.items()})
            at |= {tp.partition: position + 1 for tp, position in found.items()}
        return at


async def highest(
    consumer: AIOKafkaConsumer, spans: Mapping[TopicPartition, tuple[int, int]]
) -> dict[TopicPartition, int]:
    """The highest position among the records from ... to before ... of each partition; -1 if there are none."""
    found = dict.fromkeys(spans, -1)
    if spans:  # a consumer that was assigned something and fetched nothing may hang when it stops
        consumer.assign(list(spans))
    for tp, (begin, _) in spans.items():
        consumer.seek(tp, begin)
    while late := [tp for tp, (_, end) in spans.items() if await consumer.position(tp) < end]:
        for tp, records in (await asyncio.wait_for(consumer.getmany(*late, timeout_ms=1000), 10)).items():
            found[tp] = max([found[tp], *map(position_of, records)])
    return found

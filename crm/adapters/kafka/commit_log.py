"""The commit log: in Kafka each transaction's events are kept as a whole before they go into the journal.

The journal's partitions are written side by side. If Postgres is lost in that moment, and its outbox with it, some of a
decision's events are in Kafka and the rest nowhere. They are here: `complete` writes them behind the others.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import msgspec
from aiokafka import AIOKafkaProducer, TopicPartition

from crm.adapters.kafka.journal_log import JournalWriter, Slice, new_producer, next_positions
from crm.adapters.kafka.reading import open_consumer, read_range

CHUNK = 900_000  # bytes of a record; larger transactions take several
TAIL = 100  # records at the end that may not be in the journal yet: more than a relay has in hand at once


class Commit(NamedTuple):
    """A transaction's events. The name distinguishes its chunks from those of another attempt."""

    name: str
    slices: Sequence[Slice]


async def write_commits(producer: AIOKafkaProducer, topic: str, commits: Sequence[Commit]) -> None:
    """Returns when Kafka has them, in this order; a part of them may be there when it raises."""
    batch = producer.create_batch()
    for commit in commits:
        body = msgspec.msgpack.encode(commit.slices)
        count = -(-len(body) // CHUNK)
        for n in range(count):
            headers = [("commit", commit.name.encode()), ("chunk", str(n).encode()), ("chunks", str(count).encode())]
            record = {"key": None, "value": body[n * CHUNK : (n + 1) * CHUNK], "headers": headers, "timestamp": None}
            if batch.append(**record) is None:
                await (await producer.send_batch(batch, topic, partition=0))
                batch = producer.create_batch()
                batch.append(**record)
    await (await producer.send_batch(batch, topic, partition=0))


async def latest(bootstrap: str, topic: str) -> list[Sequence[Slice]]:
    """Returns the transactions at the end of the log, oldest first. An incomplete one never reached the journal."""
    tp = TopicPartition(topic, 0)
    found: list[Sequence[Slice]] = []
    parts: dict[str, list[bytes]] = {}
    async with open_consumer(bootstrap, fetch_max_wait_ms=20) as consumer:
        end, begin = (await consumer.end_offsets([tp]))[tp], (await consumer.beginning_offsets([tp]))[tp]
        async for fetch in read_range(consumer, {tp: (max(begin, end - TAIL), end)}):
            for record in fetch[tp]:
                headers = dict(record.headers)
                name = headers["commit"].decode()
                if headers["chunk"] == b"0":
                    parts[name] = []
                chunks = parts.setdefault(name, [])
                chunks.append(record.value)
                if len(chunks) == int(headers["chunks"]):
                    found.append(msgspec.msgpack.decode(b"".join(parts.pop(name)), type=list[Slice]))
    return found


@dataclass(frozen=True)
class Tail:
    """Where Kafka's two logs of events end: `at`, the journal's next position of each partition, and what was kept."""

    at: Mapping[int, int]
    kept: Sequence[Slice]

    @property
    def ends(self) -> dict[int, int]:
        """Returns the next positions once all that was kept is in the journal."""
        ends = dict(self.at)
        for part in self.kept:
            ends[part.partition] = max(ends[part.partition], part.end)
        return ends


async def tail(bootstrap: str, journal: str, topic: str, at_least: Mapping[int, int]) -> Tail:
    """`at_least`: next positions that the journal is known to have reached."""
    kept = [part for slices in await latest(bootstrap, topic) for part in slices]
    oldest = {part.partition: part.first for part in reversed(kept)}  # the journal has all before these
    known = {p: max(position, oldest.get(p, 0)) for p, position in at_least.items()}
    return Tail(await next_positions(bootstrap, journal, known), kept)


async def complete(bootstrap: str, journal: str, found: Tail) -> None:
    """Writes what was kept and the journal lacks. Readers drop what is repeated."""
    if any(found.at[partition] < end for partition, end in found.ends.items()):
        async with new_producer(bootstrap) as producer:
            await JournalWriter(producer, journal, found.at).write(sorted(found.kept))

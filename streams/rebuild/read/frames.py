"""Kafka's record batches, decoded by the column: what they look like on the wire is what Avro looks like on the wire.

https://kafka.apache.org/documentation/#recordbatch: lengths, deltas and counts are zigzag varints, keys and values are
bytes behind their length. So a batch's records are the block of an Avro file, and polars decodes it: six times faster
than one object a record. That works while each record has the headers that the relay writes; where some differ,
aiokafka reads them one by one.
"""

import struct
from collections.abc import Callable, Iterator
from typing import Any, NamedTuple

import polars as pl
from aiokafka.codec import gzip_decode, lz4_decode, snappy_decode, zstd_decode
from aiokafka.record.memory_records import MemoryRecords
from aiokafka.record.util import calc_crc32c

from crm.adapters.kafka.journal_log import position_of
from crm.errors import Broken, Malformed
from streams.rebuild.read.container import Shape

HEADER = struct.Struct(">qiibIhiqqqhii")
CHECKED_FROM = struct.calcsize(">qiibI")  # where the bytes begin that the checksum is of
MAGIC, CONTROL = 2, 0x20
DECOMPRESS: dict[int, Callable[[bytes], bytes]] = {
    0: bytes,
    1: gzip_decode,
    2: snappy_decode,
    3: lz4_decode,
    4: zstd_decode,
}
HEADERS = (
    "ce_id",
    "ce_type",
    "ce_source",
    "content-type",
    "position",
    "traceparent",
)  # crm/adapters/kafka/journal_log.py


def field(name: str, avro: Any) -> dict[str, Any]:
    return {"name": name, "type": avro}


def shape(headers: tuple[str, ...]) -> Shape:
    """A record with exactly these headers."""
    before = [field(name, "long") for name in ("length", "timestamp", "offset")]
    before.insert(1, field("attributes", {"type": "fixed", "name": "One", "size": 1}))
    fields = [*before, field("key", "bytes"), field("value", "bytes"), field("headers", "long")]
    for name in headers:
        fields += [field(f"name.{name}", "string"), field(name, "string")]
    return Shape({"type": "record", "name": "Kafka", "fields": fields})


SHAPES = {count: shape(HEADERS[:count]) for count in (5, 6)}


class Batch(NamedTuple):
    """One record batch, its records decompressed."""

    base: int  # offset of its first record
    next_offset: int
    number: int  # of records
    body: bytes
    raw: bytes


def batches(data: bytes, where: str) -> Iterator[Batch]:
    """Those that lie whole in an answer of Kafka. Raises Broken for bytes that do not have their checksum."""
    at = 0
    while len(data) - at >= HEADER.size:
        base, length, _, magic, crc, attributes, last, _, _, _, _, _, count = HEADER.unpack_from(data, at)
        end = at + 12 + length
        if end > len(data):
            return  # cut off by the limit of the answer: it comes again
        raw = data[at:end]
        if magic != MAGIC or calc_crc32c(memoryview(raw)[CHECKED_FROM:]) != crc:
            raise Broken(f"{where}: Kafka's record batch at offset {base} is damaged. Nothing was changed.")
        control = attributes & CONTROL
        body = b"" if control else DECOMPRESS[attributes & 7](raw[HEADER.size :])
        yield Batch(base, base + last + 1, 0 if control else count, body, raw)
        at = end


def records(found: list[Batch], where: str) -> tuple[pl.Series, pl.Series]:
    """Positions and values of all records, in order."""
    body, count = b"".join(batch.body for batch in found), sum(batch.number for batch in found)
    for number, how in SHAPES.items():
        try:
            frame = how.read(count, body, ["value", "headers", "name.position", "position"])
        except ValueError:
            continue
        if frame.height == count and fits(frame, number):
            return frame["position"].cast(pl.Int64), frame["value"]
    return one_by_one(found, where)


def fits(frame: pl.DataFrame, headers: int) -> bool:
    """Whether it was read as it was written: one record of another form would have shifted all behind it."""
    return bool((frame["headers"] == headers).all() and (frame["name.position"] == "position").all())


def one_by_one(found: list[Batch], where: str) -> tuple[pl.Series, pl.Series]:
    positions, values = [], []
    topic, _, partition = where.rpartition("/")
    for batch in found:
        if not batch.number:
            continue
        every = MemoryRecords(batch.raw).next_batch()
        for record in every or ():
            place = Place(topic, int(partition), record.offset, record.headers)
            if record.value is None:
                raise Malformed(f"{where}: the record at offset {record.offset} has no value. Nothing was changed.")
            positions.append(position_of(place))
            values.append(record.value)
    return pl.Series(positions, dtype=pl.Int64), pl.Series(values, dtype=pl.Binary)


class Place(NamedTuple):
    """What a position is told by."""

    topic: str
    partition: int
    offset: int
    headers: Any

"""Decodes Kafka's record batches by column, as they have the same encoding as Avro.

https://kafka.apache.org/documentation/#recordbatch: lengths, deltas and counts are zigzag varints, keys and values are
bytes after their length. So the records of a batch form a block of an Avro file, which polars decodes six times faster
than one object a record. This works while each record has the headers that the relay writes; otherwise aiokafka reads
the records one by one.
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
CHECKED_FROM = struct.calcsize(">qiibI")  # first byte that the checksum covers
MAGIC, CONTROL = 2, 0x20
DECOMPRESS: dict[int, Callable[[bytes], bytes]] = {
    0: bytes,
    1: gzip_decode,
    2: snappy_decode,
    3: lz4_decode,
    4: zstd_decode,
}
HEADERS = ("ce_id", "ce_type", "ce_source", "content-type", "position", "traceparent")  # as JournalWriter writes them


def shape(headers: tuple[str, ...]) -> Shape:
    """Returns the shape of a record with exactly these headers."""
    types: dict[str, Any] = {"length": "long", "attributes": {"type": "fixed", "name": "One", "size": 1}}
    types |= {"timestamp": "long", "offset": "long", "key": "bytes", "value": "bytes", "headers": "long"}
    for name in headers:
        types |= {f"name.{name}": "string", name: "string"}
    fields = [{"name": name, "type": avro} for name, avro in types.items()]
    return Shape({"type": "record", "name": "Kafka", "fields": fields})


SHAPES = {count: shape(HEADERS[:count]) for count in (5, 6)}


class Batch(NamedTuple):
    """One record batch with decompressed records."""

    base: int  # offset of its first record
    next_offset: int
    number: int  # of records
    body: bytes
    raw: bytes


def batches(data: bytes, where: str) -> Iterator[Batch]:
    """Yields the complete batches of a response of Kafka. Raises Broken for a wrong checksum."""
    at = 0
    while len(data) - at >= HEADER.size:
        base, length, _, magic, crc, attributes, last, _, _, _, _, _, count = HEADER.unpack_from(data, at)
        end = at + 12 + length
        if end > len(data):
            return  # cut off by the size limit of the response: the next one has it whole
        raw = data[at:end]
        if magic != MAGIC or calc_crc32c(memoryview(raw)[CHECKED_FROM:]) != crc:
            raise Broken(f"{where}: Kafka's record batch at offset {base} is damaged. Nothing was changed.")
        control = attributes & CONTROL
        body = b"" if control else DECOMPRESS[attributes & 7](raw[HEADER.size :])
        yield Batch(base, base + last + 1, 0 if control else count, body, raw)
        at = end


def records(found: list[Batch], where: str) -> tuple[pl.Series, pl.Series]:
    """Returns the positions and values of all records, in order. Raises Malformed for a record without one of them."""
    body, count = b"".join(batch.body for batch in found), sum(batch.number for batch in found)
    for number, candidate in SHAPES.items():
        try:
            frame = candidate.read(count, body, ["value", "headers", "name.position", "position"])
        except ValueError:
            continue
        if frame.height == count and fits(frame, number):
            return frame["position"].cast(pl.Int64), frame["value"]
    return one_by_one(found, where)


def fits(frame: pl.DataFrame, headers: int) -> bool:
    """Returns whether the shape was right: one record of another shape would have shifted all records after it."""
    return bool((frame["headers"] == headers).all() and (frame["name.position"] == "position").all())


def one_by_one(found: list[Batch], where: str) -> tuple[pl.Series, pl.Series]:
    """Reads the records with aiokafka, whatever their headers."""
    positions, values = [], []
    topic, _, partition = where.rpartition("/")
    for batch in found:
        if not batch.number:
            continue
        every = MemoryRecords(batch.raw).next_batch()
        for record in every or ():
            if record.value is None:
                raise Malformed(f"{where}: the record at offset {record.offset} has no value. Nothing was changed.")
            positions.append(position_of(HeadersOnly(topic, int(partition), record.offset, record.headers)))
            values.append(record.value)
    return pl.Series(positions, dtype=pl.Int64), pl.Series(values, dtype=pl.Binary)


class HeadersOnly(NamedTuple):
    """The part of a record that `position_of` reads."""

    topic: str
    partition: int
    offset: int
    headers: Any

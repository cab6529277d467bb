"""Kafka records as Avro object container files, with all that Kafka has of them; any Avro library reads them.

The format is https://avro.apache.org/docs/1.12.0/specification/#object-container-files with the codec `deflate`, which
every library must have. Records are put together here, not by fastavro: 280,000 a second against 77,000.
"""

import json
import os
import zlib
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any, NamedTuple, Protocol

import fastavro

BLOCK = 1 << 20  # bytes before compression
LEVEL = 1  # as small as level 6 within 6 %, and four times faster
BYTES = ["null", "bytes"]
HEADER = {
    "type": "record",
    "name": "Header",
    "doc": "One Kafka header.",
    "fields": [{"name": "key", "type": "string"}, {"name": "value", "type": BYTES}],
}
SCHEMA = {
    "type": "record",
    "name": "Archived",
    "namespace": "crm.archive",
    "doc": "One Kafka record. The file's metadata names its topic and partition: potik.topic, potik.partition.",
    "fields": [
        {"name": "offset", "type": "long", "doc": "In the topic's partition. Facts are found again by it."},
        {"name": "timestamp", "type": "long", "doc": "Kafka's, in milliseconds since 1970, UTC."},
        {"name": "key", "type": BYTES},
        {
            "name": "value",
            "type": BYTES,
            "doc": "As it lies in Kafka: a zero byte, the schema's id (4 bytes, big-endian), the Avro body. "
            "registry.json next to the manifest has the schema of each id. Null: the key was deleted.",
        },
        {"name": "headers", "type": {"type": "array", "items": HEADER}},
    ],
}
MAGIC = b"Obj\x01"
NONE, END = b"\x00", b"\x00"


class StoredRecord(Protocol):
    """What is kept of a record; aiokafka's are such."""

    @property
    def offset(self) -> int: ...
    @property
    def timestamp(self) -> int: ...
    @property
    def key(self) -> bytes | None: ...
    @property
    def value(self) -> bytes | None: ...
    @property
    def headers(self) -> Sequence[tuple[str, bytes | None]]: ...


class ArchivedRecord(NamedTuple):
    """A record as it is read from a file."""

    offset: int
    timestamp: int
    key: bytes | None
    value: bytes | None
    headers: Sequence[tuple[str, bytes | None]] = ()


class Container:
    """A file being written, readable by its owner alone: personal data and secrets of connections are in it."""

    def __init__(self, path: Path, topic: str, partition: int) -> None:
        path.touch(0o600)
        self.file = path.open("wb")
        self.mark = os.urandom(16)
        self.waiting: list[bytes] = []
        self.weight = 0
        about = {"avro.schema": json.dumps(SCHEMA), "avro.codec": "deflate"}
        about |= {"potik.topic": topic, "potik.partition": str(partition)}
        pairs = b"".join(sized(key.encode()) + sized(value.encode()) for key, value in about.items())
        self.file.write(MAGIC + long(len(about)) + pairs + END + self.mark)

    def add(self, records: Iterable[StoredRecord]) -> None:
        for record in records:
            encoded = encode(record)
            self.waiting.append(encoded)
            self.weight += len(encoded)
            if self.weight >= BLOCK:
                self.flush()

    def flush(self) -> None:
        if not self.waiting:
            return
        squeeze = zlib.compressobj(LEVEL, zlib.DEFLATED, -15)
        block = squeeze.compress(b"".join(self.waiting)) + squeeze.flush()
        self.file.write(long(len(self.waiting)) + sized(block) + self.mark)
        self.waiting, self.weight = [], 0

    def size(self) -> int:
        """Bytes so far, without what waits for its block."""
        return self.file.tell()

    def finish(self) -> None:
        """All of it is on the disk afterwards."""
        self.flush()
        self.file.flush()
        os.fsync(self.file.fileno())
        self.file.close()


def read(path: Path) -> Iterator[ArchivedRecord]:
    """Raises what fastavro raises (ValueError, EOFError, zlib.error and others) when the file is no such container."""
    with path.open("rb") as file:
        found: Iterator[Any] = fastavro.reader(file)
        yield from map(archived, found)


def archived(r: Any) -> ArchivedRecord:
    """Of a record as fastavro gives it."""
    headers = [(header["key"], header["value"]) for header in r["headers"]]
    return ArchivedRecord(r["offset"], r["timestamp"], r["key"], r["value"], headers)


def encode(record: StoredRecord) -> bytes:
    """The record's Avro body."""
    parts = [long(record.offset), long(record.timestamp), optional(record.key), optional(record.value)]
    if record.headers:
        parts.append(long(len(record.headers)))
        for key, value in record.headers:
            parts.append(NAMES.get(key) or name(key))
            parts.append(optional(value))
    parts.append(END)
    return b"".join(parts)


PAIR = 1 << 14
MORE = [bytes((n & 127 | 128, n >> 7 | 128)) for n in range(PAIR)]  # two bytes that others follow
LAST = [bytes((n,)) if n < 128 else bytes((n & 127 | 128, n >> 7)) for n in range(PAIR)]


def long(number: int) -> bytes:
    """Zig-zag, seven bits a byte; here two bytes at once."""
    left = number << 1 if number >= 0 else (-number << 1) - 1
    out = b""
    while left >= PAIR:
        out += MORE[left % PAIR]
        left >>= 14
    return out + LAST[left]


LENGTHS = [b"\x02" + long(number) for number in range(4096)]  # "not null" and the length; most fields are short
NAMES: dict[str, bytes] = {}  # of headers: a handful


def optional(value: bytes | None) -> bytes:
    if value is None:
        return NONE
    size = len(value)
    return (LENGTHS[size] if size < len(LENGTHS) else b"\x02" + long(size)) + value


def sized(value: bytes) -> bytes:
    return long(len(value)) + value


def name(key: str) -> bytes:
    encoded = sized(key.encode())
    if len(NAMES) < 1000:  # a new name in every record must not fill the memory
        NAMES[key] = encoded
    return encoded

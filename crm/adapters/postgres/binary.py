"""Values in Postgres's binary format: the fields of a COPY, and arrays as parameters of a statement.

A field is its length in four bytes followed by its bytes; null has the length -1. The elements of an array are such
fields. `unnest` of typed arrays takes a quarter of the server's time that the same rows take as JSON.
https://www.postgresql.org/docs/current/sql-copy.html, Binary Format
"""

import struct
from collections.abc import Callable, Iterable, Sequence
from itertools import repeat
from typing import Any

import psycopg
from psycopg.adapt import Dumper
from psycopg.pq import Format

from crm.json_column import encoded

Values = Iterable[Any]
EPOCH = 946_684_800_000_000  # microseconds between our epoch, 1970, and Postgres's, 2000
NULL = b"\xff\xff\xff\xff"
LENGTHS = [n.to_bytes(4, "big") for n in range(4096)]
UUID, LONG, ARRAY = struct.Struct(">i16s"), struct.Struct(">iq"), struct.Struct(">iiIii")
UUID_TEXT, UUID_SIZE, UUID_SIZE_TEXT = 36, 20, "00000010"  # characters; bytes of a field; its length in hexadecimal
DASHES = (8, 13, 18, 23)
OIDS = {
    **{"boolean": 16, "bytea": 17, "bigint": 20, "text": 25, "json": 114},
    **{"timestamptz": 1184, "uuid": 2950, "jsonb": 3802},
}
EMPTY_JSON = b"\0\0\0\3\1{}"
EMPTY = b"\0\0\0\x0c" + struct.pack(">iiI", 0, 0, OIDS["text"])
MAX_TEXTS, SAMPLE = 20_000, 64
NO_NUL = "Postgres does not store NUL characters"


class Packed(bytes):
    """An array in binary. The statement names its type: `%s::uuid[]`."""


class PackedDumper(Dumper):
    """Gives psycopg the bytes as they are; Postgres takes the type from the statement."""

    format = Format.BINARY

    def dump(self, obj: Packed) -> bytes:
        return obj


psycopg.adapters.register_dumper(Packed, PackedDumper)


def array(kind: str, values: Sequence[Any]) -> Packed:
    """Packs values of one type as an array. Raises what a value raises that does not fit the type."""
    head = ARRAY.pack(1, 0, OIDS[kind], len(values), 1)
    return Packed(b"".join([head, *(uuid_fields(values) if kind == "uuid" else FIELDS[kind](values))]))


def uuid_fields(values: Sequence[str | None]) -> Values:
    """Packs UUID texts, all at once when none is null. Raises ValueError for any other text."""
    if None in values:
        return [NULL if value is None else uuid(value) for value in values]
    given: Sequence[Any] = values
    joined = UUID_SIZE_TEXT.join(["", *given])
    step = UUID_TEXT + len(UUID_SIZE_TEXT)
    dashes = [joined[at + len(UUID_SIZE_TEXT) :: step].count("-") for at in DASHES]
    packed = bytes.fromhex(joined.replace("-", ""))
    sizes = set(map(len, given)) - {UUID_TEXT}
    if sizes or dashes != [len(given)] * len(DASHES) or len(packed) != UUID_SIZE * len(given):
        raise ValueError("an id is no UUID")
    return [packed]


def uuid(value: str) -> bytes:
    return UUID.pack(16, bytes.fromhex(value.replace("-", "")))


def text(value: str) -> bytes:
    data = value.encode()
    if 0 in data:
        raise ValueError(NO_NUL)
    return sized(data)


def sized(data: bytes) -> bytes:
    size = len(data)
    return (LENGTHS[size] if size < 4096 else size.to_bytes(4, "big")) + data


def json(value: dict[str, str]) -> bytes:
    if not value:
        return EMPTY_JSON
    data = encoded(value)
    return (len(data) + 1).to_bytes(4, "big") + b"\1" + data


def texts(value: Sequence[str]) -> bytes:
    if isinstance(value, str):
        raise TypeError("a str is not a tuple of str")
    if not value:
        return EMPTY
    body = ARRAY.pack(1, 0, OIDS["text"], len(value), 1) + b"".join(map(text, value))
    return len(body).to_bytes(4, "big") + body


def literal(value: Sequence[str] | None) -> str | None:
    """Returns a text[] as text: `unnest` would flatten an array of arrays. Raises ValueError when a text has a NUL."""
    if isinstance(value, str):
        raise TypeError("a str is not a tuple of str")
    if not value:
        return None if value is None else "{}"
    joined = "\0".join(value)  # so that all texts are escaped at once
    if joined.count("\0") != len(value) - 1:
        raise ValueError(NO_NUL)
    escaped = joined.replace("\\", "\\\\").replace('"', '\\"').replace("\0", '","')
    return f'{{"{escaped}"}}'


def each(write: Callable[[Any], bytes]) -> Callable[[Values], Values]:
    """Returns a function that packs a column whose values may be null."""
    return lambda values: [NULL if value is None else write(value) for value in values]


class TextCache(dict[Any, bytes]):
    """Packed texts, each packed once: values such as stages, owners and currencies recur."""

    def __missing__(self, value: str | None) -> bytes:
        if len(self) > MAX_TEXTS:
            self.clear()
        self[value] = found = NULL if value is None else text(value)
        return found


TEXTS = TextCache()


def text_column(values: Values) -> Values:
    """Packs a text column, through the cache when a sample has few distinct values."""
    given = list(values)
    if len(set(given[:SAMPLE])) * 4 <= len(given[:SAMPLE]):
        return map(TEXTS.__getitem__, given)
    return [NULL if value is None else text(value) for value in given]


def long_column(values: Sequence[int | None]) -> Values:
    if None in values:
        return [NULL if value is None else LONG.pack(8, value) for value in values]
    return map(LONG.pack, repeat(8), values)


def time_column(values: Sequence[int | None]) -> Values:
    return long_column([None if value is None else value - EPOCH for value in values])


FIELDS: dict[str, Callable[[Any], Values]] = {
    "text": text_column,
    "bigint": long_column,
    "timestamptz": time_column,
    "boolean": each(lambda value: b"\0\0\0\1" + bytes([value])),
    "bytea": each(sized),
    "json": each(sized),  # text as it is stored
    "jsonb": each(json),
    "text[]": each(texts),
}

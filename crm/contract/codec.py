"""Records on the wire: Confluent framing (0x00, schema id, Avro body), ids from the committed registry file.

https://docs.confluent.io/platform/current/schema-registry/fundamentals/serdes-develop/index.html#wire-format
A record is read with the schema that wrote it; fields added since get their defaults.
"""

import io
import struct
from collections.abc import Callable
from functools import partial
from typing import Any

import fastavro
import fastavro.read
import fastavro.write
import msgspec

from crm import events, facts, shared
from crm.contract import compiled
from crm.contract.registry import Registered, bare, newest, registered
from crm.envelope import Event, Fact
from crm.errors import Malformed

# For every reader of Avro here, of strangers' files too: ids stay text and times integers, see crm/scalars.py.
for logical in ("string-uuid", "long-timestamp-micros"):
    fastavro.read.LOGICAL_READERS.pop(logical, None)
    fastavro.write.LOGICAL_WRITERS.pop(logical, None)

FRAME = struct.Struct(">bI")
HEADER = FRAME.size  # bytes: they tell the type
RECORDS: dict[str, type[Any]] = {
    name: record
    for module in (facts, events)
    for name, record in vars(module).items()
    if isinstance(record, type) and issubclass(record, Fact | Event) and record not in (Fact, Event)
}
TYPE_NAMES = {record: name for name, record in RECORDS.items()}
STRUCTS = {name: struct for name, struct in vars(shared).items() if isinstance(struct, type)} | RECORDS


def older(entry: Registered, today: dict[str, Any]) -> Callable[[bytes, int], tuple[Any, int]]:
    """Reads a shape that is not written any more: fastavro fills in what was added since."""
    written, current = fastavro.parse_schema(bare(entry.schema)), fastavro.parse_schema(bare(today))
    record = RECORDS[entry.name]

    def read(data: bytes, at: int) -> tuple[Any, int]:
        body = io.BytesIO(data)
        body.seek(at)
        return msgspec.convert(fastavro.schemaless_reader(body, written, current), record), body.tell()

    return read


def at_first_use(table: dict[Any, Any], key: Any, head: Any, make: Callable[[], Callable[..., Any]]) -> None:
    """Makes the function of an entry when it is first called: few processes meet all of the types."""

    def first(*given: Any) -> Any:
        function = make()
        table[key] = head, function
        return function(*given)

    table[key] = head, first


REGISTERED = registered()
NEWEST = newest(REGISTERED)
WRITERS: dict[type[Any], tuple[bytes, Callable[[Any, bytes], bytes]]] = {}
READERS: dict[int, tuple[type[Any], Callable[[bytes, int], tuple[Any, int]]]] = {}
for shape in REGISTERED:
    kind = RECORDS[shape.name]
    if shape.current:
        compiled.check(shape.schema, STRUCTS)
        at_first_use(WRITERS, kind, FRAME.pack(0, shape.id), partial(compiled.writer, shape.schema))
        at_first_use(READERS, shape.id, kind, partial(compiled.reader, shape.schema, STRUCTS))
    else:
        at_first_use(READERS, shape.id, kind, partial(older, shape, NEWEST[shape.name]))


def encode(record: Fact | Event) -> bytes:
    """Raises Malformed when a value does not fit its schema (a number past 64 bits, a lone surrogate)."""
    header, write = WRITERS[type(record)]
    try:
        return write(record, header)
    except (ValueError, TypeError, OverflowError, AttributeError) as error:
        raise Malformed(f"{type(record).__name__} cannot be written: {error}") from error


def decode(value: bytes) -> Any:
    """A fact or an event. Raises Malformed on anything else."""
    if len(value) < FRAME.size or value[0] != 0:
        raise Malformed("the record is not framed: it must begin with a zero byte and a schema id")
    schema_id = int.from_bytes(value[1:5], "big")
    try:
        kind, read = READERS[schema_id]
    except KeyError:
        raise Malformed(f"schema id {schema_id} is not in the registry") from None
    try:
        record, end = read(value, FRAME.size)
    except Exception as error:  # whatever a broken body leads to
        raise Malformed(f"the body does not fit {kind.__name__}, schema {schema_id}: {error!r}") from error
    if end != len(value):
        how = f"{len(value) - end} bytes too long" if end < len(value) else "cut short"
        raise Malformed(f"the body does not fit {kind.__name__}, schema {schema_id}: it is {how}")
    return record


def type_of(value: bytes) -> type[Any] | None:
    """The class of a framed record without decoding its body; None when its schema is unknown."""
    known = READERS.get(int.from_bytes(value[1:5], "big"))
    return known[0] if known else None

"""Reads an untrusted Avro object container file with limits, each record as JSON.

https://avro.apache.org/docs/1.12.0/specification/#object-container-files
Blocks are read here and not by fastavro, which inflates a block of any size.
"""

import io
import json
import math
import zlib
from typing import Any

import fastavro
import fastavro.read
import msgspec

from services.intake.refusals import Line, Refusal
from services.intake.reply import Stop, problem

MAX_FACTS = 50_000  # of one request, whatever its format
MAX_INFLATED = 64_000_000  # bytes of all blocks
HEADER = fastavro.parse_schema(
    {
        "type": "record",
        "name": "Header",
        "fields": [
            {"name": "magic", "type": {"type": "fixed", "name": "Magic", "size": 4}},
            {"name": "meta", "type": {"type": "map", "values": "bytes"}},
            {"name": "sync", "type": {"type": "fixed", "name": "Sync", "size": 16}},
        ],
    }
)


def read_container(body: bytes) -> list[Line]:
    """Returns the records. One that JSON cannot express is a Refusal. Raises Stop when the file is unreadable."""
    try:
        return list(records(io.BufferedReader(io.BytesIO(body))))
    except Stop:
        raise
    except Exception as error:  # fastavro raises many kinds of errors on a broken file
        raise unreadable(f"{type(error).__name__}: {error}") from None


def records(file: io.BufferedReader) -> list[Line]:
    header: Any = fastavro.schemaless_reader(file, HEADER, None)
    if header["magic"] != b"Obj\x01":
        raise unreadable("it does not start with the Avro magic `Obj` 1")
    codec = header["meta"].get("avro.codec", b"null").decode()
    if codec not in ("null", "deflate"):
        raise unreadable(f"its codec is {codec!r}; supported are null and deflate")
    named = json.loads(header["meta"]["avro.schema"])
    check(named, {})
    schema: Any = fastavro.parse_schema(named)
    single = schema["name"] if isinstance(schema, dict) and schema.get("type") == "record" else ""
    found: list[Line] = []
    left = MAX_INFLATED
    while file.peek(1):
        count, size = long(file), long(file)
        if not 0 <= count <= MAX_FACTS - len(found):
            raise Stop(problem(413, f"The file holds more than {MAX_FACTS} facts. Nothing was kept. Split it."))
        block = inflated(file.read(size), codec, left)
        left -= len(block)
        if file.read(16) != header["sync"]:
            raise unreadable("a block does not end with the file's sync mark")
        datums = io.BytesIO(block)
        for _ in range(count):
            found.append(as_json(datums, schema, single))
        if datums.read(1):
            raise unreadable("a block is longer than its records")
    return found


def as_json(datums: io.BytesIO, schema: Any, single: str) -> Line:
    record: Any = fastavro.schemaless_reader(
        datums, schema, None, return_record_name=True, return_record_name_override=True
    )
    return line_of(record, single)


def line_of(record: Any, single: str) -> Line:
    """Returns a record as fastavro gives it, alone or with its name, as JSON. `single`: its name if it is alone."""
    name = single
    if isinstance(record, tuple):
        name, record = record
    if not isinstance(record, dict):
        raise unreadable("it contains something other than records")
    if path := non_finite(record):
        sentence = f"In `{path}`: NaN and infinity cannot be stored. Leave the field out, or give a number."
        return Refusal(sentence, field=path)
    return msgspec.json.encode({"type": name.rpartition(".")[2], **record})


def non_finite(value: Any) -> str:
    """Returns the path of a NaN or infinity, which JSON would turn into null; empty when there is none."""
    items: Any = ()
    if isinstance(value, dict):
        items = value.items()
    elif isinstance(value, list):
        items = enumerate(value)
    for name, item in items:
        if isinstance(item, float):
            if not math.isfinite(item):
                return str(name)
        elif isinstance(item, dict | list) and (path := non_finite(item)):
            return f"{name}.{path}"
    return ""


def long(file: io.BufferedReader) -> int:
    value: Any = fastavro.schemaless_reader(file, "long", None)
    return int(value)


def inflated(block: bytes, codec: str, limit: int) -> bytes:
    if codec == "deflate":
        stream = zlib.decompressobj(-15)
        block = stream.decompress(block, limit + 1)
    if len(block) > limit:
        why = f"The file is larger than {MAX_INFLATED} bytes when inflated. Nothing was kept. Split it."
        raise Stop(problem(413, why))
    return block


def check(avro: Any, weights: dict[str, bool | None]) -> bool:
    """Whether each value of the schema takes at least one byte. `weights`: named types so far, None while unfinished.

    Raises Stop on a schema by which a few bytes could mean endless data: an array of empty items, a recursive record.
    """
    match avro:
        case str() if (name := avro.rpartition(".")[2]) in weights:
            if (weight := weights[name]) is None:
                raise unreadable(f"its schema has the recursive type {name}")
            return weight
        case str():
            return avro != "null"
        case [*branches]:
            for branch in branches:
                check(branch, weights)
            return True
        case {"type": "array", "items": inner}:
            if not check(inner, weights):
                raise unreadable("its schema has an array of items of zero bytes")
        case {"type": "map", "values": inner}:
            check(inner, weights)
        case {"name": str(named), "type": "record" | "fixed" | "enum"}:
            name = named.rpartition(".")[2]
            if name in weights:
                raise unreadable(f"its schema defines {name} twice")
            weights[name] = None
            inside = [check(field["type"], weights) for field in avro.get("fields", ())]
            weight = any(inside) or avro["type"] == "enum" or bool(avro.get("size"))
            weights[name] = weight
            return weight
        case {"type": inner}:
            return check(inner, weights)
        case _:
            raise unreadable("its schema is not valid")
    return True


def unreadable(why: str) -> Stop:
    return Stop(problem(400, f"The Avro file cannot be read: {why}. Nothing was kept."))

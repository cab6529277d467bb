"""Records of one shape as an Avro file in memory, which polars decodes in Rust, and only the columns asked for.

https://avro.apache.org/docs/1.12.0/specification/#object-container-files
A record inside a record adds no byte of its own, so it is written out flat (`meta.id`): then parts of it can be left
out. A map is on the wire what an array of pairs is, and polars reads arrays.
"""

import io
import json
from collections.abc import Iterator, Sequence
from typing import Any

import polars as pl

from crm.contract.compiled import number
from crm.contract.registry import bare, definitions

SYNC = bytes(16)


class Shape:
    """How records of one schema are decoded by the column. `before` are Avro fields that stand before each record."""

    def __init__(self, schema: dict[str, Any], before: Sequence[dict[str, Any]] = ()) -> None:
        plain = bare(schema)
        fields = [*before, *flat(plain, definitions(plain))]
        self.fields = {field["name"]: field["type"] for field in fields}
        whole = {"type": "record", "name": "Whole", "fields": fields}
        told = {b"avro.schema": json.dumps(named(whole)).encode(), b"avro.codec": b"null"}
        pairs = b"".join(number(len(part)) + part for pair in told.items() for part in pair)
        self.header = b"Obj\x01" + number(len(told)) + pairs + b"\0" + SYNC

    def read(self, count: int, body: bytes, columns: Sequence[str]) -> pl.DataFrame:
        """Raises ValueError when `body` is not `count` records of this shape, as far as polars notices. A schema that
        names a type twice is written out before, as polars 2.1 cannot read it; columns come in the schema's order."""
        file = b"".join((self.header, number(count), number(len(body)), body, SYNC))
        try:
            frame = pl.read_avro(io.BytesIO(file), columns=list(columns))
        except (OSError, pl.exceptions.PolarsError, pl.exceptions.PanicException) as error:
            raise ValueError(f"{type(error).__name__}: {error}") from error
        if frame.height != count:
            raise ValueError(f"{frame.height} records instead of {count}")
        return frame


def flat(record: dict[str, Any], known: dict[str, Any], prefix: str = "") -> Iterator[dict[str, Any]]:
    """Its fields, those of records inside it under dotted names."""
    for field in record["fields"]:
        avro = resolved(field["type"], known)
        if isinstance(avro, dict) and avro["type"] == "record":
            yield from flat(avro, known, f"{prefix}{field['name']}.")
        else:
            yield {"name": prefix + field["name"], "type": readable(avro, known)}


def resolved(avro: Any, known: dict[str, Any]) -> Any:
    return known.get(avro.removeprefix("crm."), avro) if isinstance(avro, str) else avro


def readable(avro: Any, known: dict[str, Any]) -> Any:
    """The type as polars takes it: names written out, maps as arrays of pairs."""
    match resolved(avro, known):
        case [*branches]:
            return [readable(branch, known) for branch in branches]
        case {"type": "record", "fields": fields}:
            return {"type": "record", "fields": [{**f, "type": readable(f["type"], known)} for f in fields]}
        case {"type": "array", "items": items}:
            return {"type": "array", "items": readable(items, known)}
        case {"type": "map", "values": values}:
            pair = [{"name": "key", "type": "string"}, {"name": "value", "type": readable(values, known)}]
            return {"type": "array", "items": {"type": "record", "fields": pair}}
        case plain:
            return plain


def named(avro: Any) -> Any:
    """Each record under a name of its own, as Avro wants it."""
    count = 0

    def walk(part: Any) -> Any:
        nonlocal count
        match part:
            case [*parts]:
                return [walk(each) for each in parts]
            case {"type": "record", "fields": fields}:
                count += 1
                told = [{"name": f["name"], "type": walk(f["type"])} for f in fields]
                return {"type": "record", "name": f"Record{count}", "fields": told} if count else part
            case {"type": "array", "items": items}:
                return {"type": "array", "items": walk(items)}
        return part

    return walk(avro)

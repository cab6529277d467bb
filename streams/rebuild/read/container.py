"""Wraps records of one schema as an Avro file in memory, of which polars decodes the wanted columns in Rust.

https://avro.apache.org/docs/1.12.0/specification/#object-container-files
A nested record adds no bytes of its own, so its fields are listed flat (`meta.id`) and parts of it can be skipped.
A map has the same bytes as an array of pairs, and polars reads arrays.
"""

import io
import json
from collections.abc import Iterator, Sequence
from typing import Any

import polars as pl

from crm.contract.compiled import number
from crm.contract.registry import bare, definitions, resolved

SYNC = bytes(16)


class Shape:
    """Decodes records of one schema by column. `before`: Avro fields that precede each record."""

    def __init__(self, schema: dict[str, Any], before: Sequence[dict[str, Any]] = ()) -> None:
        plain = bare(schema)
        fields = [*before, *flat(plain, definitions(plain))]
        self.fields = {field["name"]: field["type"] for field in fields}
        whole = {"type": "record", "name": "Whole", "fields": fields}
        metadata = {b"avro.schema": json.dumps(named(whole)).encode(), b"avro.codec": b"null"}
        pairs = b"".join(number(len(part)) + part for pair in metadata.items() for part in pair)
        self.header = b"Obj\x01" + number(len(metadata)) + pairs + b"\0" + SYNC

    def read(self, count: int, body: bytes, columns: Sequence[str]) -> pl.DataFrame:
        """Decodes `count` records into columns, in the schema's order.

        Raises ValueError when `body` is not `count` records of this schema, as far as polars notices.
        """
        file = b"".join((self.header, number(count), number(len(body)), body, SYNC))
        try:
            frame = pl.read_avro(io.BytesIO(file), columns=list(columns))
        except (OSError, pl.exceptions.PolarsError, pl.exceptions.PanicException) as error:
            raise ValueError(f"{type(error).__name__}: {error}") from error
        if frame.height != count:
            raise ValueError(f"{frame.height} records instead of {count}")
        return frame


def flat(record: dict[str, Any], known: dict[str, Any], prefix: str = "") -> Iterator[dict[str, Any]]:
    """Yields the fields of a record, those of nested records under dotted names."""
    for field in record["fields"]:
        avro = resolved(field["type"], known)
        if isinstance(avro, dict) and avro["type"] == "record":
            yield from flat(avro, known, f"{prefix}{field['name']}.")
        else:
            yield {"name": prefix + field["name"], "type": readable(avro, known)}


def readable(avro: Any, known: dict[str, Any]) -> Any:
    """Returns the type in a form that polars 2.1 reads: named types written out, maps as arrays of pairs."""
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
    """Gives each record a unique name, as Avro requires."""
    count = 0

    def walk(part: Any) -> Any:
        nonlocal count
        match part:
            case [*parts]:
                return [walk(each) for each in parts]
            case {"type": "record", "fields": fields}:
                count += 1
                walked = [{"name": f["name"], "type": walk(f["type"])} for f in fields]
                return {"type": "record", "name": f"Record{count}", "fields": walked}
            case {"type": "array", "items": items}:
                return {"type": "array", "items": walk(items)}
        return part

    return walk(avro)

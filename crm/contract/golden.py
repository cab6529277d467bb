"""Golden records: two examples of every shape ever published, as bytes and as JSON, that must stay readable forever.

In the JSON, bytes are text of the code points 0 to 255, as in Avro's own JSON encoding.
"""

import io
import json
import struct
from pathlib import Path
from typing import Any
from uuid import NAMESPACE_URL, uuid5

import fastavro

from crm.contract.registry import Registered, bare, definitions, golden_file, resolved

FRAME = struct.Struct(">bI")  # a zero byte and the schema id: Confluent's framing
MOMENT = 1_760_000_000_123_456  # 2025-10-09 08:53:20.123456 UTC


def golden(entry: Registered) -> dict[str, Any]:
    """The two examples of one published shape: `full` has something everywhere, `least` only what must be there."""
    named = definitions(entry.schema)
    records = {}
    for kind in ("full", "least"):
        value = example(entry.schema, entry.name, named, kind == "full")
        body = io.BytesIO()
        fastavro.schemaless_writer(body, bare(entry.schema), value)
        records[kind] = {"hex": (FRAME.pack(0, entry.id) + body.getvalue()).hex(), "value": jsonable(value)}
    return {"id": entry.id, "name": entry.name, **records}


def example(avro: Any, path: str, named: dict[str, Any], full: bool) -> Any:
    """A value that fits the schema, the same on every machine; texts name the field that they fill."""
    match resolved(avro, named):
        case [*branches]:
            given = [branch for branch in branches if branch != "null"]
            return example(given[0], path, named, full) if full else None
        case {"type": "record", "fields": fields}:
            return {f["name"]: example(f["type"], f"{path}.{f['name']}", named, full) for f in fields}
        case {"type": "array", "items": items}:
            return [example(items, f"{path}[{i}]", named, full) for i in range(2 if full else 0)]
        case {"type": "map", "values": values}:
            return {key: example(values, f"{path}.{key}", named, full) for key in (("місто", "") if full else ())}
        case {"logicalType": "uuid"}:
            return str(uuid5(NAMESPACE_URL, path))
        case {"logicalType": "timestamp-micros"}:
            return MOMENT if full else -MOMENT
        case "string":
            return f"{path}: Їжак «Ґава» №1 — 🦔" if full else ""
        case "long":
            return 2**63 - 1 if full else -(2**63)
        case "int":
            return 2**31 - 1 if full else -(2**31)
        case "boolean":
            return full
        case "bytes":
            return bytes(range(256)) if full else b""
    raise TypeError(f"{path}: no example for {avro!r}")


def misread(entry: Registered, today: dict[str, dict[str, Any]], root: Path) -> list[str]:
    """What today's schema makes of one shape's golden records, where that is not what they say."""
    file = golden_file(entry, root)
    if not file.exists():
        return [f"{entry.name} {entry.id}: its golden records are missing. Restore schemas/avro/golden/{file.name}."]
    schema = today.get(entry.name, entry.schema)
    kept = json.loads(file.read_text())
    sentences, what = [], f"{entry.name} {entry.id}: today's schema"
    for kind in ("full", "least"):
        frame = bytes.fromhex(kept[kind]["hex"])
        expected = upgraded(kept[kind]["value"], schema, definitions(schema))
        try:
            body = io.BytesIO(frame[FRAME.size :])
            read = jsonable(fastavro.schemaless_reader(body, bare(entry.schema), bare(schema)))
        except Exception as error:  # fastavro raises whatever a shape that does not fit leads it to
            sentences.append(f"{what} cannot read its {kind} golden record: {error}")
            continue
        if FRAME.unpack_from(frame) != (0, entry.id) or read != expected:
            sentences.append(f"{what} reads its {kind} golden record as something else.")
    return sentences


def upgraded(value: Any, avro: Any, named: dict[str, Any]) -> Any:
    """What a value of an older shape is in a newer one: the defaults of the fields that came later are added."""
    match resolved(avro, named):
        case [*branches]:
            return None if value is None else upgraded(value, next(b for b in branches if b != "null"), named)
        case {"type": "record", "fields": fields}:
            known = {f["name"]: [n for n in (f["name"], *f.get("aliases", ())) if n in value] for f in fields}
            return {
                f["name"]: upgraded(value[known[f["name"]][0]], f["type"], named) if known[f["name"]] else f["default"]
                for f in fields
            }
        case {"type": "array", "items": items}:
            return [upgraded(item, items, named) for item in value]
        case {"type": "map", "values": values}:
            return {key: upgraded(item, values, named) for key, item in value.items()}
    return value


def jsonable(value: Any) -> Any:
    match value:
        case bytes():
            return value.decode("latin-1")
        case dict():
            return {key: jsonable(item) for key, item in value.items()}
        case list():
            return [jsonable(item) for item in value]
    return value


def write(entry: Registered, root: Path) -> None:
    file = golden_file(entry, root)
    file.parent.mkdir(exist_ok=True)
    file.write_text(json.dumps(golden(entry), ensure_ascii=False, indent=1) + "\n")

"""Schema ids: schemas/avro/registry.json holds every shape ever published, whole, under its id."""

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from crm.contract.generate import SCHEMAS, sources


@dataclass(frozen=True)
class Registered:
    """One published shape of a record."""

    id: int
    name: str
    schema: dict[str, Any]
    current: bool  # the newest of its name: what is written today


def registered(root: Path = SCHEMAS) -> list[Registered]:
    """Every shape ever published, in the order of their ids; none before the first publication."""
    file = root / "registry.json"
    entries = json.loads(file.read_text()) if file.exists() else []
    last = {entry["name"]: entry["id"] for entry in entries}
    return [Registered(e["id"], e["name"], e["schema"], last[e["name"]] == e["id"]) for e in entries]


def newest(entries: list[Registered]) -> dict[str, dict[str, Any]]:
    """The shape of each name that is written today."""
    return {entry.name: entry.schema for entry in entries if entry.current}


def golden_file(entry: Registered, root: Path = SCHEMAS) -> Path:
    return root / "golden" / f"{entry.id}_{entry.name}.json"


def todays(root: Path = SCHEMAS) -> dict[str, dict[str, Any]]:
    """Today's schemas of all facts and events, by name."""
    shared = {s["name"]: s for s in sources("shared", root)}
    return {s["name"]: whole(s, shared) for folder in ("facts", "events") for s in sources(folder, root)}


def unpublished(root: Path = SCHEMAS) -> list[str]:
    """Names whose schema today is not the newest published one."""
    published = newest(registered(root))
    return [name for name, schema in todays(root).items() if published.get(name) != schema]


def whole(schema: dict[str, Any], shared: dict[str, dict[str, Any]]) -> dict[str, Any]:
    """The schema with each shared record written out where it is first used, as other Kafka tools want it."""
    seen: set[str] = set()

    def expand(avro: Any) -> Any:
        match avro:
            case str(name) if (short := name.removeprefix("crm.")) in shared:
                if short in seen:
                    return f"crm.{short}"
                seen.add(short)
                return expand(shared[short])
            case [*parts]:
                return [expand(part) for part in parts]
            case {"type": "record"}:
                return {**avro, "fields": [{**field, "type": expand(field["type"])} for field in avro["fields"]]}
            case {"type": "array", "items": inner}:
                return {**avro, "items": expand(inner)}
            case {"type": "map", "values": inner}:
                return {**avro, "values": expand(inner)}
        return avro

    expanded: dict[str, Any] = expand(schema)
    return expanded


def definitions(avro: Any) -> dict[str, Any]:
    """The records that a whole schema defines anywhere inside, by name."""
    match avro:
        case [*parts]:
            return {name: record for part in parts for name, record in definitions(part).items()}
        case {"type": "record", "name": name, "fields": fields}:
            return {name: avro} | definitions([field["type"] for field in fields])
        case {"type": "array", "items": inner} | {"type": "map", "values": inner}:
            return definitions(inner)
    return {}


def bare(avro: Any) -> Any:
    """The schema without logical types: ids stay text and times stay integers, see crm/scalars.py."""
    match avro:
        case [*parts]:
            return [bare(part) for part in parts]
        case {"type": "record"}:
            return {**avro, "fields": [{**field, "type": bare(field["type"])} for field in avro["fields"]]}
        case {"type": "array", "items": inner}:
            return {**avro, "items": bare(inner)}
        case {"type": "map", "values": inner}:
            return {**avro, "values": bare(inner)}
        case {"logicalType": _, "type": kind}:
            return kind
    return avro


def resolved(avro: Any, named: dict[str, Any]) -> Any:
    """The definition behind a name; anything else as it is."""
    return named.get(avro.removeprefix("crm."), avro) if isinstance(avro, str) else avro

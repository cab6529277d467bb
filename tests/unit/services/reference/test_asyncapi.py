"""schemas/asyncapi.json is that of today, and says what is really sent."""

import json
from pathlib import Path
from typing import Any

import pytest

from crm.contract.codec import READERS, WRITERS, decode
from crm.contract.registry import golden_file, registered
from crm.envelope import Event
from services.outbound.delivery import Recorded, delivery_of
from services.outbound.webhooks.payload import body_of, parts_of
from services.reference.asyncapi import FILE, document, text

CURRENT = [e for e in registered() if e.current and issubclass(READERS[e.id][0], Event)]
WHOLE = document()
NAMES = {"string": str, "boolean": bool, "integer": int, "number": float, "array": list, "object": dict}


def test_the_file_is_that_of_today() -> None:
    assert FILE.read_text("utf-8") == text(), "schemas/asyncapi.json is out of date. Run make events."


def problems(value: Any, schema: dict[str, Any], whole: dict[str, Any], path: str = "$") -> list[str]:
    """Returns where a value does not fit: of JSON Schema what the document uses."""
    if "$ref" in schema:
        target = whole
        for part in schema["$ref"].removeprefix("#/").split("/"):
            target = target[part]
        return problems(value, target, whole, path)
    if "anyOf" in schema:
        return [] if any(not problems(value, one, whole) for one in schema["anyOf"]) else [f"{path}: none of anyOf"]
    if "const" in schema:
        return [] if value == schema["const"] else [f"{path}: not {schema['const']}"]
    if schema.get("type") == "null":
        return [] if value is None else [f"{path}: not null"]
    if not isinstance(value, NAMES[schema["type"]]) or (isinstance(value, bool) and schema["type"] != "boolean"):
        return [f"{path}: {value!r} is no {schema['type']}"]
    if isinstance(value, list):
        return [text for n, one in enumerate(value) for text in problems(one, schema["items"], whole, f"{path}/{n}")]
    if not isinstance(value, dict):
        return []
    known, other = schema.get("properties", {}), schema.get("additionalProperties")
    found = [f"{path}: lacks {name}" for name in schema.get("required", ()) if name not in value]
    for name, one in value.items():
        if name in known or other:
            found += problems(one, known.get(name, other), whole, f"{path}/{name}")
        else:
            found.append(f"{path}: knows no {name}")
    return found


@pytest.mark.parametrize("entry", CURRENT, ids=[entry.name for entry in CURRENT])
def test_what_is_sent_fits_the_document(entry: Any) -> None:
    event = golden(golden_file(entry))
    recorded = Recorded(1, 7, WRITERS[type(event)][1](event, WRITERS[type(event)][0]))
    delivery = delivery_of(recorded, "webhook", event.meta.id, event.meta.id, event.meta.stream, 6)
    schema = WHOLE["components"]["messages"][entry.name]["payload"]
    sent = json.loads(body_of(delivery, parts_of(delivery, event, thin=False)))
    assert problems(sent, schema, WHOLE) == []
    sent["data"]["invented"] = 1
    assert problems(sent, schema, WHOLE) == ["$/data: knows no invented"]


def golden(file: Path) -> Any:
    return decode(bytes.fromhex(json.loads(file.read_text())["full"]["hex"]))

"""Makes schemas/asyncapi.json: what webhooks receive, as AsyncAPI 3.0, from the Avro schemas.

https://www.asyncapi.com/docs/reference/specification/v3.0.0
"""

import json
from typing import Any

from crm.contract.generate import SCHEMAS, sources
from crm.contract.registry import registered

FILE = SCHEMAS.parent / "asyncapi.json"
PLAIN: dict[str, dict[str, Any]] = {
    "string": {"type": "string"},
    "boolean": {"type": "boolean"},
    "int": {"type": "integer", "format": "int32"},
    "long": {"type": "integer", "format": "int64"},
    "double": {"type": "number"},
    "bytes": {"type": "string", "contentEncoding": "base64"},
    "null": {"type": "null"},
}
ATTRIBUTES: dict[str, dict[str, Any]] = {
    "specversion": {"const": "1.0"},
    "id": {"type": "string", "format": "uuid", "description": "Of the event; the same for all receivers."},
    "source": {"type": "string", "description": "/workspaces/ and the id of the workspace."},
    "subject": {"type": "string", "format": "uuid", "description": "The stream. Deliveries of one keep their order."},
    "time": {"type": "string", "format": "date-time", "description": "When it happened."},
    "recordedtime": {"type": "string", "format": "date-time", "description": "When it was decided."},
    "datacontenttype": {"const": "application/json"},
    "partition": {"type": "integer", "description": "Partition of the journal."},
    "position": {"type": "string", "description": "Position in the partition, a whole number."},
    "previous": {"type": "string", "description": "Position of the delivery before it in this partition, if any."},
}
# Read when it is sent, and not part of the event: services/outbound/webhooks/callers.py.
SENT_WITH = {
    "CallUpdated": {
        "caller": {
            "type": "object",
            "description": "Who is calling, in a delivery that is sent while the call rings: docs/screen-pop.md.",
            "required": ["employee", "match", "contacts"],
            "properties": {
                "employee": {"type": ["object", "null"], "description": "Whom it rings: said, owners."},
                "match": {"enum": ["certain", "uncertain", "none"]},
                "contacts": {"type": "array", "items": {"type": "object"}},
            },
        }
    }
}
HEADERS = {
    "type": "object",
    "required": ["webhook-id", "webhook-timestamp", "webhook-signature"],
    "properties": {
        "webhook-id": {"type": "string", "description": "The same in each attempt and each replay."},
        "webhook-timestamp": {"type": "string", "description": "Of this attempt, Unix seconds."},
        "webhook-signature": {
            "type": "string",
            "description": "v1, and HMAC-SHA-256 in base64; two during a rotation.",
        },
    },
}


def document() -> dict[str, Any]:
    """Returns the document."""
    events = sorted(sources("events"), key=lambda schema: str(schema["name"]))
    ids = {entry.name: entry.id for entry in registered() if entry.current}
    shared = {f"crm.{schema['name']}": schema for schema in sources("shared")}
    messages = {str(event["name"]): message(event, ids[str(event["name"])]) for event in events}
    schemas = {name.removeprefix("crm."): record(schema) for name, schema in shared.items() if name != "crm.Meta"}
    references = {name: {"$ref": f"#/components/messages/{name}"} for name in messages}
    return {
        "asyncapi": "3.0.0",
        "info": {
            "title": "Webhooks of Potik",
            "version": "1.0.0",
            "description": "Made from schemas/avro by `make events`. Deliveries are signed: Standard Webhooks 1.0.",
        },
        "defaultContentType": "application/cloudevents+json",
        "channels": {"webhook": {"address": None, "messages": references}},
        "operations": {"receive": {"action": "send", "channel": {"$ref": "#/channels/webhook"}}},
        "components": {"messages": messages, "schemas": schemas},
    }


def message(event: dict[str, Any], id: int) -> dict[str, Any]:
    name = str(event["name"])
    own = {"type": {"const": name}, "dataschema": {"const": f"urn:potik:{name}:{id}"}, "data": record(event)}
    own["data"]["properties"] |= SENT_WITH.get(name, {})
    required = [attribute for attribute in ATTRIBUTES if attribute != "previous"]
    payload = {"type": "object", "required": [*required, *own], "properties": {**ATTRIBUTES, **own}}
    return {"name": name, "summary": event["doc"], "headers": HEADERS, "payload": payload}


def record(schema: dict[str, Any]) -> dict[str, Any]:
    fields = [field for field in schema["fields"] if field["name"] != "meta"]
    found = {field["name"]: {**kind(field["type"]), "description": field["doc"]} for field in fields}
    return {"type": "object", "description": schema["doc"], "properties": found}


def kind(avro: Any) -> dict[str, Any]:
    """Returns the JSON Schema of an Avro type."""
    if isinstance(avro, list):
        return {"anyOf": [kind(one) for one in avro]}
    if isinstance(avro, str):
        return PLAIN.get(avro) or {"$ref": f"#/components/schemas/{avro.removeprefix('crm.')}"}
    match avro["type"]:
        case "array":
            return {"type": "array", "items": kind(avro["items"])}
        case "map":
            return {"type": "object", "additionalProperties": kind(avro["values"])}
        case "record":
            return record(avro)
    found = dict(PLAIN[avro["type"]])
    return found | ({"format": "uuid"} if avro.get("logicalType") == "uuid" else {})


def text() -> str:
    return json.dumps(document(), indent=1, ensure_ascii=False) + "\n"

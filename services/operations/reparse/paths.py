"""Finds a value in a raw delivery by a path such as `data.order.total`, `items.0.sku` or `?campaign`."""

from base64 import b64decode
from urllib.parse import parse_qsl

from crm.connector import delivery_of
from crm.errors import Malformed
from crm.scalars import Micros
from crm.shared import Raw
from services.connectors.formats import exact_json
from services.connectors.formats.bodies import read_body
from services.connectors.formats.exact_json import Tree, Value


def tree(raw: Raw) -> Tree:
    """The body as values: JSON, or a form of any kind; empty when it is neither."""
    try:
        return read_body(delivery_of(raw, Micros(0))).tree
    except Malformed:
        return {}


def value_at(raw: Raw, path: str) -> str | None:
    """Returns the value as JSON text, with numbers as the vendor wrote them; None when it is missing or empty.

    `?name` is a parameter of the URL.
    """
    found: Value
    if path.startswith("?"):
        found = dict(parse_qsl(raw.query, keep_blank_values=True)).get(path[1:])
    else:
        found = tree(raw)
        for step in path.split("."):
            found = part(found, step)
    return None if found in (None, "") else exact_json.encode(found)


def part(value: Value, step: str) -> Value:
    if isinstance(value, str):
        value = inside(value)
    match value:
        case dict():
            return value.get(step)
        case list() if step.isdigit() and int(step) < len(value):
            return value[int(step)]
    return None


def inside(text: str) -> Value:
    """Decodes a text that is JSON, or JSON in base64, as vendors nest it; None when it is neither."""
    try:
        return exact_json.decode(text if text[:1] in "{[" else b64decode(text, validate=True))
    except (Malformed, ValueError):
        return None

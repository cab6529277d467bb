"""A value inside a raw delivery, by a path such as `data.order.total`, `items.0.sku` or `?campaign`."""

from base64 import b64decode
from urllib.parse import parse_qsl

from crm.connector import Delivery
from crm.errors import Malformed
from crm.scalars import Micros
from crm.shared import Raw
from services.connectors.formats import exact_json
from services.connectors.formats.bodies import read_body
from services.connectors.formats.exact_json import Tree, Value


def tree(raw: Raw) -> Tree:
    """The body as values: JSON, or a form of any kind; empty when it is neither."""
    headers = {**raw.headers, "content-type": raw.content_type}
    try:
        return read_body(Delivery(headers, raw.body, Micros(0), raw.query)).tree
    except Malformed:
        return {}


def at(raw: Raw, path: str) -> str | None:
    """The value as JSON text, as custom fields are kept, its numbers as the vendor wrote them; None when there is none
    or it is an empty text. `?name` is a parameter of the address."""
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
    """What a text holds that is JSON itself, or JSON in base64, as vendors nest it."""
    try:
        return exact_json.decode(text if text[:1] in "{[" else b64decode(text, validate=True))
    except (Malformed, ValueError):
        return None

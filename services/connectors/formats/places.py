"""Where a vendor has what we ask for: a table of places, in place of code that reads one text after the other."""

from functools import lru_cache
from typing import Any

from services.connectors.formats.exact_json import Value
from services.connectors.formats.values import text


def text_at(tree: Value, places: str) -> str:
    """Returns the text at the first of these places that has one; empty where none has.

    `did | numberData.number`: one field, else a field of an object. `first_name last_name`: both, with a space between.
    """
    for first, *others in _read(places):
        found = text(tree, *first)
        if others:
            found = " ".join(filter(None, (found, *(text(tree, *path) for path in others))))
        if found:
            return found
    return ""


def texts_at(tree: Value, **places: str) -> dict[str, Any]:
    """Returns the text at each place, by our names, as arguments for what asks for them:
    `payment_report(..., **texts_at(order, purpose="description", reference="order_id"))`."""
    return {name: text_at(tree, written) for name, written in places.items()}


@lru_cache(maxsize=4_096)
def _read(places: str) -> tuple[tuple[tuple[str, ...], ...], ...]:
    return tuple(
        tuple(tuple(path.split(".")) for path in place.split()) for place in places.split("|") if place.strip()
    )

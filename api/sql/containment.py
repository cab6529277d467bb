"""Several wanted values of custom fields as one, which a row contains when it contains each of them."""

from collections.abc import Iterable, Sequence
from decimal import Decimal
from typing import Any

NEVER = "never"  # as JSON: no object contains a text, and the index knows it at once


def needle(wanted: Iterable[tuple[str, Any]]) -> Any:
    """For `fields @> needle`: names with their values. A name may come several times: then all of its values hold."""
    whole: dict[str, Any] = {}
    for name, value in wanted:
        try:
            whole[name] = both(whole[name], value) if name in whole else value
        except Contradiction:
            return NEVER
    return whole


class Contradiction(Exception):
    """No value contains both."""


def both(one: Any, other: Any) -> Any:
    """What a value below an object contains when it contains both. Raises Contradiction."""
    if isinstance(one, dict) and isinstance(other, dict):
        shared = {name: both(one[name], other[name]) for name in one.keys() & other.keys()}
        return {**one, **other, **shared}
    if isinstance(one, Sequence) and isinstance(other, Sequence) and not isinstance(one, str) | isinstance(other, str):
        return [*one, *other]
    if kind(one) == kind(other) and one == other:
        return one
    raise Contradiction


def kind(value: Any) -> type:
    """True is not 1, and 1.0 is."""
    return Decimal if isinstance(value, int) and not isinstance(value, bool) else type(value)

"""Merges several wanted values of custom fields into one, which a row contains when it contains each of them."""

from collections.abc import Iterable, Sequence
from decimal import Decimal
from typing import Any

NEVER = "never"  # as JSON: no object contains a string, and the index knows that at once


def needle(wanted: Iterable[tuple[str, Any]]) -> Any:
    """Returns the right side of `fields @> …`. A name may come several times; then all of its values must match."""
    whole: dict[str, Any] = {}
    for name, value in wanted:
        try:
            whole[name] = contains_both(whole[name], value) if name in whole else value
        except Contradiction:
            return NEVER
    return whole


class Contradiction(Exception):
    """No value contains both."""


def contains_both(one: Any, other: Any) -> Any:
    """Returns the JSON that a value contains when it contains both. Raises Contradiction."""
    if isinstance(one, dict) and isinstance(other, dict):
        shared = {name: contains_both(one[name], other[name]) for name in one.keys() & other.keys()}
        return {**one, **other, **shared}
    if isinstance(one, Sequence) and isinstance(other, Sequence) and not isinstance(one, str) | isinstance(other, str):
        return [*one, *other]
    if kind_of(one) == kind_of(other) and one == other:
        return one
    raise Contradiction


def kind_of(value: Any) -> type:
    """Returns the type by which values compare: True is not 1, but 1.0 is."""
    return Decimal if isinstance(value, int) and not isinstance(value, bool) else type(value)

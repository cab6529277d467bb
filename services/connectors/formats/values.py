"""Lenient reading of what vendors send: the same field is text today and a number tomorrow, or an empty list."""

import re
from decimal import Decimal

from crm.errors import Malformed
from services.connectors.formats.exact_json import Tree, Value

_WITHOUT_ZEROS = re.compile(r"\.0+$")
_LENGTH = re.compile(r"(?:(?:(\d{1,4}):)?(\d{1,4}):)?(\d{1,10})(?:[.,]\d+)?", re.ASCII)


def at(tree: Value, *path: str) -> Value:
    """The value at a path of names; None where there is none."""
    for name in path:
        tree = tree.get(name) if isinstance(tree, dict) else None
    return tree


def text(tree: Value, *path: str) -> str:
    """Text, or a number as it was written, without space around it; empty for anything else."""
    return _written(at(tree, *path)).strip()


def verbatim(tree: Value, *path: str) -> str:
    """`text` with its space."""
    return _written(at(tree, *path))


def _written(value: Value) -> str:
    if isinstance(value, str):
        return value
    return "" if isinstance(value, bool) or not isinstance(value, (int, Decimal)) else str(value)


def first(tree: Value, *names: str) -> str:
    """The first of these fields that says something."""
    return next((found for name in names if (found := text(tree, name))), "")


def required(tree: Value, *path: str) -> str:
    """Raises Malformed where `text` is empty."""
    found = text(tree, *path)
    if not found:
        raise Malformed(f"It does not say {'.'.join(path)!r}.")
    return found


def whole(tree: Value, *path: str) -> int | None:
    """A whole number within 64 bits, also when it is sent as text; None where there is none. Raises Malformed."""
    found = text(tree, *path)
    if not found:
        return None
    digits = found[1:] if found[0] == "-" else found
    if not (digits.isascii() and digits.isdecimal() and len(digits) <= 19 and -(2**63) <= int(found) < 2**63):
        raise Malformed(f"{'.'.join(path)!r} is no whole number of 64 bits: {found[:40]!r}.")
    return int(found)


def required_whole(tree: Value, *path: str) -> int:
    required(tree, *path)
    return whole(tree, *path) or 0


def seconds(tree: Value, *path: str) -> int | None:
    """A length of time. Raises Malformed when it is negative or more than 32 bits."""
    found = whole(tree, *path)
    if found is not None and not 0 <= found < 2**31:
        raise Malformed(f"{'.'.join(path)!r} is no length of time: {found}.")
    return found


def whole_or_none(tree: Value, *path: str) -> int | None:
    """`whole` for what may be left out: None also for what is no whole number. 12.0 is one."""
    value = at(tree, *path)
    if value is None or (type(value) is int and -(2**63) <= value < 2**63):
        return value
    try:
        return whole({"": _WITHOUT_ZEROS.sub("", text(tree, *path))}, "")
    except Malformed:
        return None


def seconds_or_none(tree: Value, *path: str) -> int | None:
    """A length of time as people and machines write it, rounded down: 65, 65.0, 1:05, 0:01:05. None for anything else:
    less than nothing, more than 32 bits."""
    told = text(tree, *path)
    if len(told) < 10 and told.isdecimal() and told.isascii():
        return int(told)
    found = _LENGTH.fullmatch(told)
    if not found:
        return None
    hours, minutes, rest = (int(part or 0) for part in found.groups())
    length = (hours * 60 + minutes) * 60 + rest
    return length if length < 2**31 and (rest < 60 or not found[2]) else None


def unreadable(tree: Value, *names: str) -> str:
    """A sentence on those of these fields that hold something, for people."""
    return "; ".join(f"{name} could not be read: {found[:40]!r}" for name in names if (found := text(tree, name)))


def records(tree: Value, *path: str) -> list[Tree]:
    """The objects of a list; empty where there is none."""
    value = at(tree, *path)
    return [item for item in value if isinstance(item, dict)] if isinstance(value, list) else []

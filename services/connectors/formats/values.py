"""Lenient reading of what vendors send: the same field is text today and a number tomorrow, or an empty list."""

import re
from decimal import Decimal

from crm.errors import Malformed
from services.connectors.formats.exact_json import Tree, Value

_WITHOUT_ZEROS = re.compile(r"\.0+$")
_LENGTH = re.compile(r"(?:(?:(\d{1,4}):)?(\d{1,4}):)?(\d{1,10})(?:[.,]\d+)?", re.ASCII)


def at(tree: Value, *path: str) -> Value:
    """Returns the value at a path of names; None when there is none."""
    for name in path:
        tree = tree.get(name) if isinstance(tree, dict) else None
    return tree


def text(tree: Value, *path: str) -> str:
    """Returns a text, or a number as it was written, stripped; empty for anything else."""
    for name in path:  # as `at` does: each field of each delivery is read here
        tree = tree.get(name) if isinstance(tree, dict) else None
    if tree is None:
        return ""
    return tree.strip() if type(tree) is str else _written(tree).strip()


def verbatim(tree: Value, *path: str) -> str:
    """`text` without stripping."""
    return _written(at(tree, *path))


def _written(value: Value) -> str:
    if isinstance(value, str):
        return value
    return "" if isinstance(value, bool) or not isinstance(value, (int, Decimal)) else str(value)


def first(tree: Value, *names: str) -> str:
    """Returns the first of these fields that is not empty."""
    return next((found for name in names if (found := text(tree, name))), "")


def required(tree: Value, *path: str) -> str:
    """Returns `text`. Raises Malformed when it is empty."""
    found = text(tree, *path)
    if not found:
        raise Malformed(f"It does not say {'.'.join(path)!r}.")
    return found


def whole(tree: Value, *path: str) -> int | None:
    """Returns a whole number of 64 bits, also when it is sent as text; None when there is none. Raises Malformed."""
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
    """Returns a duration in seconds. Raises Malformed when it is negative or larger than 32 bits."""
    found = whole(tree, *path)
    if found is not None and not 0 <= found < 2**31:
        raise Malformed(f"{'.'.join(path)!r} is no length of time: {found}.")
    return found


def whole_or_none(tree: Value, *path: str) -> int | None:
    """`whole` for an optional field: None also for anything but a whole number. 12.0 is one."""
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
    number = text(tree, *path)
    if len(number) < 10 and number.isdecimal() and number.isascii():
        return int(number)
    found = _LENGTH.fullmatch(number)
    if not found:
        return None
    hours, minutes, rest = (int(part or 0) for part in found.groups())
    length = (hours * 60 + minutes) * 60 + rest
    return length if length < 2**31 and (rest < 60 or not found[2]) else None


def unreadable(tree: Value, *names: str) -> str:
    """Returns a sentence that names those of these fields that are not empty."""
    return "; ".join(f"{name} could not be read: {found[:40]!r}" for name in names if (found := text(tree, name)))


def within(tree: Tree, *path: str) -> Tree:
    """Returns the object at a path; where there is none, the tree itself: vendors wrap some objects and some not."""
    inner = at(tree, *path)
    return inner if isinstance(inner, dict) else tree


def texts(tree: Value, *path: str) -> list[str]:
    """Returns the texts of a list, or the one text that stands in its place; empty when there is none."""
    value = at(tree, *path)
    return [item for item in (value if isinstance(value, list) else [value or None]) if isinstance(item, str)]


def records(tree: Value, *path: str) -> list[Tree]:
    """Returns the objects of a list; empty when there is none."""
    value = at(tree, *path)
    return [item for item in value if isinstance(item, dict)] if isinstance(value, list) else []

"""Objects of a workspace's own: their ids, and their values as text that sorts as the values do."""

import re
from datetime import UTC, date, datetime
from decimal import Decimal
from functools import lru_cache
from typing import Any

from crm.envelope import named_id
from crm.scalars import Id

SLOTS = tuple(f"slot{n}" for n in range(1, 9))  # columns for the values of indexed fields
LONGEST_TEXT = 200  # characters of a text that its index holds
BUILT_IN = ("contact", "deal")  # what a relation may point to besides object types
BIAS = 5000  # exponents of numbers are from -1000 to 1000


LONGEST_KEY = 200  # characters
TYPE_KEY = re.compile(r"[a-z][a-z0-9_]{0,39}")


def key_objection(key: str) -> str:
    """Returns why a sender's own key cannot be taken; empty when it can."""
    if key != key.strip():
        return f"The key {key[:40]!r} has blanks around it: two keys would look the same. Send it without them."
    if not 1 <= len(key) <= LONGEST_KEY:
        return f"A key has 1 to {LONGEST_KEY} characters, and this one has {len(key)}."
    return ""


@lru_cache(maxsize=65_536)
def object_id(workspace: Id, kind: str, key: str) -> Id:
    """Returns the id of an object, which is that of its stream too. `kind`: key of its type."""
    return named_id(workspace, f"object/{kind}/{key}")


def object_type_id(workspace: Id, key: str) -> Id:
    return named_id(workspace, f"object type/{key}")


def sortable(kind: str, value: Any) -> str:
    """Returns a value as text whose order by code points is the order of the values.

    `value`: JSON of a field of the type `kind`, or a number as text. Raises ValueError or ArithmeticError.
    """
    match kind:
        case "number":
            return sortable_number(Decimal(value))
        case "date":
            return date.fromisoformat(value).isoformat()
        case "time":
            at = datetime.fromisoformat(value)
            if at.tzinfo is None:
                raise ValueError("a time without its offset")
            return at.astimezone(UTC).isoformat(timespec="microseconds").replace("+00:00", "Z")
        case "boolean":
            return str(bool(value)).lower()
    return str(value)[:LONGEST_TEXT]


def sortable_number(number: Decimal) -> str:
    """Returns sign, exponent and digits; those of negative numbers are turned round."""
    if not number.is_finite():
        raise ValueError("not a finite number")
    if not number:
        return "1"
    sign, digits, _ = number.as_tuple()
    exponent, text = BIAS + number.adjusted(), "".join(map(str, digits)).lstrip("0").rstrip("0")
    if not sign:
        return f"2{exponent:04}{text}"
    return f"0{9999 - exponent:04}{''.join(str(9 - int(digit)) for digit in text)}~"

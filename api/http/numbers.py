"""Numbers of JSON as they are written: what comes in keeps all its digits, and none goes through a float."""

from collections.abc import Mapping
from datetime import datetime
from decimal import Decimal
from enum import Enum
from typing import Any

import msgspec
from graphql import (
    BooleanValueNode,
    FloatValueNode,
    GraphQLError,
    IntValueNode,
    ListValueNode,
    NullValueNode,
    ObjectValueNode,
    ValueNode,
    VariableNode,
)

LARGEST = 308  # decimal places before or behind the point
TOO_LARGE = 10 ** (LARGEST + 1)
DIGITS = 1_000  # of one number
MISSING = object()


class Number(float):
    """A number of a request that has a point or an exponent. To an Int it is a float; `text` is as it was written."""

    text: str

    def __new__(cls, text: str) -> "Number":
        """Raises ValueError for one that readers of JSON could not hold."""
        if not fits(text):
            raise ValueError(f"{text[:40]} is out of range")
        number = super().__new__(cls, text)
        number.text = text
        return number

    def __repr__(self) -> str:
        return self.text


def written(value: object) -> msgspec.Raw:
    """For an encoder. Raises NotImplementedError."""
    if isinstance(value, Number):
        return msgspec.Raw(value.text.encode())
    raise NotImplementedError(f"{type(value).__name__} is no type of JSON")


ENCODER = msgspec.json.Encoder(decimal_format="number", enc_hook=written)


def fits(text: str) -> bool:
    """Other readers of JSON can hold it, too: they would have Infinity or 0 else. NaN is none."""
    number = Decimal(text) if len(text) <= DIGITS else Decimal("NaN")
    return number.is_finite() and abs(number.adjusted()) <= LARGEST


def measured(text: str) -> Decimal:
    """Raises GraphQLError for a number that does not fit."""
    if not fits(text):
        raise GraphQLError(f"{text[:40]} is out of range: a number in JSON is between 10^-{LARGEST} and 10^{LARGEST}.")
    return Decimal(text)


def exact(value: Any) -> Any:
    """A JSON value with its numbers exact: int or Decimal. Raises GraphQLError."""
    try:
        return read(value)
    except RecursionError:
        raise GraphQLError("This JSON is nested too deeply.") from None


def read(value: Any) -> Any:
    match value:
        case None | bool() | str():
            return value.value if isinstance(value, Enum) else value
        case int():
            if abs(value) >= TOO_LARGE:
                raise GraphQLError(f"A whole number of JSON has at most {LARGEST + 1} digits here.")
            return value
        case float() | Decimal():
            return measured(repr(value) if isinstance(value, float) else str(value))
        case Mapping():
            return {name: read(one) for name, one in value.items()}
        case list() | tuple():
            return [read(one) for one in value]
        case datetime():
            return value.isoformat()
        case Enum():
            return read(value.value)
    raise GraphQLError("This variable cannot stand inside of JSON. Give its fields one by one.")


def literal(node: ValueNode, variables: Mapping[str, Any] | None = None) -> Any:
    """A JSON value that stands in a document. A variable that is not given leaves its field out, and is null in a
    list. Raises GraphQLError."""
    try:
        found = of_node(node, variables or {})
    except RecursionError:
        raise GraphQLError("This JSON is nested too deeply.") from None
    return None if found is MISSING else found


def of_node(node: ValueNode, variables: Mapping[str, Any]) -> Any:
    match node:
        case VariableNode():
            name = node.name.value
            return read(variables[name]) if name in variables else MISSING
        case IntValueNode():
            measured(node.value)
            return int(node.value)
        case FloatValueNode():
            return measured(node.value)
        case ListValueNode():
            items = [of_node(item, variables) for item in node.values]
            return [None if item is MISSING else item for item in items]
        case ObjectValueNode():
            fields = {field.name.value: of_node(field.value, variables) for field in node.fields}
            return {name: value for name, value in fields.items() if value is not MISSING}
        case NullValueNode():
            return None
        case BooleanValueNode():
            return node.value
    return node.value  # type: ignore[attr-defined]  # a string, or an enum's name

"""Exact JSON numbers: input keeps all its digits, and no number passes through a float."""

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

LARGEST = 308  # decimal places before or after the point
TOO_LARGE = 10 ** (LARGEST + 1)
DIGITS = 1_000  # of one number
MISSING = object()


class Number(float):
    """A number with a point or an exponent. GraphQL sees a float; `text` is the number as written."""

    text: str

    def __new__(cls, text: str) -> "Number":
        """Raises ValueError for a number that JSON parsers cannot represent."""
        if not in_range(text):
            raise ValueError(f"{text[:40]} is out of range")
        number = super().__new__(cls, text)
        number.text = text
        return number

    def __repr__(self) -> str:
        return self.text


def encode_number(value: object) -> msgspec.Raw:
    """Encodes a Number, as hook of the encoder. Raises NotImplementedError for other types."""
    if isinstance(value, Number):
        return msgspec.Raw(value.text.encode())
    raise NotImplementedError(f"{type(value).__name__} is no type of JSON")


ENCODER = msgspec.json.Encoder(decimal_format="number", enc_hook=encode_number)


def in_range(text: str) -> bool:
    """Tells whether other JSON parsers can represent the number, rather than reading Infinity or 0."""
    number = Decimal(text) if len(text) <= DIGITS else Decimal("NaN")
    return number.is_finite() and abs(number.adjusted()) <= LARGEST


def decimal_of(text: str) -> Decimal:
    """Returns the exact number. Raises GraphQLError when it is out of range."""
    if not in_range(text):
        raise GraphQLError(f"{text[:40]} is out of range: a number in JSON is between 10^-{LARGEST} and 10^{LARGEST}.")
    return Decimal(text)


def exact(value: Any) -> Any:
    """Returns a JSON value with exact numbers, as int or Decimal. Raises GraphQLError."""
    try:
        return exact_value(value)
    except RecursionError:
        raise GraphQLError("This JSON is nested too deeply.") from None


def exact_value(value: Any) -> Any:
    match value:
        case None | bool() | str():
            return value.value if isinstance(value, Enum) else value
        case int():
            if abs(value) >= TOO_LARGE:
                raise GraphQLError(f"An integer may have at most {LARGEST + 1} digits.")
            return value
        case float() | Decimal():
            return decimal_of(repr(value) if isinstance(value, float) else str(value))
        case Mapping():
            return {name: exact_value(one) for name, one in value.items()}
        case list() | tuple():
            return [exact_value(one) for one in value]
        case datetime():
            return value.isoformat()
        case Enum():
            return exact_value(value.value)
    raise GraphQLError("This variable cannot be used inside JSON. Give its fields one by one.")


def exact_literal(node: ValueNode, variables: Mapping[str, Any] | None = None) -> Any:
    """Returns a JSON value written in a document. Raises GraphQLError.

    A variable that is not given omits its field; in a list it is null.
    """
    try:
        found = of_node(node, variables or {})
    except RecursionError:
        raise GraphQLError("This JSON is nested too deeply.") from None
    return None if found is MISSING else found


def of_node(node: ValueNode, variables: Mapping[str, Any]) -> Any:
    match node:
        case VariableNode():
            name = node.name.value
            return exact_value(variables[name]) if name in variables else MISSING
        case IntValueNode():
            decimal_of(node.value)
            return int(node.value)
        case FloatValueNode():
            return decimal_of(node.value)
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

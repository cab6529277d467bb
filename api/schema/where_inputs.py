"""The input types of `where`, one for each type of column."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

import strawberry
from strawberry.scalars import JSON

from api.errors import BadInput
from api.schema.names import camel
from api.schema.scalars import Long

UNSET = strawberry.UNSET
ABOUT_WHERE = "Conditions on rows; all must hold. Those that are null are ignored."
ABOUT = {
    "name": "By the beginning of the name.",
    "amount": "By the amount, within one currency.",
    "fields": "By custom fields; all must match.",
    "contact_id": "By the contact, including contacts merged into it.",
    "unanswered": "true: conversations whose last message is the contact's.",
}


def operator(about: str, name: str | None = None) -> Any:
    return strawberry.field(default=UNSET, description=about, name=name)


EQ, AMONG = "Equal to this.", "Equal to one of these, at most 50."
GT, GTE, LT, LTE = "Greater than this.", "This or greater.", "Less than this.", "This or less."
BETWEEN = "Two values: from the first to the second, both included."
IS_NULL = "true: only rows without a value. false: only rows with one."


@strawberry.input(description="Compares a text.")
class TextFilter:
    eq: str | None = operator(EQ)
    in_: list[str] | None = operator(AMONG, "in")


@strawberry.input(description="Compares a flag.")
class BooleanFilter:
    eq: bool | None = operator(EQ)


@strawberry.input(description="Compares an id.")
class IdFilter:
    eq: strawberry.ID | None = operator(EQ)
    in_: list[strawberry.ID] | None = operator(AMONG, "in")


@strawberry.input(description="Compares an id that may be missing.")
class OptionalIdFilter:
    eq: strawberry.ID | None = operator(EQ)
    in_: list[strawberry.ID] | None = operator(AMONG, "in")
    is_null: bool | None = operator(IS_NULL)


@strawberry.input(description="Looks into a list of texts.")
class ListFilter:
    contains: str | None = operator("The list has this text.")


@strawberry.input(description="Compares a name, without regard to case and accents.")
class NameFilter:
    starts_with: str | None = operator("The name begins with this.")


@strawberry.input(description="Compares a whole number.")
class LongFilter:
    eq: Long | None = operator(EQ)
    in_: list[Long] | None = operator(AMONG, "in")
    gt: Long | None = operator(GT)
    gte: Long | None = operator(GTE)
    lt: Long | None = operator(LT)
    lte: Long | None = operator(LTE)
    between: list[Long] | None = operator(BETWEEN)


@strawberry.input(description="Compares a time.")
class TimeFilter:
    gt: datetime | None = operator("Later than this.")
    gte: datetime | None = operator("At this time or later.")
    lt: datetime | None = operator("Earlier than this.")
    lte: datetime | None = operator("At this time or earlier.")
    between: list[datetime] | None = operator(BETWEEN)


@strawberry.input(description="Compares a time that may be missing.")
class OptionalTimeFilter(TimeFilter):
    is_null: bool | None = operator(IS_NULL)


@strawberry.input(
    description='Compares an exact amount, such as "100.00" or "100.00 UAH". Amounts of other currencies are not found.'
)
class MoneyFilter:
    currency: str | None = operator("ISO 4217 code. Default: the one in the amounts, else the workspace's currency.")
    eq: str | None = operator(EQ)
    gt: str | None = operator(GT)
    gte: str | None = operator(GTE)
    lt: str | None = operator(LT)
    lte: str | None = operator(LTE)
    between: list[str] | None = operator(BETWEEN)


@strawberry.input(
    description='Compares a custom field with its type: "7" is not 7, and 1.10 is 1.1. Give `equals` or `in`, or a '
    "range: of numbers, or of texts by their code points, to which dates belong. Rows come in the order `FIELD` then."
)
class FieldFilter:
    key: str = strawberry.field(description="Key of the custom field.")
    equals: JSON | None = operator("The value to find, of the field's type.")
    in_: list[JSON] | None = operator("One of these values.", "in")
    gt: JSON | None = operator(GT)
    gte: JSON | None = operator(GTE)
    lt: JSON | None = operator(LT)
    lte: JSON | None = operator(LTE)
    between: list[JSON] | None = operator(BETWEEN)
    is_null: bool | None = operator("false: all rows that have it. true is refused, as no index has the others.")


def value_of(source: Any, name: str) -> Any:
    """Returns a field of an input: a dict when it was only coerced, an object in a resolver. None: not given."""
    if isinstance(source, dict):
        return source.get(camel(name))
    value = getattr(source, name, getattr(source, f"{name}_", None))
    return None if value is strawberry.UNSET else value


def bounds(name: str, between: list[Any], given: Mapping[str, Any]) -> dict[str, Any]:
    """Returns `between` as its two bounds, both included."""
    if len(between) != 2 or given:
        raise BadInput(
            f"`{name}.between` takes two values, the lowest and the highest, and no other bound. Nothing was read."
        )
    return {"gte": between[0], "lte": between[1]}


BY_COLUMN: dict[tuple[str, bool], Any] = {
    ("text", True): TextFilter,
    ("boolean", True): BooleanFilter,
    ("uuid", True): IdFilter,
    ("uuid", False): OptionalIdFilter,
    ("bigint", True): LongFilter,
    ("timestamptz", True): TimeFilter,
    ("timestamptz", False): OptionalTimeFilter,
}

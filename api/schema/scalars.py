"""The scalars of the schema, the one of each column type, and Money."""

from datetime import datetime
from typing import Any, NewType

import strawberry
from graphql import GraphQLError
from strawberry.scalars import JSON
from strawberry.types.scalar import ScalarDefinition

from api.http.numbers import exact, exact_literal
from crm.moments import Clock
from crm.money import money_text

Long = NewType("Long", int)

strawberry.enum(Clock, description="Which time of an event counts: when it happened, or when it was recorded.")
FITS = range(-(2**63), 2**63)


def long(value: object) -> int:
    if type(value) is not int or value not in FITS:
        raise GraphQLError("A Long is a signed 64-bit integer.")
    return value


def parsed_moment(value: object) -> datetime:
    """Parses a DateTime. Raises GraphQLError, as any other error would count as a bug."""
    try:
        at = datetime.fromisoformat(value) if isinstance(value, str) else None
    except ValueError:
        at = None
    if at is None or at.tzinfo is None:
        raise GraphQLError("A DateTime has an offset, such as 2026-11-25T12:00:00+02:00.")
    return at


def moment(at: datetime) -> str:
    """Returns a time as Postgres writes it in JSON: with its offset and without trailing zeros."""
    text = at.isoformat()
    return f"{text[:26].rstrip('0')}{text[26:]}" if at.microsecond else text


SCALARS: dict[object, ScalarDefinition] = {
    datetime: strawberry.scalar(
        name="DateTime",
        description="A time in RFC 3339 with its offset, to the microsecond, such as 2026-01-01T12:00:00.25+00:00.",
        specified_by_url="https://www.rfc-editor.org/rfc/rfc3339",
        serialize=moment,
        parse_value=parsed_moment,
    ),
    Long: strawberry.scalar(
        name="Long",
        description="A signed 64-bit integer, as a JSON number. JavaScript rounds numbers above 2^53.",
        serialize=int,
        parse_value=long,
    ),
    JSON: strawberry.scalar(
        name="JSON",
        description="Any JSON value. Numbers keep all digits; those above 10^308 are refused.",
        specified_by_url="https://ecma-international.org/wp-content/uploads/ECMA-404_2nd_edition_december_2017.pdf",
        parse_value=exact,
        parse_literal=exact_literal,
    ),
}

BY_COLUMN: dict[str, Any] = {
    "uuid": strawberry.ID,
    "text": str,
    "bigint": Long,
    "boolean": bool,
    "timestamptz": datetime,
    "text[]": list[str],
    "jsonb": JSON,
}


def formatted_money(root: Any) -> str:
    return money_text(root.minor, root.currency)


@strawberry.type(description="An exact amount of money.")
class Money:
    minor: Long = strawberry.field(description="Amount in the currency's smallest unit, such as cents.")
    currency: str = strawberry.field(description="ISO 4217 code of the currency.")
    text: str = strawberry.field(resolver=formatted_money, description="Amount for display, such as 202.00 UAH.")

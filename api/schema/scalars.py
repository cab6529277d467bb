"""GraphQL's words for what columns hold: Long, Money, and the scalar of each column type."""

from datetime import datetime
from typing import Any, NewType

import strawberry
from graphql import GraphQLError
from strawberry.scalars import JSON
from strawberry.types.scalar import ScalarDefinition

from api.http.numbers import exact, literal
from crm.money import money_text

Long = NewType("Long", int)

FITS = range(-(2**63), 2**63)


def long(value: object) -> int:
    if type(value) is not int or value not in FITS:
        raise GraphQLError("A Long is a whole number of at most 64 bits.")
    return value


def parsed_moment(value: object) -> datetime:
    """Raises GraphQLError: any other error would pass for a bug of ours."""
    try:
        at = datetime.fromisoformat(value) if isinstance(value, str) else None
    except ValueError:
        at = None
    if at is None or at.tzinfo is None:
        raise GraphQLError("A DateTime is a moment with its zone, such as 2026-11-25T12:00:00+02:00.")
    return at


def moment(at: datetime) -> str:
    """As Postgres writes it in JSON: with its zone, and no more digits than it has."""
    text = at.isoformat()
    return f"{text[:26].rstrip('0')}{text[26:]}" if at.microsecond else text


SCALARS: dict[object, ScalarDefinition] = {
    datetime: strawberry.scalar(
        name="DateTime",
        description="A moment in RFC 3339 with its zone, to the microsecond: 2026-01-01T12:00:00.25+00:00.",
        specified_by_url="https://www.rfc-editor.org/rfc/rfc3339",
        serialize=moment,
        parse_value=parsed_moment,
    ),
    Long: strawberry.scalar(
        name="Long",
        description="A whole number of at most 64 bits, as a JSON number. Past 2^53 plain JavaScript rounds it.",
        serialize=int,
        parse_value=long,
    ),
    JSON: strawberry.scalar(
        name="JSON",
        description="Any JSON value. Its numbers keep all digits, as literals and in variables. Past 10^308: refused.",
        specified_by_url="https://ecma-international.org/wp-content/uploads/ECMA-404_2nd_edition_december_2017.pdf",
        parse_value=exact,
        parse_literal=literal,
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


def money_for_people(root: Any) -> str:
    return money_text(root.minor, root.currency)


@strawberry.type(description="A sum of money, exact.")
class Money:
    minor: Long = strawberry.field(description="In the currency's smallest unit, such as kopecks.")
    currency: str = strawberry.field(description="ISO 4217.")
    text: str = strawberry.field(resolver=money_for_people, description="For people, such as 202.00 UAH.")

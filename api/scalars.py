"""GraphQL's words for what columns hold: Long, Money, and the scalar of each column type."""

from datetime import datetime
from typing import Any, NewType

import strawberry
from graphql import GraphQLError
from strawberry.scalars import JSON
from strawberry.schema.config import ScalarDefinition

from crm.money import DECIMALS, money_text

Long = NewType("Long", int)

FITS = range(-(2**63), 2**63)


def long(value: object) -> int:
    if type(value) is not int or value not in FITS:
        raise GraphQLError("A Long is a whole number of at most 64 bits.")
    return value


SCALARS: dict[object, ScalarDefinition] = {
    Long: strawberry.scalar(
        name="Long",
        description="A whole number of at most 64 bits, a JSON number. JavaScript needs a BigInt-aware parser past 2^53.",
        serialize=int,
        parse_value=long,
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


@strawberry.type(description="A sum of money, exact.")
class Money:
    minor: Long = strawberry.field(description="In the currency's smallest unit, such as kopecks.")
    currency: str = strawberry.field(description="ISO 4217.")

    @strawberry.field(description="For people, such as 202.00 UAH.")
    def text(self) -> str:
        known = self.currency in DECIMALS
        return money_text(self.minor, self.currency) if known else f"{self.minor} {self.currency}".strip()

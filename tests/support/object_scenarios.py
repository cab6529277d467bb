"""A marketplace in the given/when/then notation: sellers and products, and reports of them."""

from typing import Any

import msgspec

from crm.envelope import Row
from crm.facts import ObjectReported
from crm.objects import object_id
from crm.state import Object
from projections import PROJECTIONS
from projections.object import ObjectRow
from projections.object import object as fold
from tests.support.operator_session import OperatorSession, operator_session
from tests.support.scenarios import NOON, RAW, SHOP, meta

SELLER: dict[str, Any] = {
    "key": "seller",
    "label": "Seller",
    "plural": "Sellers",
    "statuses": ["new", "active", "blocked"],
    "fields": [
        {"key": "rating", "type": "number", "indexed": True},
        {"key": "city", "type": "text", "label": "City", "indexed": True},
        {"key": "since", "type": "date"},
        {"key": "tier", "type": "choice", "options": ["gold", "silver"]},
        {"key": "owner", "type": "relation", "target": "contact"},
        {"key": "parent", "type": "relation", "target": "seller"},
        {"key": "deal", "type": "relation", "target": "deal"},
    ],
}


def marketplace() -> OperatorSession:
    return operator_session().do("object_type_define", **SELLER)


def reported(key: str = "42", at: int = 0, fields: dict[str, Any] | None = None, **said: Any) -> ObjectReported:
    """A report of a seller, `at` minutes after noon. Values of `fields` are Python's."""
    texts = {name: msgspec.json.encode(value).decode() for name, value in (fields or {}).items()}
    moment = NOON + at * 60_000_000
    name = f"{key} {moment} {said} {texts}"
    return ObjectReported(meta(name, moment), RAW, object="seller", key=key, fields=texts, **said)


def stored(session: OperatorSession, key: str = "42") -> Object | None:
    return session.state.get(Object, object_id(SHOP, "seller", key))


def row_of(session: OperatorSession, key: str = "42") -> ObjectRow | None:
    """The row that the read model has of a seller."""
    row = None
    for event in session.decide.journal:
        if isinstance(event, fold.handles) and fold.key_of(event) == object_id(SHOP, "seller", key):
            row = fold.fold(row, event)
    return row


def rows_of(session: OperatorSession) -> list[Row]:
    """The rows of all objects and types, as the read models have them."""
    rows: dict[tuple[str, str], Row | None] = {}
    for event in session.decide.journal:
        for projection in (PROJECTIONS["object"], PROJECTIONS["object_type"]):
            if isinstance(event, projection.handles):
                place = projection.name, projection.key_of(event)
                rows[place] = projection.fold(rows.get(place), event)
    return [row for row in rows.values() if row]

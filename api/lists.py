"""The lists that can be read, as one table: which rows, in which order, by which filters."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any
from uuid import UUID

import strawberry
from msgspec import json
from strawberry.scalars import JSON

from api.cursors import Order
from api.sql import SAME_CONTACT, Filter
from projections import PROJECTIONS

NIL = UUID(int=0)


@strawberry.input(description='A custom field and the value it must have, with its type: "7" is not 7.')
class FieldEquals:
    name: str
    equals: JSON


@dataclass(frozen=True)
class List:
    """Latest first. Each order and filter is served by an index of its projection."""

    projection: str
    columns: tuple[str, ...]
    about: str
    filters: Mapping[str, Filter] = field(default_factory=dict)

    @cached_property
    def order(self) -> Order:
        types = {c.name: c.type for c in PROJECTIONS[self.projection].columns}
        return Order(self.projection, self.columns, tuple(types[c] for c in self.columns))


CONTACT = Filter(
    strawberry.ID, f"{{t}}.contact_id = ANY ({SAME_CONTACT})", about="Of this contact and those merged into it."
)
DEAL = Filter(strawberry.ID, "{t}.deal_id = {value}::uuid", about="Of this deal.")
CONVERSATION = Filter(strawberry.ID, "{t}.conversation_id = {value}::uuid", about="Of this conversation.")

# No telephone rings that long: the report of this call's end was lost.
RINGING = "{t}.phase = 'ringing' AND {t}.touched_at > now() - interval '10 minutes'"

LISTS: dict[str, List] = {
    "contacts": List("contact", ("touched_at", "contact_id"), "Contacts, the latest touched first."),
    "deals": List(
        "deal",
        ("touched_at", "deal_id"),
        "Deals, the latest touched first.",
        {
            "contact": CONTACT,
            "stage": Filter(str, "{t}.stage = {value}::text", about="In this stage."),
            "owner": Filter(
                str, "{t}.owner = {value}::text", about="Of this salesperson; empty finds those of nobody."
            ),
            "field": Filter(
                list[FieldEquals],
                "{t}.fields @> {value}::jsonb AND {t}.fields <> '{{}}'",  # the index is of rows that have fields
                about="With all of these custom fields.",
            ),
        },
    ),
    "payments": List(
        "payment",
        ("touched_at", "payment_id"),
        "Payments, the latest touched first.",
        {
            "contact": CONTACT,
            "deal": DEAL,
            "parked": Filter(bool, "{t}.parked = {value}::boolean", about="true: those that fit no deal yet."),
        },
    ),
    "calls": List(
        "call",
        ("touched_at", "call_id"),
        "Calls, the latest touched first.",
        {
            "contact": CONTACT,
            "ringing": Filter(bool, RINGING, f"NOT ({RINGING})", "true: those that ring right now."),
        },
    ),
    "conversations": List(
        "conversation",
        ("touched_at", "conversation_id"),
        "Conversations, the latest message first.",
        {"contact": CONTACT},
    ),
    "messages": List(
        "message", ("sent_at", "message_id"), "Messages, the latest first.", {"conversation": CONVERSATION}
    ),
    "timeline": List(
        "timeline", ("at", "step", "entry_id"), "What happened, the latest first.", {"contact": CONTACT, "deal": DEAL}
    ),
    "quarantine": List(
        "quarantine", ("received_at", "quarantine_id"), "Deliveries that could not be understood, the latest first."
    ),
}
ROOT = tuple(name for name in LISTS if name != "messages")


def parameter(filter: Filter, value: Any) -> Any:
    """A filter's argument as its statement takes it."""
    if filter.type is strawberry.ID:
        return known_id(value)
    if filter.type == list[FieldEquals]:
        plain = [(f["name"], f["equals"]) if isinstance(f, dict) else (f.name, f.equals) for f in value]
        return json.encode(dict(plain)).decode()
    return value


def known_id(text: str) -> str:
    """What is no id at all is the id of nothing."""
    try:
        return str(UUID(text))
    except ValueError:
        return str(NIL)

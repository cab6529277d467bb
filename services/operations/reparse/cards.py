"""The deal and the contact that a past fact led to, as they stand today."""

from collections.abc import Iterable, Mapping
from typing import Any, NamedTuple

import msgspec
from psycopg import AsyncConnection

from crm.decisions.chat import conversation_id_of
from crm.decisions.payment import payment_id_of
from crm.envelope import Fact, named_id
from crm.facts import CallReported, MessageReported, PaymentReported
from crm.scalars import Id

LED = {  # by what a fact names: the contact, and the deal where the row has one
    "payment": "SELECT payment_id::text, contact_id::text, deal_id::text FROM read.payment WHERE payment_id = ANY (%s)",
    "call": "SELECT call_id::text, contact_id::text, NULL FROM read.call WHERE call_id = ANY (%s)",
    "conversation": """
SELECT conversation_id::text, contact_id::text, NULL FROM read.conversation WHERE conversation_id = ANY (%s)""",
}
DEALS = """
SELECT deal_id::text, contact_id::text, number, amount_minor, currency, reference, fields::text
FROM read.deal WHERE deal_id = ANY (%s)"""
CONTACTS = """
WITH RECURSIVE card AS (
  SELECT contact_id AS asked, contact_id, merged_into FROM read.contact WHERE contact_id = ANY (%s)
  UNION SELECT card.asked, c.contact_id, c.merged_into FROM card
        JOIN read.contact AS c ON c.contact_id = card.merged_into
) SELECT card.asked::text, c.contact_id::text, c.name, c.phones, c.emails, c.fields::text
FROM card JOIN read.contact AS c USING (contact_id) WHERE card.merged_into IS NULL"""


class Deal(NamedTuple):
    """A deal's row, as far as it can be put right."""

    deal_id: Id
    contact_id: Id
    number: int
    amount_minor: int
    currency: str
    reference: str
    fields: Mapping[str, str]  # JSON text


class Contact(NamedTuple):
    """The card that stands for a contact today."""

    contact_id: Id
    name: str
    phones: tuple[str, ...]
    emails: tuple[str, ...]
    fields: Mapping[str, str]


class Card(NamedTuple):
    """What a fact led to; None where it led to no such thing."""

    deal: Deal | None
    contact: Contact | None


def named(fact: Fact) -> tuple[str, Id] | None:
    """The row that a fact is about by its own words."""
    match fact:
        case PaymentReported():
            return "payment", payment_id_of(fact)
        case CallReported():
            return "call", named_id(fact.meta.workspace, f"call/{fact.meta.source}/{fact.call}")
        case MessageReported():
            return "conversation", conversation_id_of(fact)
    return None


async def cards(conn: AsyncConnection, facts: Iterable[Fact]) -> dict[Id, Card]:
    """By the facts' ids. A deal that a fact opened has an id that follows from the fact's."""
    facts = list(facts)
    led: dict[tuple[str, Id], tuple[Id | None, Id | None]] = {}
    for kind, query in LED.items():
        keys = [key for about in map(named, facts) if about and about[0] == kind for key in [about[1]]]
        for key, contact_id, deal_id in await rows(conn, query, keys):
            led[kind, key] = contact_id, deal_id
    own = {fact.meta.id: named_id(fact.meta.id, "deal") for fact in facts}
    told = {fact.meta.id: led.get(named(fact) or ("", Id("")), (None, None)) for fact in facts}
    deals = {
        id: Deal(id, contact_id, number, amount, currency, reference, values(fields))
        for id, contact_id, number, amount, currency, reference, fields in await rows(
            conn, DEALS, [*own.values(), *(deal for _, deal in told.values() if deal)]
        )
    }
    found: dict[Id, tuple[Deal | None, Id | None]] = {}
    for fact in facts:
        contact_id, deal_id = told[fact.meta.id]
        deal = deals.get(own[fact.meta.id]) or (deals.get(deal_id) if deal_id else None)
        found[fact.meta.id] = deal, contact_id or (deal.contact_id if deal else None)
    wanted = [contact_id for _, contact_id in found.values() if contact_id]
    contacts = {
        asked: Contact(id, name, tuple(phones), tuple(emails), values(fields))
        for asked, id, name, phones, emails, fields in await rows(conn, CONTACTS, wanted)
    }
    return {
        id: Card(deal, contacts.get(contact_id) if contact_id else None) for id, (deal, contact_id) in found.items()
    }


async def rows(conn: AsyncConnection, query: str, keys: list[Id]) -> list[Any]:
    if not keys:
        return []
    return await (await conn.execute(query.encode(), [sorted(set(keys))])).fetchall()


def values(text: str) -> dict[str, str]:
    """Each custom field as JSON text, its numbers as they are stored."""
    return {name: bytes(raw).decode() for name, raw in msgspec.json.decode(text, type=dict[str, msgspec.Raw]).items()}

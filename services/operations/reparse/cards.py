"""Finds the deal and the contact that a past fact led to, as they are today."""

from collections.abc import Iterable, Mapping
from itertools import chain
from typing import Any, NamedTuple

import msgspec
from psycopg import AsyncConnection

from crm.decisions import RULES
from crm.envelope import Fact, made_id, named_id
from crm.scalars import Id
from projections import PROJECTIONS

LED = """
SELECT {0.key}::text, contact_id::text, {1}::text FROM read.{0.name} WHERE {0.key} = ANY (%s)"""
DEALS = """
SELECT deal_id::text, contact_id::text, number, amount_minor, currency, reference, fields::text
FROM read.deal WHERE deal_id = ANY (%s)"""
CONTACTS = """
WITH RECURSIVE card AS (
  SELECT contact_id AS wanted, contact_id, merged_into FROM read.contact WHERE contact_id = ANY (%s)
  UNION SELECT card.wanted, c.contact_id, c.merged_into FROM card
        JOIN read.contact AS c ON c.contact_id = card.merged_into
) SELECT card.wanted::text, c.contact_id::text, c.name, c.phones, c.emails, c.fields::text
FROM card JOIN read.contact AS c USING (contact_id) WHERE card.merged_into IS NULL"""


class Deal(NamedTuple):
    """The fields of a deal that can be corrected."""

    deal_id: Id
    contact_id: Id
    number: int
    amount_minor: int
    currency: str
    reference: str
    fields: Mapping[str, str]  # JSON text


class Contact(NamedTuple):
    """The contact's present card, after merges."""

    contact_id: Id
    name: str
    phones: tuple[str, ...]
    emails: tuple[str, ...]
    fields: Mapping[str, str]


class Card(NamedTuple):
    """The deal and the contact that a fact led to; None where there is none."""

    deal: Deal | None
    contact: Contact | None


async def cards(conn: AsyncConnection, facts: Iterable[Fact]) -> dict[Id, Card]:
    """Returns the cards by the facts' ids. The id of a deal that a fact opened is derived from the fact's id."""
    facts = list(facts)
    led: dict[tuple[str, Id], tuple[Id | None, Id | None]] = {}
    named = {fact.meta.id: RULES[type(fact)].row(fact) or ("", Id("")) for fact in facts}
    for name in {name for name, _ in named.values()} & PROJECTIONS.keys():
        deal_column = "deal_id" if "deal_id" in PROJECTIONS[name].row.__struct_fields__ else "NULL"
        keys = [key for of, key in named.values() if of == name]
        for key, contact_id, deal_id in await rows(conn, LED.format(PROJECTIONS[name], deal_column), keys):
            led[name, key] = contact_id, deal_id
    own = {fact.meta.id: {made_id(fact.meta, "deal"), named_id(fact.meta.id, "deal")} for fact in facts}  # new and old
    linked = {id: led.get(row, (None, None)) for id, row in named.items()}
    deals = {
        id: Deal(id, contact_id, number, amount, currency, reference, values(fields))
        for id, contact_id, number, amount, currency, reference, fields in await rows(
            conn, DEALS, [*chain(*own.values()), *(deal for _, deal in linked.values() if deal)]
        )
    }
    found: dict[Id, tuple[Deal | None, Id | None]] = {}
    for fact in facts:
        contact_id, deal_id = linked[fact.meta.id]
        opened = next((deals[id] for id in own[fact.meta.id] if id in deals), None)
        deal = opened or (deals.get(deal_id) if deal_id else None)
        found[fact.meta.id] = deal, contact_id or (deal.contact_id if deal else None)
    contact_ids = [contact_id for _, contact_id in found.values() if contact_id]
    contacts = {
        wanted: Contact(id, name, tuple(phones), tuple(emails), values(fields))
        for wanted, id, name, phones, emails, fields in await rows(conn, CONTACTS, contact_ids)
    }
    return {
        id: Card(deal, contacts.get(contact_id) if contact_id else None) for id, (deal, contact_id) in found.items()
    }


async def rows(conn: AsyncConnection, query: str, keys: list[Id]) -> list[Any]:
    if not keys:
        return []
    return await (await conn.execute(query.encode(), [sorted(set(keys))])).fetchall()


def values(text: str) -> dict[str, str]:
    """Returns each custom field as JSON text, with numbers as they are stored."""
    return {name: bytes(raw).decode() for name, raw in msgspec.json.decode(text, type=dict[str, msgspec.Raw]).items()}

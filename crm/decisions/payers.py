"""Who paid: by which account, tax number, telephone or e-mail a payer is known, and how far that can be believed."""

from collections.abc import Iterator, Mapping
from types import MappingProxyType
from typing import NamedTuple

from crm.decisions.case import State
from crm.decisions.contacts import Identifier, card, cards_of, doubted_among
from crm.decisions.names import Likeness, likeness
from crm.phones import read_phone
from crm.scalars import Id
from crm.shared import Payer
from crm.state import Contact, PaidFrom
from crm.text.emails import emails_in
from crm.text.placeholders import is_placeholder

PEOPLE_KEPT = 3  # contacts that are tied to one account: more say nothing new
NO_CARDS: Mapping[Id, Contact] = MappingProxyType({})


class Known(NamedTuple):
    """The cards that a payer is known as. `doubt`: why that is not to be relied on. `related`: the others for whom the
    account has paid."""

    cards: Mapping[Id, Contact] = NO_CARDS
    doubt: str = ""
    related: Mapping[Id, Contact] = NO_CARDS


def identifiers_of(payer: Payer, country: str = "UA") -> Iterator[Identifier]:
    """How a payer can be known. A masked card is many people's."""
    if payer.phone and (phone := read_phone(payer.phone, country).e164) and not is_placeholder("phone", phone):
        yield Identifier("phone", phone)
    if payer.email:
        own = (email for email in emails_in(payer.email) if not is_placeholder("email", email))
        yield from (Identifier("email", email) for email in own)
    yield from accounts_of(payer)


def accounts_of(payer: Payer) -> Iterator[Identifier]:
    """What only banks tell, and so what a payment can teach about a contact."""
    if payer.iban and (iban := "".join(payer.iban.split()).upper()):
        yield Identifier("iban", iban)
    tax_id = payer.tax_id.strip()
    if len(set(tax_id)) > 1:  # ten zeros stand where somebody has none
        yield Identifier("tax_id", tax_id)


def known_payer(state: State, payer: Payer, identifiers: list[Identifier]) -> Known:
    cards: dict[Id, Contact] = {}
    related: dict[Id, Contact] = {}
    doubts = []
    for identifier in identifiers:
        holders, tied = holders_of(state, identifier.key), tied_to(state, identifier)
        related |= tied
        if (
            identifier.of_a_role
            or len({**holders, **tied}) > 1
            or doubted_among(state, identifier.key, [*holders.values()])
        ):
            seen = "is read by several people" if identifier.of_a_role else "was seen with several people"
            doubts.append(f"its payer's {in_words(identifier)} {seen}")
            related |= holders
        else:
            cards |= holders
    if cards:  # what several people use says nothing, and what is one person's counts
        doubts = []
    if len(cards) > 1:
        names = " and ".join(sorted(contact.name or "somebody without a name" for contact in cards.values()))
        return Known(cards, f"its payer is known as {names}", related)
    for contact in cards.values():
        if likeness(payer.name, contact.name) is Likeness.OTHER:
            doubts.append(f"its payer is called {payer.name}, and was known as {contact.name}")
    return Known(cards, "; ".join(doubts), related)


def holders_of(state: State, key: str) -> dict[Id, Contact]:
    """The cards that stand for those who have an identifier."""
    return {contact.contact_id: contact for contact in cards_of(state, key)}


def tied_to(state: State, identifier: Identifier) -> dict[Id, Contact]:
    """The cards whose deals were paid from an account."""
    tied = state.get(PaidFrom, identifier.key) if identifier.kind in ("iban", "tax_id") else None
    cards = [card(state, contact_id) for contact_id in sorted({one for one, _ in tied.payments})] if tied else []
    return {contact.contact_id: contact for contact in cards}


def ties(state: State, payer: Payer, contact_id: Id) -> tuple[str, ...]:
    """The payer's accounts that were not tied to this contact yet. Those of a payment company are many people's: once
    that is known, more of them are not counted."""
    if not payer.iban and not payer.tax_id:
        return ()
    accounts = list(accounts_of(payer))
    if not accounts:
        return ()
    standing = card(state, contact_id).contact_id
    fresh = []
    for identifier in accounts:
        tied = tied_to(state, identifier)
        if standing not in tied and len(tied) < PEOPLE_KEPT:
            fresh.append(identifier.key)
    return tuple(fresh)


def in_words(identifier: Identifier) -> str:
    kind = {"iban": "account", "tax_id": "tax number", "email": "e-mail"}.get(identifier.kind, identifier.kind)
    return f"{kind} {identifier.value}"

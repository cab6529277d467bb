"""Reads phones, e-mails and accounts of a command's input, or rejects the field that is wrong."""

from collections.abc import Iterable

from crm.commands import Code, Rejected
from crm.decisions.case import Case
from crm.decisions.contacts import Identifier, cards_of
from crm.decisions.own_keys import SYSTEM, TAKEN
from crm.decisions.workspace import workspace_of
from crm.phones import phones_in
from crm.scalars import Id
from crm.text.emails import emails_in


def identifiers_of(
    case: Case, phones: Iterable[str], emails: Iterable[str], fields: tuple[str, ...], accounts: Iterable[str] = ()
) -> list[tuple[str, Identifier]]:
    """Each once, with the field that it was given in: `fields` names those of phones, e-mails, accounts. Raises
    Rejected."""
    country = workspace_of(case).country
    read = [(fields[0], phone_identifier(text, country, fields[0])) for text in phones]
    read += [(fields[1], email_identifier(text, fields[1])) for text in emails]
    read += [(fields[2], account_identifier(text, fields[2])) for text in accounts]
    return list({identifier.key: (field, identifier) for field, identifier in read}.values())


def phone_identifier(text: str, country: str, field: str) -> Identifier:
    found = phones_in(text, country)
    if not found:
        raise Rejected(field, Code.INVALID, f"{text!r} cannot be read as a telephone number. Nothing was changed.")
    if len(found) > 1:
        why = f"{text!r} holds {len(found)} telephone numbers. Nothing was changed: give each by itself."
        raise Rejected(field, Code.INVALID, why)
    return Identifier("phone", found[0].e164, text)


def email_identifier(text: str, field: str) -> Identifier:
    found = emails_in(text)
    if len(found) != 1:
        raise Rejected(field, Code.INVALID, f"{text!r} is not one e-mail address. Nothing was changed.")
    return Identifier("email", found[0], text)


def account_identifier(text: str, field: str) -> Identifier:
    """A key in another system, or an account in a chat."""
    system, colon, key = text.partition(":")
    wrong = not colon or not SYSTEM.fullmatch(system) or system in TAKEN
    if wrong or not key or key != key.strip():
        why = f"{text[:100]!r} is no account. Write it as system:key, such as shop:42, without blanks around the key."
        raise Rejected(field, Code.INVALID, f"{why} Nothing was changed.")
    return Identifier(system, key)


def free(case: Case, identifiers: Iterable[tuple[str, Identifier]], contact_id: Id | None = None) -> list[Identifier]:
    """Those that the contact does not have yet. Raises Rejected when somebody else has one."""
    new = []
    for field, identifier in identifiers:
        others = cards_of(case.state, identifier.key)
        if not others:
            new.append(identifier)
        elif all(other.contact_id != contact_id for other in others):
            who = " and ".join(f"{one.name!r} ({one.contact_id})" if one.name else one.contact_id for one in others)
            why = f"{identifier.value} belongs to {who}. Nothing was changed: change that card, or merge the two."
            raise Rejected(field, Code.TAKEN, why)
    return new

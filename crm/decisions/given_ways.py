"""Ways to know a contact as a person gives them: read, or refused with the field that is wrong."""

from collections.abc import Iterable

from crm.commands import Code, Rejected
from crm.decisions.case import Case
from crm.decisions.contacts import Way, cards_of
from crm.decisions.workspace import workspace_of
from crm.emails import emails_in
from crm.phones import phones_in
from crm.scalars import Id


def ways_of(case: Case, phones: Iterable[str], emails: Iterable[str], fields: tuple[str, str]) -> list[tuple[str, Way]]:
    """Each once, with the field that it was given in. Raises Rejected."""
    country = workspace_of(case).country
    read = [(fields[0], phone_way(text, country, fields[0])) for text in phones]
    read += [(fields[1], email_way(text, fields[1])) for text in emails]
    return list({way.key: (field, way) for field, way in read}.values())


def phone_way(text: str, country: str, field: str) -> Way:
    found = phones_in(text, country)
    if not found:
        raise Rejected(field, Code.INVALID, f"{text!r} cannot be read as a telephone number. Nothing was changed.")
    if len(found) > 1:
        why = f"{text!r} holds {len(found)} telephone numbers. Nothing was changed: give each by itself."
        raise Rejected(field, Code.INVALID, why)
    return Way("phone", found[0].e164, text)


def email_way(text: str, field: str) -> Way:
    found = emails_in(text)
    if len(found) != 1:
        raise Rejected(field, Code.INVALID, f"{text!r} is not one e-mail address. Nothing was changed.")
    return Way("email", found[0], text)


def free(case: Case, ways: Iterable[tuple[str, Way]], contact_id: Id | None = None) -> list[Way]:
    """Those that the contact does not have yet. Raises Rejected when somebody else has one."""
    new = []
    for field, way in ways:
        others = cards_of(case.state, way.key)
        if not others:
            new.append(way)
        elif all(other.contact_id != contact_id for other in others):
            who = " and ".join(f"{one.name!r} ({one.contact_id})" if one.name else one.contact_id for one in others)
            why = f"{way.value} belongs to {who}. Nothing was changed: change that card, or merge the two."
            raise Rejected(field, Code.TAKEN, why)
    return new

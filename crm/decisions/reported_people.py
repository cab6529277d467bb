"""Whom a report of another system is about. Its own key of a contact is strong; telephones and e-mails weigh as those
of a form do."""

from collections.abc import Generator, Sequence
from typing import Any

from crm.decisions.case import Case, State
from crm.decisions.contacts import Identifier, card, cards_of, created, holder, identified, named
from crm.decisions.form import addresses, identifiers_of
from crm.decisions.identity import found
from crm.decisions.merging import merged
from crm.decisions.own_keys import OwnKey, Values
from crm.envelope import Event
from crm.facts import ContactReported, DealReported
from crm.scalars import Id
from crm.state import Contact, Deal, known
from crm.text.placeholders import is_placeholder


def own_identifier(system: str, key: str) -> Identifier:
    """A source's own key of a contact, as an account is: its kind is the system."""
    return Identifier(system, key)


def identifiers_in(report: DealReported) -> list[Identifier]:
    """The contact's own key before its telephones and e-mails."""
    own = [own_identifier(report.system, report.contact_key)] if report.contact_key else []
    return [*own, *identifiers_of(report)]


def name_in(name: str | None) -> str:
    text = " ".join((name or "").split())[:200]
    return "" if is_placeholder("name", text) else text


def people_in(report: DealReported | ContactReported) -> list[str]:
    """What it says that identifies its contact, to be compared; empty when it says nothing, or only that the record was
    deleted."""
    if report.deleted:
        return []
    name = [name_in(report.name)] if isinstance(report, DealReported) else []
    found = [*name, *(phone.e164 or phone.text for phone in report.phones), *report.emails]
    return found if any(found) else []


def give_people(values: Values, report: DealReported | ContactReported) -> None:
    """What cannot be read identifies nobody, and somebody who looks at the record must see it."""
    if found := people_in(report):
        values.give("people", found)
    phones = [phone.text for phone in report.phones if phone.text and not phone.e164]
    unread = [*phones, *(email for email in report.emails if email.strip() and not addresses(email))]
    if unread and found:
        written = ", ".join(repr(text[:100]) for text in unread)
        values.doubt("people", f"It cannot be read as a telephone or an e-mail and identifies nobody: {written}.")


def named_otherwise(state: State, contact: Contact, system: str, key: str) -> bool:
    """The same system has another key for this person: so it is somebody else."""
    begin, own = f"{system}:", own_identifier(system, key).key
    return own not in contact.identifiers and any(one.startswith(begin) for one in contact.identifiers)


def card_for(
    state: State, workspace: Id, own: OwnKey, name: str, others: Sequence[Identifier]
) -> tuple[Contact | None, Id]:
    """The card of a contact's own key: which has it or had it, or which is found as a form's sender is. Else its id."""
    identifier, new = own_identifier(own.system, own.key), own.id_in(workspace)
    if contact := holder(state, identifier.key):
        return contact, contact.contact_id
    reported = own.reported(state)
    contact = state.get(Contact, (reported.subject if reported else None) or new)
    if contact is None and (contact := found(state, others, name)):
        stands = card(state, contact.contact_id)
        contact = None if named_otherwise(state, stands, own.system, own.key) else contact
    return contact, contact.contact_id if contact else new


def deals_card(
    case: Case, report: DealReported, own: OwnKey, deal: Deal | None = None
) -> Generator[Event, Any, tuple[Id, Contact | None]]:
    """Learns what a report says of its deal's contact. The card's id, and how it stood; None when it is made now."""
    state, workspace, name = case.state, report.meta.workspace, name_in(report.name)
    others, contact_own = identifiers_of(report), contacts_key(report)
    merged_deal = state.get(Deal, OwnKey("deal", report.system, report.key).id_in(workspace))
    contact: Contact | None
    if deal:
        if contact_own:
            yield from joined(case, deal, contact_own, own)
        contact, contact_id = known(state, Contact, deal.contact_id), deal.contact_id
    elif contact_own:
        contact, contact_id = card_for(state, workspace, contact_own, name, others)
    elif merged_deal and not others:
        contact, contact_id = known(state, Contact, merged_deal.contact_id), merged_deal.contact_id
    else:
        contact = found(state, others, name)
        contact_id = contact.contact_id if contact else own.id_in(workspace, "/contact")
    if contact_own and not deal and not gone(state, contact_own):
        others = [own_identifier(contact_own.system, contact_own.key), *others]
    if contact is None:
        yield from created(case, contact_id, name, own.system, others)
        return contact_id, None
    stands = card(state, contact_id)
    yield from named(case, contact, name, f"{own.system} gave it")
    yield from identified(case, contact_id, others, shares=False)
    return contact_id, stands


def contacts_key(report: DealReported) -> OwnKey | None:
    return OwnKey("contact", report.system, report.contact_key) if report.contact_key else None


def gone(state: State, own: OwnKey) -> bool:
    reported = own.reported(state)
    return bool(reported and reported.deleted)


def joined(case: Case, deal: Deal, contact_own: OwnKey, own: OwnKey) -> Generator[Event, Any, None]:
    """The deal came before anything was said of its contact, and now its source names it."""
    identifier = own_identifier(contact_own.system, contact_own.key)
    holders, stands = cards_of(case.state, identifier.key), card(case.state, deal.contact_id)
    if not holders and not named_otherwise(case.state, stands, *contact_own[1:]) and not gone(case.state, contact_own):
        yield from identified(case, deal.contact_id, [identifier])
    elif holders and stands not in holders and unknown(case, deal, own):
        yield from merged(case, deal.contact_id, holders[0].contact_id, f"{own} turned out to be of {contact_own}")


def unknown(case: Case, deal: Deal, own: OwnKey) -> bool:
    """Its card was made for the deal alone, and nothing is known of it."""
    contact = known(case.state, Contact, deal.contact_id)
    bare = not contact.identifiers and not contact.merged_into
    return bare and contact.contact_id == own.id_in(case.fact.meta.workspace, "/contact")


def whose(case: Case, report: DealReported, deal: Deal, own: OwnKey) -> str:
    """Why the deal stays with another card than the report names; empty when it does not."""
    contact_own = contacts_key(report)
    if contact_own is None:
        return ""
    stands = card(case.state, deal.contact_id)
    holders = cards_of(case.state, own_identifier(contact_own.system, contact_own.key).key)
    elsewhere = bool(holders) and stands not in holders and not unknown(case, deal, own)
    if elsewhere or (not holders and named_otherwise(case.state, stands, contact_own.system, contact_own.key)):
        return (
            f"The report names the contact {contact_own}, and the deal is another's: it stays. Merge the cards if not."
        )
    return ""

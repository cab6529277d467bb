"""Whom a form comes from: each identifier weighs as evidence, names support or contradict it.

A telephone that one card has decides. An e-mail of one's own decides unless the names contradict. A role's mailbox, and
what several cards have, decides only together with a name. Where nothing decides, it is somebody new.
"""

from collections.abc import Callable, Sequence

from crm.decisions.case import State
from crm.decisions.contacts import Identifier, card, cards_of, doubted, held_by, holder, names
from crm.state import Contact
from crm.text.names import agree, called, renamed, same

MANY = 5  # telephones: a card with so many whose sender gives no name is a crowd's that typed one address


def found(state: State, identifiers: Sequence[Identifier], name: str) -> Contact | None:
    """The holder of the strongest evidence, or None: then it is somebody new."""
    return by_phone(state, identifiers, name) or by_mail(state, identifiers, name)


def by_phone(state: State, identifiers: Sequence[Identifier], name: str) -> Contact | None:
    """Of several numbers the one whose card agrees by name, else the first. An office's number, which has an extension,
    is not his who is called otherwise; nor is a number next to one that nobody has: a second number may be of somebody
    near."""
    phones = [identifier for identifier in identifiers if identifier.kind == "phone"]
    new_phone = len(phones) > 1 and any(not cards_of(state, identifier.key) for identifier in phones)
    holders = [
        one
        for identifier in phones
        if (one := holder(state, identifier.key)) and fits(state, one, name, bool(identifier.extension) or new_phone)
    ]
    if len(holders) > 1 and name:
        agreeing = (one for one in holders if agrees(state, one, name))
        return next(agreeing, holders[0])
    return holders[0] if holders else None


def fits(state: State, contact: Contact, name: str, is_weak: bool) -> bool:
    return not is_weak or not contradicts(state, card(state, contact.contact_id), name)


def by_mail(state: State, identifiers: Sequence[Identifier], name: str) -> Contact | None:
    """Also by a telephone that is doubted, together with a name."""
    weak = [identifier for identifier in identifiers if identifier.kind != "phone" or doubted(state, identifier.key)]
    new_phone = bool(weak) and any(
        not cards_of(state, identifier.key) for identifier in identifiers if identifier.kind == "phone"
    )
    for identifier in weak:
        if stands := decided(state, identifier, name, new_phone):
            return held_by(state, identifier.key, stands)
    return None


def decided(state: State, identifier: Identifier, name: str, new_phone: bool) -> Contact | None:
    """The card that stands."""
    candidates = cards_of(state, identifier.key)
    if identifier.of_a_role or doubted(state, identifier.key):
        return supported(state, candidates, name, new_phone)
    if not candidates:
        return None
    (only,) = candidates
    verdict = agrees(state, only, name)
    crowd = new_phone and verdict is None and sum(key.startswith("phone:") for key in only.identifiers) >= MANY
    if new_phone and verdict and all(renamed(known, name) for known in names(state, only)):
        # Another number and another surname: a namesake, unless the mailbox itself is called so.
        crowd = not called(name, identifier.value.partition("@")[0])
    return None if verdict is False or crowd else only


def supported(state: State, candidates: Sequence[Contact], name: str, new_phone: bool) -> Contact | None:
    """The one card that a weak identifier and the name point to together. A new number asks for the whole name. Who
    gives no name is the mailbox's card that has none."""
    compared: Callable[[str, str], bool | None] = same if new_phone else agree
    fitting = [one for one in candidates if any(compared(known, name) for known in names(state, one))]
    if not fitting and not name and not new_phone:
        fitting = [one for one in candidates if not names(state, one)]
    return fitting[0] if len(fitting) == 1 else None


def contradicts(state: State, contact: Contact, name: str) -> bool:
    """Whether no name that is known of a contact can be this one, and one of them says so."""
    others = [known for known in names(state, contact) if known != name]
    return bool(others) and agrees(state, contact, name) is False


def agrees(state: State, contact: Contact, name: str) -> bool | None:
    """Whether any name that is known of a contact can be this one; None when one of them says nothing."""
    verdicts = [agree(known, name) for known in names(state, contact)]
    if any(verdicts):
        return True
    return False if False in verdicts else None

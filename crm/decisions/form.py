"""Story 1: a form becomes a contact and a deal in the pipeline's first stage, with an owner at once."""

from collections.abc import Iterator
from decimal import Decimal

import msgspec
from msgspec.structs import replace

from crm.decisions.awaited import awaited
from crm.decisions.case import Case, State
from crm.decisions.contacts import Way, card, card_of, created, found, identified, named
from crm.decisions.deals import opened
from crm.envelope import Event
from crm.events import DeliveryNoted
from crm.facts import FormSubmitted
from crm.state import Contact
from crm.state.changes.deals import form_digest

LONGEST_NUMBER = 1000  # digits before or behind the point; jsonb stops at 16,383 behind it
AGAIN_WITHIN = 600_000_000  # microseconds: the same form by the same contact is a second click, not a second wish


def form_submitted(form: FormSubmitted, case: Case) -> Iterator[Event]:
    form = typed(form)
    ways = ways_of(form)
    title = title_of(form)
    contact = found(case.state, ways)
    if contact and sent_again(case.state, form, title, contact, ways):
        yield DeliveryNoted(case.meta(form.meta.id), form.meta.actor, "form", "its sender sent the same form before")
        return
    if contact:
        contact_id = contact.contact_id
        yield from named(case, contact_id, form.name, "a form told it")
    else:
        contact_id = case.new_id("contact")
        yield from created(case, contact_id, form.name, "form", form.utm)
    yield from identified(case, contact_id, ways)
    deal_id = case.new_id("deal")
    stands = card(case.state, contact_id) if contact else None
    yield from opened(case, contact_id, deal_id, title, "form", form, known=stands)
    yield from awaited(case, contact_id, deal_id, form.reference.strip())


def typed(form: FormSubmitted) -> FormSubmitted:
    """Custom fields are JSON text and stay as they are. What is none (a client of its own sent it), or holds a number
    past all measure, is kept as a string, or no read model could hold it."""
    wrong = {}
    for name, value in form.fields.items():
        try:
            JSON.decode(value)
        except (ValueError, ArithmeticError, RecursionError):
            wrong[name] = msgspec.json.encode(value).decode()
    return replace(form, fields={**form.fields, **wrong}) if wrong else form


def measured(text: str) -> Decimal:
    """Raises ValueError or ArithmeticError for a number that is longer than any that means something."""
    number = Decimal(text)
    if max(abs(number.adjusted()), len(text)) > LONGEST_NUMBER:
        raise ValueError(f"a number has more than {LONGEST_NUMBER} digits")
    return number


JSON = msgspec.json.Decoder(float_hook=measured)


def ways_of(form: FormSubmitted) -> list[Way]:
    """Phones before e-mails: people share mailboxes more often than telephones."""
    phones = {p.e164: Way("phone", p.e164, p.text) for p in form.phones if p.e164}
    emails = {e.lower(): Way("email", e.lower(), e) for e in form.emails if e}
    return [*phones.values(), *emails.values()]


def title_of(form: FormSubmitted) -> str:
    """A phone that could not be read must still be seen by whoever calls back."""
    title = ": ".join(part for part in (form.form, form.name) if part) or "Form"
    unread = ", ".join(p.text for p in form.phones if not p.e164 and p.text)
    return f"{title} (phone as written: {unread})" if unread else title


def sent_again(state: State, form: FormSubmitted, title: str, contact: Contact, ways: list[Way]) -> bool:
    """Within ten minutes, and it tells no new way to know its sender. Clocks may run either way."""
    if not contact.forms or any(card_of(state, way.key) is None for way in ways):
        return False
    digest, at = form_digest(title, form), form.meta.occurred_at
    return any(digest == before and abs(at - when) < AGAIN_WITHIN for before, when in contact.forms)

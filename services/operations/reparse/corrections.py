"""What reading a past delivery again puts right: commands on its cards, or the fact told anew. Pure."""

from collections.abc import Iterator, Mapping
from typing import Any

from msgspec import Struct
from msgspec.structs import asdict, replace

from crm.commands import Command, Money
from crm.decisions.commands.contact_change import ContactChange
from crm.decisions.commands.deal_change import DealChange
from crm.envelope import Fact, named_id
from crm.facts import CallReported, FormSubmitted, MessageReported, PaymentReported
from crm.scalars import Id, Micros
from crm.shared import Meta
from services.operations.reparse.cards import Card, Deal
from services.operations.reparse.past import Past

ENVELOPE = {"meta", "raw"}


class Correction(Struct, frozen=True, gc=False):
    """One step. `what` names the card for people; `changes` tells from what to what; `command` does it, else `fact` is
    decided on like any other. Both have an id that follows from what they say: done twice is done once."""

    what: str
    changes: dict[str, tuple[Any, Any]]
    past: Past
    command: Command | None = None
    fact: Fact | None = None

    @property
    def id(self) -> Id:
        """Of its cause."""
        step = self.command or self.fact
        assert step
        return step.meta.id


def differences(old: Fact, new: Fact) -> dict[str, tuple[Any, Any]]:
    """Field by field, envelopes and raw bytes left aside."""
    before, after = asdict(old), asdict(new)
    return {
        name: (before[name], after[name]) for name in before if name not in ENVELOPE and before[name] != after[name]
    }


def envelope(past: Past, now: Micros, actor: str, said: object) -> Meta:
    """Of a step that follows from a past fact: it happened when the fact did, and is known since now."""
    meta: Meta = past.fact.meta
    id = named_id(meta.id, f"reread/{said!r}")
    return Meta(id, meta.workspace, meta.stream, meta.occurred_at, now, meta.source, id, actor=actor)


def told_anew(past: Past, new: Fact, now: Micros, actor: str) -> Iterator[Correction]:
    """`new`: the same fact as today's connector understands it; the card is as the old one made it."""
    changes = differences(past.fact, new)
    if isinstance(new, MessageReported):  # an edit says nothing else
        changes = {name: pair for name, pair in changes.items() if name in ("text", "attachments")}
    about = envelope(past, now, actor, changes)
    what = type(new).__name__
    match new:
        case PaymentReported() if changes:  # by a microsecond newer than what it puts right
            fact: Fact = replace(new, meta=about, changed_at=Micros(new.changed_at + 1))
        case CallReported() if changes:
            fact = replace(new, meta=about)
        case MessageReported() if changes:
            edited = new.edited_at if new.edited_at is not None else new.meta.occurred_at
            fact = replace(new, meta=about, edited_at=Micros(edited + 1))
        case _:
            return
    yield Correction(what, changes, past, fact=fact)


def form_anew(
    past: Past, new: FormSubmitted, card: Card, now: Micros, actor: str, overwrite: bool
) -> Iterator[Correction]:
    """What was changed on the card since the form came is left alone, unless `overwrite`."""
    old: FormSubmitted = past.fact
    if card.deal:
        deal, said = card.deal, dict[str, Any]()
        changes: dict[str, tuple[Any, Any]] = {}
        amount = (new.amount_minor or 0, new.currency or deal.currency)
        if amount != (old.amount_minor or 0, old.currency or deal.currency):
            stands = deal.amount_minor == (old.amount_minor or 0)
            if (stands or overwrite) and amount != (deal.amount_minor, deal.currency):
                said["amount"], changes["amount"] = Money(*amount), ((deal.amount_minor, deal.currency), amount)
        if new.reference != old.reference and (deal.reference == old.reference or overwrite):
            said["reference"], changes["reference"] = new.reference, (deal.reference, new.reference)
        if said:
            about = envelope(past, now, actor, ("deal", said))
            yield Correction(f"D-{deal.number}", changes, past, DealChange(meta=about, deal_id=deal.deal_id, **said))
        for name, value in changed_fields(old.fields, new.fields, deal.fields, overwrite).items():
            yield of_field(past, deal, name, value, envelope(past, now, actor, ("deal", name, value)))
    if card.contact:
        contact = card.contact
        phones = tuple(p.text for p in new.phones if p.e164 and p not in old.phones and p.e164 not in contact.phones)
        emails = tuple(e for e in new.emails if e not in old.emails and e.lower() not in contact.emails)
        better = new.name and new.name != old.name and contact.name in ("", old.name)
        called = new.name if better else None
        if phones or emails or called:
            about = envelope(past, now, actor, ("contact", phones, emails, called))
            ways = {"addPhones": (None, phones), "addEmails": (None, emails), "name": (contact.name, called)}
            change = ContactChange(
                meta=about, contact_id=contact.contact_id, name=called, add_phones=phones, add_emails=emails
            )
            changes = {key: pair for key, pair in ways.items() if pair[1]}
            yield Correction(contact.name or str(contact.contact_id), changes, past, change)


def of_field(past: Past, deal: Deal, name: str, value: str, about: Meta) -> Correction:
    """A step of its own: one field that is not defined must not hold up the others."""
    changes = {f"fields.{name}": (deal.fields.get(name), value)}
    change = DealChange(meta=about, deal_id=deal.deal_id, fields={name: value})
    return Correction(f"D-{deal.number}", changes, past, change)


def changed_fields(
    old: Mapping[str, str], new: Mapping[str, str], card: Mapping[str, str], overwrite: bool
) -> dict[str, str]:
    """Custom fields of which today's reading says something else, where the card still says what the old one said."""
    return {
        name: value
        for name, value in new.items()
        if value != old.get(name) and value != card.get(name) and (overwrite or card.get(name) == old.get(name))
    }


def filled(
    past: Past, card: Card, entity: str, key: str, value: str, now: Micros, actor: str, overwrite: bool
) -> Iterator[Correction]:
    """A custom field out of the raw bytes. A value that is there stays, unless `overwrite`."""
    target = card.deal if entity == "deal" else card.contact
    if target is None or target.fields.get(key) == value or (key in target.fields and not overwrite):
        return
    about = envelope(past, now, actor, (entity, key, value))
    changes = {f"fields.{key}": (target.fields.get(key), value)}
    if card.deal and entity == "deal":
        yield of_field(past, card.deal, key, value, about)
    elif card.contact:
        change = ContactChange(meta=about, contact_id=card.contact.contact_id, fields={key: value})
        yield Correction(card.contact.name or str(card.contact.contact_id), changes, past, change)

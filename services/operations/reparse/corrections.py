"""Computes corrections from a delivery that was read again: commands on its cards, or a corrected fact. Pure."""

from collections.abc import Iterator, Mapping
from typing import Any

from msgspec import Struct
from msgspec.structs import asdict, replace

from crm.commands import Command, Money
from crm.decisions import RULES
from crm.decisions.commands.contact_change import ContactChange
from crm.decisions.commands.deal_change import DealChange
from crm.envelope import Fact, named_id
from crm.facts import FormSubmitted
from crm.scalars import Id, Micros
from crm.shared import Meta
from services.operations.reparse.cards import Card, Deal
from services.operations.reparse.past_facts import PastFact

ENVELOPE = {"meta", "raw"}


class Correction(Struct, frozen=True, gc=False):
    """One step: a `command`, or a `fact` that is decided like any other. `what` names the card for display.

    `changes` maps each field to its old and new value. The step's id is derived from its content, so that a repeated
    step takes effect once.
    """

    what: str
    changes: dict[str, tuple[Any, Any]]
    past: PastFact
    command: Command | None = None
    fact: Fact | None = None

    @property
    def id(self) -> Id:
        """Id of the cause of the step's events."""
        step = self.command or self.fact
        assert step
        return step.meta.id


def differences(old: Fact, new: Fact) -> dict[str, tuple[Any, Any]]:
    """Returns the old and new value of each field that differs and can be corrected."""
    before, after = asdict(old), asdict(new)
    names = RULES[type(new)].correctable or [name for name in before if name not in ENVELOPE]
    return {name: (before[name], after[name]) for name in names if before[name] != after[name]}


def envelope(past: PastFact, now: Micros, actor: str, content: object) -> Meta:
    """Returns the envelope of a step: it occurred when the past fact did and is recorded now."""
    meta: Meta = past.fact.meta
    id = named_id(meta.id, f"reread/{content!r}")
    return Meta(id, meta.workspace, meta.stream, meta.occurred_at, now, meta.source, id, actor=actor)


def fact_corrections(past: PastFact, new: Fact, now: Micros, actor: str) -> Iterator[Correction]:
    """Yields a fact with today's reading. `new` is the same fact as today's connector understands it."""
    changes, as_newer = differences(past.fact, new), RULES[type(new)].as_newer
    if changes and as_newer:
        fact = replace(as_newer(new), meta=envelope(past, now, actor, changes))
        yield Correction(type(new).__name__, changes, past, fact=fact)


def form_corrections(
    past: PastFact, new: FormSubmitted, card: Card, now: Micros, actor: str, overwrite: bool
) -> Iterator[Correction]:
    """Yields corrections of the form's deal and contact. Later edits on the card are kept unless `overwrite`."""
    old: FormSubmitted = past.fact
    if card.deal:
        deal, fields = card.deal, dict[str, Any]()
        changes: dict[str, tuple[Any, Any]] = {}
        amount = (new.amount_minor or 0, new.currency or deal.currency)
        if amount != (old.amount_minor or 0, old.currency or deal.currency):
            unedited = deal.amount_minor == (old.amount_minor or 0)
            if (unedited or overwrite) and amount != (deal.amount_minor, deal.currency):
                fields["amount"], changes["amount"] = Money(*amount), ((deal.amount_minor, deal.currency), amount)
        if new.reference != old.reference and (deal.reference == old.reference or overwrite):
            fields["reference"], changes["reference"] = new.reference, (deal.reference, new.reference)
        if fields:
            about = envelope(past, now, actor, ("deal", fields))
            yield Correction(f"D-{deal.number}", changes, past, DealChange(meta=about, deal_id=deal.deal_id, **fields))
        for key, value in changed_fields(old.fields, new.fields, deal.fields, overwrite).items():
            yield deal_field_correction(past, deal, key, value, envelope(past, now, actor, ("deal", key, value)))
    if card.contact:
        contact = card.contact
        phones = tuple(p.text for p in new.phones if p.e164 and p not in old.phones and p.e164 not in contact.phones)
        emails = tuple(e for e in new.emails if e not in old.emails and e.lower() not in contact.emails)
        renamed = new.name and new.name != old.name and contact.name in ("", old.name)
        name = new.name if renamed else None
        if phones or emails or name:
            about = envelope(past, now, actor, ("contact", phones, emails, name))
            pairs = {"addPhones": (None, phones), "addEmails": (None, emails), "name": (contact.name, name)}
            change = ContactChange(
                meta=about, contact_id=contact.contact_id, name=name, add_phones=phones, add_emails=emails
            )
            changes = {key: pair for key, pair in pairs.items() if pair[1]}
            yield Correction(contact.name or str(contact.contact_id), changes, past, change)


def deal_field_correction(past: PastFact, deal: Deal, name: str, value: str, about: Meta) -> Correction:
    """Returns a step for one field, so that a field that is not defined does not block the others."""
    changes = {f"fields.{name}": (deal.fields.get(name), value)}
    change = DealChange(meta=about, deal_id=deal.deal_id, fields={name: value})
    return Correction(f"D-{deal.number}", changes, past, change)


def changed_fields(
    old: Mapping[str, str], new: Mapping[str, str], card: Mapping[str, str], overwrite: bool
) -> dict[str, str]:
    """Returns custom fields that today's reading changes, where the card still has the old reading's value."""
    return {
        name: value
        for name, value in new.items()
        if value != old.get(name) and value != card.get(name) and (overwrite or card.get(name) == old.get(name))
    }


def backfill_corrections(
    past: PastFact, card: Card, entity: str, key: str, value: str, now: Micros, actor: str, overwrite: bool
) -> Iterator[Correction]:
    """Yields a correction that sets a custom field. An existing value is kept unless `overwrite`."""
    target = card.deal if entity == "deal" else card.contact
    if target is None or target.fields.get(key) == value or (key in target.fields and not overwrite):
        return
    about = envelope(past, now, actor, (entity, key, value))
    changes = {f"fields.{key}": (target.fields.get(key), value)}
    if card.deal and entity == "deal":
        yield deal_field_correction(past, card.deal, key, value, about)
    elif card.contact:
        change = ContactChange(meta=about, contact_id=card.contact.contact_id, fields={key: value})
        yield Correction(card.contact.name or str(card.contact.contact_id), changes, past, change)

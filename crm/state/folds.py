"""How each event changes the state. A fold touches only what the package's docstring allows."""

from collections.abc import Callable
from hashlib import blake2b
from typing import Any

import msgspec
from msgspec.structs import replace

from crm.envelope import Event
from crm.events import (
    AssignmentRulesSet,
    CallOpened,
    ContactCreated,
    ContactMerged,
    ContactRenamed,
    ConversationOpened,
    DealAssigned,
    DealOpened,
    DealPaid,
    DealStageMoved,
    FactQuarantined,
    IdentifierAdded,
    MessageEdited,
    MessageReceived,
    PaymentMatched,
    PaymentParked,
    PaymentRecorded,
    QuarantineAttempted,
    QuarantineSettled,
    WorkspaceCreated,
)
from crm.facts import FormSubmitted
from crm.state.entities import (
    ONLY,
    Absorbed,
    Call,
    Contact,
    Conversation,
    Deal,
    DealNumber,
    DealReference,
    Identity,
    Load,
    Message,
    Numbers,
    Parked,
    Payment,
    Quarantined,
    Turn,
    Workspace,
    identifier,
    key,
    shelf,
    turn_key,
)
from crm.state.entity import State, known

OPEN_DEALS_KEPT = 50
FORMS_KEPT = 5
DEALS_A_REFERENCE = 20


def fold(state: State, event: Event) -> None:
    """Take an event into the state. Events that nothing depends on change nothing. Raises Broken on a torn stream."""
    change = FOLDS.get(type(event))
    if change:
        change(state, event)


def workspace_created(state: State, event: WorkspaceCreated) -> None:
    workspace = Workspace(
        name=event.name,
        country=event.country,
        currency=event.currency,
        timezone=event.timezone,
        stages=event.stages,
        paid_stage=event.paid_stage,
        part_paid_stage=event.part_paid_stage,
    )
    state.put(ONLY, workspace)


def rules_set(state: State, event: AssignmentRulesSet) -> None:
    workspace = known(state, Workspace, ONLY)
    state.put(ONLY, replace(workspace, rules_version=event.version, rules=event.rules))


def contact_created(state: State, event: ContactCreated) -> None:
    state.put(event.contact_id, Contact(event.contact_id, event.name))


def contact_renamed(state: State, event: ContactRenamed) -> None:
    state.put(event.contact_id, replace(known(state, Contact, event.contact_id), name=event.name))


def contact_merged(state: State, event: ContactMerged) -> None:
    state.put(event.contact_id, replace(known(state, Contact, event.contact_id), merged_into=event.into_id))
    absorbed = state.get(Absorbed, event.into_id)
    contacts = {*(absorbed.contacts if absorbed else ()), event.contact_id}
    state.put(event.into_id, Absorbed(tuple(sorted(contacts))))


def identifier_added(state: State, event: IdentifierAdded) -> None:
    name = identifier(event.kind, event.value)
    contact = known(state, Contact, event.contact_id)
    if name not in contact.identifiers:
        state.put(event.contact_id, replace(contact, identifiers=(*contact.identifiers, name)))
    identity = state.get(Identity, name)
    if identity is None or event.contact_id < identity.contact_id:
        state.put(name, Identity(event.contact_id))


def deal_opened(state: State, event: DealOpened) -> None:
    deal = Deal(event.deal_id, event.contact_id, event.number, event.amount_minor, event.currency, event.stage)
    state.put(str(event.number), DealNumber(event.deal_id))
    numbers = state.get(Numbers, ONLY)
    if numbers is None or numbers.deals < event.number:
        state.put(ONLY, Numbers(event.number))
    if event.reference:
        name = key(event.reference)
        others = state.get(DealReference, name)
        deals = sorted({*(others.deals if others else ()), event.deal_id})
        state.put(name, DealReference(tuple(deals[:DEALS_A_REFERENCE])))
    contact = known(state, Contact, event.contact_id)
    forms = contact.forms
    if event.source == "form":
        forms = (*forms, (form_digest(event.title, event), event.meta.occurred_at))[-FORMS_KEPT:]
    state.put(event.contact_id, replace(contact, deals=contact.deals + 1, forms=forms))
    deal_changed(state, None, deal)


def deal_assigned(state: State, event: DealAssigned) -> None:
    deal = known(state, Deal, event.deal_id)
    if event.rule:
        name = turn_key(event.rules_version, event.rule)
        turn = state.get(Turn, name) or Turn()
        state.put(name, Turn(turn.count + 1))
    if event.owner:
        contact = known(state, Contact, deal.contact_id)
        if contact.owner != event.owner:
            state.put(deal.contact_id, replace(contact, owner=event.owner))
    deal_changed(state, deal, replace(deal, owner=event.owner))


def deal_paid(state: State, event: DealPaid) -> None:
    deal = known(state, Deal, event.deal_id)
    deal_changed(state, deal, replace(deal, paid_minor=event.paid_minor, held_minor=event.held_minor))


def deal_stage_moved(state: State, event: DealStageMoved) -> None:
    deal = known(state, Deal, event.deal_id)
    deal_changed(state, deal, replace(deal, stage=event.stage))


def deal_changed(state: State, before: Deal | None, deal: Deal) -> None:
    """The deal, and what follows from it: its contact's open deals and its owner's load."""
    state.put(deal.deal_id, deal)
    was_open, is_open = before is not None and before.open, deal.open
    if was_open != is_open:
        contact = known(state, Contact, deal.contact_id)
        others = tuple(d for d in contact.open_deals if d != deal.deal_id)
        open_deals = (*others, deal.deal_id)[-OPEN_DEALS_KEPT:] if is_open else others
        state.put(deal.contact_id, replace(contact, open_deals=open_deals))
    had, has = before.owner if before and was_open else "", deal.owner if is_open else ""
    if had != has:
        for owner, step in ((had, -1), (has, 1)):
            if owner:
                load = state.get(Load, key(owner)) or Load()
                state.put(key(owner), Load(load.open_deals + step))


def payment_recorded(state: State, event: PaymentRecorded) -> None:
    before = state.get(Payment, event.payment_id)
    payment = Payment(
        payment_id=event.payment_id,
        status=event.status,
        amount_minor=event.amount_minor,
        currency=event.currency,
        changed_at=event.changed_at,
        refunded_minor=event.refunded_minor,
        payer=event.payer,
        deal_id=before.deal_id if before else None,
        hints=before.hints if before else (),
        parked=before.parked if before else "",
    )
    state.put(event.payment_id, payment)


def payment_parked(state: State, event: PaymentParked) -> None:
    wait(state, replace(known(state, Payment, event.payment_id), parked=event.why), event.hints)


def payment_matched(state: State, event: PaymentMatched) -> None:
    wait(state, replace(known(state, Payment, event.payment_id), deal_id=event.deal_id, parked=""), ())


def wait(state: State, payment: Payment, hints: tuple[str, ...]) -> None:
    """Move the payment from the shelves where it waits to those of the hints."""
    for hint in {*payment.hints} ^ {*hints}:
        parked = state.get(Parked, shelf(hint))
        waiting = {*(parked.waiting if parked else ())} ^ {(hint, payment.payment_id)}
        if waiting:
            state.put(shelf(hint), Parked(tuple(sorted(waiting))))
        else:
            state.drop(Parked, shelf(hint))
    state.put(payment.payment_id, replace(payment, hints=hints))


def call_opened(state: State, event: CallOpened) -> None:
    state.put(event.call_id, Call(event.contact_id, anonymous=not event.phone.e164))


def conversation_opened(state: State, event: ConversationOpened) -> None:
    state.put(event.conversation_id, Conversation(event.contact_id))


def message_changed(state: State, event: MessageReceived | MessageEdited) -> None:
    state.put(event.message_id, Message(event.edited_at) if event.edited_at is not None else Message())


def quarantined(state: State, event: FactQuarantined) -> None:
    state.put(event.quarantine_id, Quarantined())


def quarantine_attempted(state: State, event: QuarantineAttempted) -> None:
    before = state.get(Quarantined, event.quarantine_id)
    if before is None or not before.status:
        state.put(event.quarantine_id, Quarantined(event.attempts))


def quarantine_settled(state: State, event: QuarantineSettled) -> None:
    state.put(event.quarantine_id, Quarantined(event.attempts, event.status))


def form_digest(title: str, form: FormSubmitted | DealOpened) -> str:
    """What a form says, in 16 letters: the same from the fact and from the deal that it became."""
    said = (title, form.form, form.page, form.reference, form.amount_minor or 0, form.fields, form.utm, form.files)
    return blake2b(msgspec.json.encode(said), digest_size=8).hexdigest()


FOLDS: dict[type[Event], Callable[[State, Any], None]] = {
    WorkspaceCreated: workspace_created,
    AssignmentRulesSet: rules_set,
    ContactCreated: contact_created,
    ContactRenamed: contact_renamed,
    ContactMerged: contact_merged,
    IdentifierAdded: identifier_added,
    DealOpened: deal_opened,
    DealAssigned: deal_assigned,
    DealPaid: deal_paid,
    DealStageMoved: deal_stage_moved,
    PaymentRecorded: payment_recorded,
    PaymentParked: payment_parked,
    PaymentMatched: payment_matched,
    CallOpened: call_opened,
    ConversationOpened: conversation_opened,
    MessageReceived: message_changed,
    MessageEdited: message_changed,
    FactQuarantined: quarantined,
    QuarantineAttempted: quarantine_attempted,
    QuarantineSettled: quarantine_settled,
}

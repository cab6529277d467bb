"""How events of payments change the state: the payment, the shelves where it waits, and whose accounts it showed."""

from typing import Any

from msgspec.structs import replace

from crm.events import (
    PaymentCorrected,
    PaymentMatched,
    PaymentParked,
    PaymentPartRecorded,
    PaymentRecorded,
    PaymentShared,
    PaymentUnmatched,
)
from crm.scalars import Id
from crm.state.arrivals import Arrival, Arrivals
from crm.state.changes.removals import attach
from crm.state.entities import (
    Correction,
    PaidFrom,
    Parked,
    Part,
    PartOf,
    Parts,
    Payment,
    PaymentSums,
    Share,
)
from crm.state.entity import Changes, State, known
from crm.state.keys import arrivals_key, shelf
from crm.state.references import as_compared

PURPOSE_KEPT = 1000  # characters
REFERENCES_KEPT = 5
WORDS_KEPT, ARRIVALS_A_DAY = 80, 20  # characters; payments of one sum and day
# Once it is known what it is for.
PLACED: dict[str, Any] = dict(parked="", by_hand=False, purpose="", references=(), candidates=(), hints=())
# What a new report leaves as it is.
KEPT = ("deal_id", "hints", "parked", "by_hand", "candidates", "taught", "shares", "correction")


def payment_recorded(state: State, event: PaymentRecorded) -> None:
    """While it is matched to nothing, what each report said of its purpose counts."""
    before = state.get(Payment, event.payment_id)
    says = before is None or not before.deals
    kept: dict[str, Any] = {name: getattr(before, name) for name in KEPT} if before else {}
    payment = Payment(
        payment_id=event.payment_id,
        status=event.status,
        amount_minor=event.amount_minor,
        currency=event.currency,
        changed_at=event.changed_at,
        refunded_minor=event.refunded_minor,
        payer=event.payer,
        version=before.version + 1 if before else 1,
        purpose=joined(before.purpose if before else "", event.purpose) if says else "",
        references=with_reference(before.references if before else (), event.reference.strip()) if says else (),
        reported=PaymentSums(event.reported_status, event.reported_amount_minor, event.reported_refunded_minor)
        if event.reported_status
        else None,
        **kept,
    )
    state.put(event.payment_id, payment)
    if event.account and event.amount_minor > 0:
        arrived(state, event)


def arrived(state: State, event: PaymentRecorded) -> None:
    """One that is reported with another sum or day later stays where it was too."""
    name = arrivals_key(event.amount_minor, event.currency, event.changed_at)
    words = "".join(filter(str.isalnum, event.purpose[:PURPOSE_KEPT].casefold()))[:WORDS_KEPT]
    one = Arrival(
        event.payment_id,
        event.provider,
        event.payment[:WORDS_KEPT],
        event.account[:WORDS_KEPT],
        event.payer.iban[:WORDS_KEPT],
        event.payer.tax_id[:WORDS_KEPT],
        words,
    )
    before = state.get(Arrivals, name)
    others = [other for other in (before.payments if before else ()) if other.payment_id != one.payment_id]
    state.put(name, Arrivals(tuple(sorted((*others, one), key=lambda each: each.payment_id)[:ARRIVALS_A_DAY])))


def payment_part_recorded(state: State, event: PaymentPartRecorded) -> None:
    """The payment itself may come later."""
    part = Part(
        event.part_id, event.kind, event.status, event.amount_minor, event.currency, event.began_at, event.changed_at
    )
    before = state.get(Parts, event.payment_id)
    others = [other for other in (before.parts if before else ()) if other.part_id != part.part_id]
    state.put(event.payment_id, Parts(tuple(sorted((*others, part), key=lambda one: one.part_id))))
    if event.kind == "capture":
        state.put(event.part_id, PartOf(event.payment_id))
    payment = state.get(Payment, event.payment_id)
    if payment:
        reported = payment.reported or PaymentSums(payment.status, payment.amount_minor, payment.refunded_minor)
        stands: dict[str, Any] = {
            "status": event.payment_status or payment.status,
            "amount_minor": event.payment_amount_minor,
            "refunded_minor": event.payment_refunded_minor,
        }
        state.put(event.payment_id, replace(payment, reported=reported, version=payment.version + 1, **stands))


def joined(before: str, purpose: str) -> str:
    if purpose in before:
        return before
    return f"{before}\n{purpose}"[:PURPOSE_KEPT] if before else purpose[:PURPOSE_KEPT]


def with_reference(references: tuple[str, ...], reference: str) -> tuple[str, ...]:
    return (*references, reference)[:REFERENCES_KEPT] if reference and reference not in references else references


def payment_parked(state: State, event: PaymentParked) -> None:
    payment = known(state, Payment, event.payment_id)
    hints = tuple(as_compared(hint) for hint in event.hints)
    shelve(state, payment, hints)
    parked = replace(payment, parked=event.why, candidates=event.candidates, hints=hints, version=payment.version + 1)
    state.put(event.payment_id, parked)


def payment_matched(state: State, event: PaymentMatched) -> None:
    payment = known(state, Payment, event.payment_id)
    for name in event.taught:
        tie(state, name, event.contact_id, event.payment_id)
    place(state, payment, deal_id=event.deal_id, taught=event.taught)
    attach(state, event.deal_id, "payment")


def payment_shared(state: State, event: PaymentShared) -> None:
    payment = known(state, Payment, event.payment_id)
    shares = (*payment.shares, Share(event.deal_id, event.share_minor))
    place(state, payment, deal_id=None, shares=shares)
    attach(state, event.deal_id, "payment")


def place(state: State, payment: Payment, **fields: Any) -> None:
    """What it said is asked no more: it is known what it is for."""
    shelve(state, payment, ())
    state.put(payment.payment_id, replace(payment, **PLACED, **fields, version=payment.version + 1))


def payment_unmatched(state: State, event: PaymentUnmatched) -> None:
    """It waits on no shelf: no deal that comes takes it."""
    payment = known(state, Payment, event.payment_id)
    for name in payment.taught:
        tie(state, name, event.contact_id, event.payment_id)
    shares = tuple(share for share in payment.shares if share.deal_id != event.deal_id)
    shelve(state, payment, ())
    left = {"deal_id": None, "shares": shares, "taught": (), "parked": event.why, "by_hand": True, "hints": ()}
    state.put(event.payment_id, replace(payment, **left, version=payment.version + 1))


def payment_corrected(state: State, event: PaymentCorrected) -> None:
    payment = known(state, Payment, event.payment_id)
    correction = Correction(event.reported_minor, event.reported_currency, event.amount_minor, event.currency)
    reported = replace(payment.reported, amount_minor=event.amount_minor) if payment.reported else None
    right: dict[str, Any] = {"amount_minor": event.amount_minor, "currency": event.currency, "reported": reported}
    corrected = replace(payment, correction=correction, **right)
    state.put(event.payment_id, replace(corrected, version=payment.version + 1))


def tie(state: State, name: str, contact_id: Id, payment_id: Id) -> None:
    """Ties an account to a contact, or unties it again."""
    before = state.get(PaidFrom, name)
    payments = {*(before.payments if before else ())} ^ {(contact_id, payment_id)}
    if payments:
        state.put(name, PaidFrom(tuple(sorted(payments))))
    else:
        state.drop(PaidFrom, name)


def shelve(state: State, payment: Payment, hints: tuple[str, ...]) -> None:
    """Move the payment from the shelves where it waits to those of the hints."""
    if hints == payment.hints:
        return
    for hint in {*payment.hints} ^ {*hints}:
        put_or_take(state, hint, (hint, payment.payment_id))


def put_or_take(state: State, hint: str, entry: tuple[str, Id]) -> None:
    """Puts what waits on the shelf of a hint, or takes it off when it is there."""
    parked = state.get(Parked, shelf(hint))
    waiting = {*(parked.waiting if parked else ())} ^ {entry}
    if waiting:
        state.put(shelf(hint), Parked(tuple(sorted(waiting))))
    else:
        state.drop(Parked, shelf(hint))


CHANGES: Changes = {
    PaymentRecorded: payment_recorded,
    PaymentPartRecorded: payment_part_recorded,
    PaymentParked: payment_parked,
    PaymentMatched: payment_matched,
    PaymentShared: payment_shared,
    PaymentUnmatched: payment_unmatched,
    PaymentCorrected: payment_corrected,
}

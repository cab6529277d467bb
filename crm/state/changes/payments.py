"""How events of payments change the state: the payment, and the shelves where it waits."""

from msgspec.structs import replace

from crm.events import PaymentMatched, PaymentParked, PaymentRecorded, PaymentUnmatched
from crm.state.entities import Parked, Payment, shelf
from crm.state.entity import Changes, State, known


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
        by_hand=before is not None and before.by_hand,
        version=before.version + 1 if before else 1,
    )
    state.put(event.payment_id, payment)


def payment_parked(state: State, event: PaymentParked) -> None:
    wait(state, replace(known(state, Payment, event.payment_id), parked=event.why), event.hints)


def payment_matched(state: State, event: PaymentMatched) -> None:
    wait(state, replace(known(state, Payment, event.payment_id), deal_id=event.deal_id, parked="", by_hand=False), ())


def payment_unmatched(state: State, event: PaymentUnmatched) -> None:
    """It waits on no shelf: no deal that comes takes it."""
    payment = known(state, Payment, event.payment_id)
    wait(state, replace(payment, deal_id=None, parked=event.why, by_hand=True), ())


def wait(state: State, payment: Payment, hints: tuple[str, ...]) -> None:
    """Move the payment from the shelves where it waits to those of the hints."""
    for hint in {*payment.hints} ^ {*hints}:
        parked = state.get(Parked, shelf(hint))
        waiting = {*(parked.waiting if parked else ())} ^ {(hint, payment.payment_id)}
        if waiting:
            state.put(shelf(hint), Parked(tuple(sorted(waiting))))
        else:
            state.drop(Parked, shelf(hint))
    state.put(payment.payment_id, replace(payment, hints=hints, version=payment.version + 1))


CHANGES: Changes = {
    PaymentRecorded: payment_recorded,
    PaymentParked: payment_parked,
    PaymentMatched: payment_matched,
    PaymentUnmatched: payment_unmatched,
}

"""How a payment stands with all its parts: what was captured of it, and what went back by refunds and chargebacks."""

from collections.abc import Iterable, Sequence

from crm.decisions.case import State
from crm.scalars import Id, Micros
from crm.state import Part, Parts, PaymentSums
from crm.vocabulary import PartKind, PaymentStatus

NOT_TAKEN = (PaymentStatus.CREATED, PaymentStatus.EXPIRED, PaymentStatus.HELD)


def parts_of(state: State, payment_id: Id) -> tuple[Part, ...]:
    """Returns the parts of a payment and those that were reported of its captures, each in its newest state."""
    parts = of(state, payment_id)
    captures = [part.part_id for part in parts if part.kind == PartKind.CAPTURE]
    newest: dict[Id, Part] = {}
    for part in (*parts, *(part for id in captures for part in of(state, id))):
        if part.part_id not in newest or newest[part.part_id].changed_at < part.changed_at:
            newest[part.part_id] = part
    return tuple(newest.values())


def of(state: State, id: Id) -> tuple[Part, ...]:
    found = state.get(Parts, id)
    return found.parts if found else ()


def summed(reported: PaymentSums, reported_at: Micros, currency: str, parts: Sequence[Part]) -> PaymentSums:
    """Returns how the payment stands. Parts in another currency are none of its money.

    Captures take the place of the held sum. A total that the provider reported holds the refunds made until then; of
    those that failed since, it is too much. Where each refund was reported alone, their sum is more.
    """
    own = [part for part in parts if part.currency == currency]
    captured = total(own, PartKind.CAPTURE)
    amount = captured or reported.amount_minor
    status = PaymentStatus.SETTLED if captured and reported.status in NOT_TAKEN else reported.status
    refunds = [part for part in own if part.kind == PartKind.REFUND]
    later = total((part for part in refunds if part.began_at > reported_at), PartKind.REFUND)
    failed = sum(
        part.amount_minor for part in refunds if part.began_at <= reported_at < part.changed_at and is_failed(part)
    )
    back = max(reported.refunded_minor - failed + later, total(refunds, PartKind.REFUND))
    back += total(own, PartKind.CHARGEBACK)
    if status == PaymentStatus.SETTLED and back >= amount > 0:
        status = PaymentStatus.REVERSED
    return PaymentSums(status, amount, back)


def is_failed(part: Part) -> bool:
    return part.status == PaymentStatus.FAILED


def total(parts: Iterable[Part], kind: PartKind) -> int:
    return sum(part.amount_minor for part in parts if part.kind == kind and part.status == PaymentStatus.SETTLED)

"""A capture, a refund or a chargeback that its provider tells alone: the payment and its deals follow, in any order."""

from collections.abc import Iterator

from msgspec.structs import replace

from crm.decisions.case import Case, State
from crm.decisions.delivery import quarantined, sent_by
from crm.decisions.fact_rule import FactRule
from crm.decisions.loading import Wanted
from crm.decisions.part_sums import of, parts_of, summed
from crm.decisions.payment import payment_id_of, went_back
from crm.decisions.settlement import in_words, settle
from crm.decisions.workspace import LARGEST_SUM
from crm.envelope import Event
from crm.events import PaymentPartRecorded, PaymentReportOutdated
from crm.facts import PaymentPartReported
from crm.scalars import Id, Micros
from crm.state import Part, PartOf, Parts, Payment, PaymentSums, known
from crm.vocabulary import PartKind, PaymentStatus

MOST_PARTS = 500  # of one payment: all are read with each
ORDER = (PaymentStatus.CREATED, PaymentStatus.SETTLED, PaymentStatus.FAILED)
UNKNOWN = PaymentSums("", 0, 0)
WORDS: dict[str, str] = {
    PartKind.CAPTURE: "were taken",
    PartKind.REFUND: "were given back",
    PartKind.CHARGEBACK: "were charged back",
}


def payment_part_reported(report: PaymentPartReported, case: Case) -> Iterator[Event]:
    payment_id, part = whose(case.state, report), part_of(report)
    if not 0 <= report.amount_minor <= LARGEST_SUM:
        why = f"no {report.kind} is of {report.amount_minor}: the sum cannot be true"
        yield quarantined(case, sent_by(report), why)
        return
    parts = {known_part.part_id: known_part for known_part in parts_of(case.state, payment_id)}
    known_part = parts.get(part.part_id)
    if known_part and age(part) <= age(known_part):
        same = age(part) == age(known_part)
        why = "it says what is known already" if same else f"a newer report said {known_part.status}"
        yield PaymentReportOutdated(case.meta(payment_id), payment_id, report.status, why)
        return
    if len(parts) >= MOST_PARTS and known_part is None:
        yield quarantined(
            case, report.meta.actor, f"the payment has {MOST_PARTS} parts already: count this one by hand"
        )
        return
    before = case.state.get(Payment, payment_id)
    waiting = of(case.state, part.part_id) if part.kind == PartKind.CAPTURE else ()  # its refunds came before it
    every = {one.part_id: one for one in waiting} | parts | {part.part_id: part}
    yield recorded(case, payment_id, report, before, tuple(every.values()))
    if before:
        payment = known(case.state, Payment, payment_id)
        for deal_id in payment.deals:
            yield from settle(case, deal_id, before, payment)


def whose(state: State, report: PaymentPartReported) -> Id:
    """Returns the id of the payment, also where the report names one of its captures."""
    named = payment_id_of(report.meta.workspace, report.provider, report.payment)
    capture = state.get(PartOf, named)
    return capture.payment_id if capture else named


def part_of(report: PaymentPartReported) -> Part:
    part_id = payment_id_of(report.meta.workspace, report.provider, report.part)
    sum_minor, currency = report.amount_minor, report.currency
    return Part(part_id, report.kind, report.status, sum_minor, currency, report.began_at, report.changed_at)


def age(part: Part) -> tuple[Micros, int, int]:
    """The provider's clock, then the more advanced state; a refund fails after it seemed to be done."""
    return part.changed_at, ORDER.index(part.status) if part.status in ORDER else -1, part.amount_minor


def recorded(
    case: Case, payment_id: Id, report: PaymentPartReported, before: Payment | None, parts: tuple[Part, ...]
) -> PaymentPartRecorded:
    stands, part, other = UNKNOWN, part_of(report), ""
    if before:
        reported = before.reported or PaymentSums(before.status, before.amount_minor, before.refunded_minor)
        stands = summed(reported, before.changed_at, before.currency, parts)
        if before.currency != report.currency:
            other = f"; the payment is in {before.currency}, so it does not count: see what it comes to"
    said = WORDS.get(report.kind) if report.status == PaymentStatus.SETTLED else f"{report.kind} {report.status}"
    return PaymentPartRecorded(
        meta=case.meta(payment_id),
        payment_id=payment_id,
        part_id=part.part_id,
        provider=report.provider,
        part=report.part,
        kind=report.kind,
        status=report.status,
        amount_minor=report.amount_minor,
        currency=report.currency,
        began_at=report.began_at,
        changed_at=report.changed_at,
        reason=report.reason,
        payment_status=stands.status,
        payment_amount_minor=stands.amount_minor,
        payment_refunded_minor=stands.refunded_minor,
        why=f"{in_words(report.amount_minor, report.currency)} {said}{other}",
        suspicious=went_back(case.state, stands, report.currency, before) if before else "",
    )


def hints(report: PaymentPartReported) -> Wanted:
    named = payment_id_of(report.meta.workspace, report.provider, report.payment)
    yield from ((Payment, named), (Parts, named), (PartOf, named))
    if report.kind == PartKind.CAPTURE:
        yield Parts, part_of(report).part_id


RULE = FactRule(
    PaymentPartReported,
    payment_part_reported,
    family="banking",
    hints=hints,
    sender=lambda own: f"{own['provider']}/{own['payment']}",
    words={"status": PaymentStatus, "kind": PartKind},
    occurs="changed_at",
    row=lambda report: ("payment", payment_id_of(report.meta.workspace, report.provider, report.payment)),
    as_newer=lambda report: replace(report, changed_at=Micros(report.changed_at + 1)),
)

"""Story 2: a payment finds its deal and moves its stage; what fits nothing is parked until its deal arrives."""

from collections.abc import Iterator

from msgspec.structs import replace

from crm.currencies import UNKNOWN_CURRENCY
from crm.decisions.case import Case, State
from crm.decisions.delivery import quarantined, sent_by
from crm.decisions.fact_rule import FactRule
from crm.decisions.loading import Wanted, of_identifier, of_sum
from crm.decisions.matching import Match, Nothing, find
from crm.decisions.parked_payments import learnt, matched
from crm.decisions.part_sums import parts_of, summed
from crm.decisions.payers import identifiers_of
from crm.decisions.payment_evidence import NOBODY, PaymentDetails, earlier_references, reference_hint
from crm.decisions.purpose import number_of, read
from crm.decisions.same_money import reported_before, wanted
from crm.decisions.settlement import in_words, settle
from crm.decisions.workspace import LARGEST_SUM
from crm.envelope import Event, named_id
from crm.events import PaymentParked, PaymentRecorded, PaymentReportOutdated
from crm.facts import PaymentReported
from crm.scalars import Id, Micros
from crm.state import Deal, DealNumber, DealReference, PaidFrom, Parked, Parts, Payment, PaymentSums, known, shelf
from crm.state.references import reference_key
from crm.vocabulary import PaymentStatus

STATUSES = tuple(PaymentStatus)
MOST_WAITING = 500  # payments on one shelf; those past it are matched by hand, or each one would cost all before it


def payment_reported(report: PaymentReported, case: Case, own: Match | None = None) -> Iterator[Event]:
    """`own`: the deal that it is for beyond doubt."""
    payment_id = id_reported(report)
    if abs(report.amount_minor) > LARGEST_SUM or not 0 <= report.refunded_minor <= LARGEST_SUM:
        yield quarantined(case, sent_by(report), f"no payment is of {report.amount_minor}: the sum cannot be true")
        return
    before = case.state.get(Payment, payment_id)
    report = corrected(report, before)
    if before and age(report) <= age(before):
        same = age(report) == age(before)
        why = "it says what is known already" if same else f"a newer report said {before.status}"
        yield PaymentReportOutdated(case.meta(payment_id), payment_id, report.status, why)
    else:
        yield recorded(case, payment_id, report, before)
    payment = known(case.state, Payment, payment_id)
    if payment.deals:
        for deal_id in payment.deals:
            yield from settle(case, deal_id, before, payment)
        yield from learnt_again(case, payment, report)
    elif payment.amount_minor >= 0 and not payment.by_hand:
        # An outdated report may still be the one that names the deal: so any order of reports ends the same.
        double = reported_before(case.state, payment) if report.account and not own else None
        found = own or double or find(case.state, details_of(report, payment, before))
        if isinstance(found, Match):
            yield from matched(case, payment, found)
        else:
            yield from parked(case, payment, found)


def details_of(report: PaymentReported, payment: Payment, before: Payment | None) -> PaymentDetails:
    """What this report says and what the earlier ones said; how it stands is the newest's."""
    reference, others = report.reference.strip(), payment.references
    return PaymentDetails(
        purpose=payment.purpose if report.purpose in payment.purpose else f"{payment.purpose}\n{report.purpose}",
        references=(*others, reference) if reference and reference not in others else others,
        payer=report.payer if report.payer != NOBODY else payment.payer,
        status=payment.status,
        amount_minor=payment.amount_minor,
        currency=payment.currency,
        earlier=earlier_references(before),
        seen=before.candidates if before else (),
    )


def corrected(report: PaymentReported, before: Payment | None) -> PaymentReported:
    """What somebody said of its sum holds for its later reports too."""
    right = before.correction if before else None
    if right is None or report.currency != right.reported_currency:
        return report
    amount = right.amount_minor if report.amount_minor == right.reported_minor else report.amount_minor
    return replace(report, amount_minor=amount, currency=right.currency)


def payment_id_of(workspace: Id, provider: str, payment: str) -> Id:
    return named_id(workspace, f"payment/{provider}/{payment}")


def id_reported(report: PaymentReported) -> Id:
    return payment_id_of(report.meta.workspace, report.provider, report.payment)


def age(state: PaymentReported | Payment) -> tuple[bool, Micros, int, int, int, str, str]:
    """Reports are in one order, whichever comes first: what only was begun is before all else, as no money goes back to
    that; then the provider's clock, then the more advanced state."""
    said = (state.reported or state) if isinstance(state, Payment) else state
    rank = STATUSES.index(said.status) if said.status in STATUSES else -1
    currency = "" if state.currency == UNKNOWN_CURRENCY else state.currency  # to know it is newer than not to
    details = state.changed_at, rank, said.refunded_minor, said.amount_minor, currency, said.status
    return rank > 0, *details


def recorded(case: Case, payment_id: Id, report: PaymentReported, before: Payment | None) -> PaymentRecorded:
    reported = PaymentSums(report.status, report.amount_minor, report.refunded_minor)
    parts = parts_of(case.state, payment_id)
    if parts:
        stands = summed(reported, report.changed_at, report.currency, parts)
        report = replace(
            report, status=stands.status, amount_minor=stands.amount_minor, refunded_minor=stands.refunded_minor
        )
    return PaymentRecorded(
        meta=case.meta(payment_id),
        payment_id=payment_id,
        provider=report.provider,
        payment=report.payment,
        status=report.status,
        amount_minor=report.amount_minor,
        currency=report.currency,
        refunded_minor=report.refunded_minor,
        purpose=report.purpose,
        reference=report.reference,
        payer=report.payer,
        account=report.account,
        changed_at=report.changed_at,
        doubts=report.doubts,
        suspicious=went_back(case.state, report, report.currency, before),
        reported_status=reported.status if parts else "",
        reported_amount_minor=reported.amount_minor if parts else 0,
        reported_refunded_minor=reported.refunded_minor if parts else 0,
        fee_minor=report.fee_minor,
    )


def went_back(state: State, stands: PaymentReported | PaymentSums, currency: str, before: Payment | None) -> str:
    """Money that goes back from a deal that was won is for a person to see: the deal stays won."""
    back = stands.refunded_minor if stands.status == PaymentStatus.SETTLED else stands.amount_minor
    if (
        before is None
        or before.status not in (PaymentStatus.HELD, PaymentStatus.SETTLED)
        or back <= before.refunded_minor
    ):
        return ""
    won = [deal for deal_id in before.deals if (deal := known(state, Deal, deal_id)).stage == "won"]
    went = in_words(back - before.refunded_minor, currency)
    return f"{went} went back after D-{won[0].number} was won" if won else ""


def learnt_again(case: Case, payment: Payment, report: PaymentReported) -> Iterator[Event]:
    """A later report may tell the payer that the first one did not."""
    if payment.deal_id:
        yield from learnt(case, known(case.state, Deal, payment.deal_id).contact_id, report.payer)


def parked(case: Case, payment: Payment, nothing: Nothing) -> Iterator[Event]:
    """What earlier reports of it waited for it waits for still."""
    fresh = [hint for hint in nothing.hints if hint not in payment.hints]
    room = [hint for hint in fresh if waiting(case.state, hint) < MOST_WAITING]
    why = nothing.why
    if len(room) < len(fresh):
        why += f"; {MOST_WAITING} payments wait for the same already: match it by hand"
    hints = tuple(sorted({*payment.hints, *room}))
    candidates = tuple(dict.fromkeys((*payment.candidates, *nothing.candidates)))
    if (why, hints, candidates) != (payment.parked, payment.hints, payment.candidates):
        yield PaymentParked(case.meta(payment.payment_id), payment.payment_id, why, hints, candidates)


def waiting(state: State, hint: str) -> int:
    parked = state.get(Parked, shelf(hint))
    return len(parked.waiting) if parked else 0


def hints(report: PaymentReported) -> Wanted:
    yield Payment, id_reported(report)
    yield Parts, id_reported(report)
    yield from of_sum(report.amount_minor)
    if report.account:
        yield from wanted(report.amount_minor, report.currency, report.changed_at)
    words, reference = read(report.purpose), report.reference.strip()
    number = number_of(reference)
    numbers = {*words.deals, *(int(text) for text in words.orders), *(() if number is None else (number,))}
    yield from ((DealNumber, str(n)) for n in numbers)
    for text in (*words.references, *words.orders, *([reference] if reference else ())):
        yield DealReference, reference_key(text)
        yield Parked, reference_hint(text)
    yield from ((DealReference, reference_key(text)) for text in words.bare)
    for identifier in identifiers_of(report.payer):
        yield from of_identifier(identifier.key)
        if identifier.kind in ("iban", "tax_id"):
            yield PaidFrom, identifier.key


RULE = FactRule(
    PaymentReported,
    payment_reported,
    family="banking",
    hints=hints,
    identifiers=lambda report: ((one.kind, one.value) for one in identifiers_of(report.payer)),
    sender=lambda own: f"{own['provider']}/{own['payment']}",
    words={"status": PaymentStatus},
    occurs="changed_at",
    row=lambda report: ("payment", id_reported(report)),
    as_newer=lambda report: replace(report, changed_at=Micros(report.changed_at + 1)),
)

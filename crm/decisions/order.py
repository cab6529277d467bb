"""An order of a shop is a deal of another system, known by the order's key, with lines and with what was paid."""

from collections import Counter
from collections.abc import Iterator, Sequence

import msgspec
from msgspec.structs import replace

from crm.decisions.case import Case, State
from crm.decisions.deal_report import deal_reported
from crm.decisions.deal_report import hints as hints_of_deal
from crm.decisions.fact_rule import FactRule
from crm.decisions.loading import Wanted
from crm.decisions.matching import Match
from crm.decisions.own_keys import OwnKey, Values, addressed, check
from crm.decisions.payment import payment_id_of, payment_reported
from crm.decisions.reported_people import identifiers_in
from crm.decisions.workspace import LARGEST_SUM, workspace_of
from crm.envelope import Event
from crm.events import DealLineChanged
from crm.facts import DealReported, OrderReported, PaymentReported
from crm.scalars import Id, Micros
from crm.shared import OrderLine
from crm.state import Deal, Parts, Payment
from crm.vocabulary import PaymentStatus

MOST_LINES = 1_000  # of one order
LONGEST = 500  # characters of a line's name
Lines = tuple[str, Sequence[OrderLine]]  # with the currency of their sums
Paid = tuple[int, int, str]  # paid, given back, and in which currency
NO_LINES: Lines = ("", ())


def order_reported(order: OrderReported, case: Case) -> Iterator[Event]:
    """The newest report counts field by field, as of every record that a source keeps: also of the lines as a whole,
    and of what was paid."""
    report = as_deal(order)
    own = addressed(case.state, report, "deal")
    deal_id, lines, paid = own.id_in(order.meta.workspace), NO_LINES, None
    if case.state.get(Deal, deal_id):  # else all that was ever said of it is new
        lines, paid = lines_known(case.state, own), paid_known(case.state, own)
    yield from deal_reported(report, case, more_than_deals(order, case))
    deal = case.state.get(Deal, deal_id)
    if deal is None:  # its source deleted it before anything else was reported
        return
    yield from lines_changed(case, own, deal, lines, lines_known(case.state, own))
    if paid != paid_known(case.state, own):
        yield from paid_for(case, order, own, deal)


def as_deal(order: OrderReported) -> DealReported:
    return DealReported(
        meta=order.meta,
        raw=order.raw,
        key=order.order,
        system=order.system,
        contact_key=order.contact_key,
        name=order.name,
        phones=order.phones,
        emails=order.emails,
        title=f"Order {order.number}" if order.number else None,
        stage=order.stage,
        amount_minor=order.total_minor,
        currency=None if order.total_minor is None else order.currency,
        reference=order.number,
        fields=order.fields,
        changed_at=order.changed_at,
        deleted=order.deleted,
    )


def more_than_deals(order: OrderReported, case: Case) -> Values:
    """What an order says besides what a deal does."""
    values, currency = Values(), order.currency or workspace_of(case).currency
    if order.cancelled is not None:
        values.give("cancelled", order.cancelled)
    if order.doubts:
        values.doubt("reading", " ".join(order.doubts))
    elif not order.deleted:
        values.give("reading", "certain")  # so that a doubt of an older report is none any more
    if order.lines is not None and len(order.lines) > MOST_LINES:
        values.doubt("lines", f"The order has {len(order.lines)} lines; it has at most {MOST_LINES}: not changed.")
    elif order.lines is not None:
        values.give("lines", [currency, with_keys_of_their_own(order.lines)])
    if order.paid_minor is not None:
        if 0 <= order.refunded_minor <= order.paid_minor <= LARGEST_SUM:
            values.give("paid", [order.paid_minor, order.refunded_minor, currency])
        else:
            said = f"{order.paid_minor} paid and {order.refunded_minor} given back"
            values.doubt("paid", f"What was paid cannot be true, so it was not counted: {said}, in minor units.")
    return values


def with_keys_of_their_own(lines: Sequence[OrderLine]) -> list[OrderLine]:
    """Lines of one key are numbered: the second is key#2."""
    seen: Counter[str] = Counter()
    found = []
    for line in lines:
        key = line.key[:LONGEST]
        seen[key] += 1
        key = key if seen[key] == 1 else f"{key}#{seen[key]}"
        found.append(replace(line, key=key, sku=line.sku[:LONGEST], name=line.name[:LONGEST]))
    return found


def lines_known(state: State, own: OwnKey) -> Lines:
    reported = own.reported(state)
    text = reported.value("lines") if reported else None
    return msgspec.json.decode(text, type=Lines) if text else NO_LINES


def paid_known(state: State, own: OwnKey) -> Paid | None:
    reported = own.reported(state)
    text = reported.value("paid") if reported else None
    return msgspec.json.decode(text, type=Paid) if text else None


def lines_changed(case: Case, own: OwnKey, deal: Deal, before: Lines, after: Lines) -> Iterator[Event]:
    """One event for each line that is another one than before."""
    if before == after:
        return
    (old_currency, old), (currency, new) = before, after
    stood = {line.key: (place, line, old_currency) for place, line in enumerate(old, 1)}
    stands = {line.key: (place, line, currency) for place, line in enumerate(new, 1)}
    for key in [*(key for key in stood if key not in stands), *stands]:
        place, line, money = stands.get(key) or stood[key]
        if stands.get(key) != stood.get(key):
            yield DealLineChanged(
                meta=case.meta(deal.contact_id),
                line_id=own.id_in(case.fact.meta.workspace, f"/line/{key}"),
                deal_id=deal.deal_id,
                contact_id=deal.contact_id,
                line=line,
                place=place,
                currency=money,
                removed=key not in stands,
            )


def paid_for(case: Case, order: OrderReported, own: OwnKey, deal: Deal) -> Iterator[Event]:
    """What the shop was paid is a payment, of this deal beyond doubt."""
    reported = own.reported(case.state)
    assert reported
    moment, text = reported.said["paid"]
    paid, refunded, currency = msgspec.json.decode(text, type=Paid)
    known = case.state.get(Payment, payment_id(own, order.meta.workspace))
    if paid == 0 and known is None:
        return
    status = PaymentStatus.SETTLED if paid > refunded else PaymentStatus.REVERSED if paid else PaymentStatus.FAILED
    payment = PaymentReported(
        meta=order.meta,
        raw=order.raw,
        provider=own.system,
        payment=own.key,
        status=status,
        amount_minor=paid,
        currency=currency,
        changed_at=Micros(moment),
        refunded_minor=refunded,
    )
    lost = f"D-{deal.number} was lost" if deal.stage == "lost" and paid > refunded else ""
    yield from payment_reported(payment, case, Match(deal, "reference", f"the shop was paid for {own}", lost, False))


def payment_id(own: OwnKey, workspace: Id) -> Id:
    return payment_id_of(workspace, own.system, own.key)


def hints(order: OrderReported) -> Wanted:
    report = as_deal(order)
    yield from hints_of_deal(report)
    if order.paid_minor is not None:
        id = payment_id(OwnKey("deal", order.system, order.order), order.meta.workspace)
        yield Payment, id
        yield Parts, id


RULE = FactRule(
    OrderReported,
    order_reported,
    family="facts",
    hints=hints,
    identifiers=lambda order: ((one.kind, one.value) for one in identifiers_in(as_deal(order))),
    check=lambda order: check(as_deal(order)),
    row=lambda order: ("deal", OwnKey("deal", order.system, order.order).id_in(order.meta.workspace)),
    as_newer=lambda order: replace(order, changed_at=Micros(order.changed_at + 1)),
)

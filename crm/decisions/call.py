"""Story 3: a ringing call finds its contact before anyone answers; its reports complete one call, in any order."""

import re
from collections.abc import Generator, Iterator

from crm.decisions.case import Case
from crm.decisions.contacts import Identifier, card, cards, created, holder, identified, nameless
from crm.decisions.deals import opened
from crm.decisions.fact_rule import FactRule
from crm.decisions.loading import Wanted, of_identifier
from crm.decisions.merging import merged
from crm.decisions.parked_payments import retry_parked
from crm.envelope import Event, named_id
from crm.events import CallOpened, CallUpdated
from crm.facts import CallReported
from crm.scalars import Id
from crm.shared import Phone
from crm.state import Call, Contact, known
from crm.vocabulary import CallPhase, Direction, Disposition

INTERNAL = re.compile(r"\+?\d{1,4}")  # what colleagues and services are dialled by: no subscriber has so few digits
LEAST_DIGITS = 5  # a number that cannot be read and could still be dialled


def call_reported(report: CallReported, case: Case) -> Iterator[Event]:
    call_id = call_id_of(report)
    call = case.state.get(Call, call_id)
    if call is None:
        new = yield from first_report(report, case, call_id)
    else:
        new = False
        yield from next_report(report, case, call_id, call)
    call = known(case.state, Call, call_id)
    if lead(call):
        yield from followed_up(report, case, call, new)


def call_id_of(report: CallReported) -> Id:
    return named_id(report.meta.workspace, f"call/{report.meta.source}/{report.call}")


def first_report(report: CallReported, case: Case, call_id: Id) -> Generator[Event, None, bool]:
    """Whether a card was made. A call without a number is nobody's: it gets one of its own, without identifier, and
    nothing is guessed."""
    identifier = way_of(report.phone)
    owner = holder(case.state, identifier.key) if identifier else None
    contact = owner or (nameless(case.state, identifier.key) if identifier else None)
    contact_id = contact.contact_id if contact else case.new_id("contact")
    if contact is None and not inside(report):  # a colleague is in no book of customers
        yield from created(case, contact_id, "", "call", [identifier] if identifier else [], utm=report.utm)
    yield CallOpened(
        meta=case.meta(contact_id),
        call_id=call_id,
        contact_id=contact_id,
        call=report.call,
        direction=report.direction,
        phone=report.phone,
        line=report.line,
        known=owner is not None,
    )
    yield updated(report, case, call_id, contact_id, known=owner is not None)
    return contact is None


def next_report(report: CallReported, case: Case, call_id: Id, call: Call) -> Iterator[Event]:
    """The call may have begun with a report that had no number. Now one has: the card is somebody's."""
    number = report.phone.e164
    if call.phone and number and call.phone != number:  # the first number stays: its card has the call
        yield updated(report, case, call_id, call.contact_id, other_number=number)
        return
    identifier = way_of(report.phone) if call.anonymous else None
    contact = case.state.get(Contact, call.contact_id)
    if identifier is None:
        yield updated(report, case, call_id, call.contact_id)
        if contact is None and report.phone.text and not inside(report):  # so far only colleagues took part
            yield from created(case, call.contact_id, "", "call", utm=report.utm)
        return
    if contact and (contact.merged_into or contact.identifiers):
        yield updated(report, case, call_id, call.contact_id)
        return
    other = holder(case.state, identifier.key)
    yield updated(report, case, call_id, call.contact_id, known=other is not None)
    if contact is None:
        yield from created(case, call.contact_id, "", "call", [] if other else [identifier], utm=report.utm)
    if other:
        yield from merged(case, call.contact_id, other.contact_id, f"the call turned out to be from {identifier.value}")
    elif contact:
        yield from identified(case, call.contact_id, [identifier])
        if contact.deals:
            yield from retry_parked(case, call.contact_id)


def updated(
    report: CallReported, case: Case, call_id: Id, contact_id: Id, known: bool = False, other_number: str = ""
) -> CallUpdated:
    """All that this report says."""
    phone = report.phone if report.phone.e164 or report.phone.text else None
    note = report.note
    if other_number:
        note = "; ".join(filter(None, (note, f"this report names another number: {other_number}")))
    return CallUpdated(
        meta=case.meta(contact_id),
        call_id=call_id,
        contact_id=contact_id,
        phase=report.phase,
        employee=report.employee,
        started_at=report.started_at,
        wait_s=report.wait_s,
        talk_s=report.talk_s,
        disposition=report.disposition,
        recording=report.recording,
        call=report.call,
        direction=report.direction,
        phone=None if other_number else phone,
        line=report.line,
        known=known,
        note=note,
        leg=report.leg,
    )


def followed_up(report: CallReported, case: Case, call: Call, new: bool) -> Iterator[Event]:
    """Who never had a deal gets one. `new`: their card was made a moment ago."""
    contact = known(case.state, Contact, call.contact_id)
    if contact.deals:
        return
    contact_id = contact.merged_into if contact.merged_into and not contact.identifiers else contact.contact_id
    stands = None if new else card(case.state, contact_id)
    if stands and any(one.deals for one in cards(case.state, stands)):
        return
    deal_id = case.new_id("deal")
    title = f"Call from {call.text or call.phone}"
    yield from opened(case, contact_id, deal_id, title, "call", utm=report.utm, known=stands)
    yield from retry_parked(case, contact_id, deal_id)


def lead(call: Call) -> bool:
    """By all that is known of the call. Who calls us is a lead; whom we call is not, nor is a colleague. A withheld
    number is worth a deal only once somebody talked: nobody can call it back. Details that do not say the direction are
    taken for those of a call in."""
    if call.phone:
        return call.direction == Direction.IN or (call.direction == "" and call.detailed)
    phone = Phone(call.text, "")
    incoming = call.direction == Direction.IN and not internal(phone)
    return incoming and (dialled(phone) or bool(call.text and call.talked))


def way_of(phone: Phone) -> Identifier | None:
    return Identifier("phone", phone.e164, phone.text) if phone.e164 else None


def internal(phone: Phone) -> bool:
    return not phone.e164 and bool(INTERNAL.fullmatch(phone.text.strip()))


def inside(report: CallReported) -> bool:
    """Whether nobody outside took part. A number or name of somebody is believed more than what the report says."""
    unnamed = not (report.phone.e164 or report.phone.text)
    return (report.internal and unnamed) or internal(report.phone)


def dialled(phone: Phone) -> bool:
    """It cannot be read with certainty, and somebody may still know what to dial: without its area, a digit lost."""
    return sum(char.isdecimal() for char in phone.text) >= LEAST_DIGITS and bool(phone.text.strip("+0 "))


def hints(report: CallReported) -> Wanted:
    yield Call, call_id_of(report)
    if identifier := way_of(report.phone):
        yield from of_identifier(identifier.key)


RULE = FactRule(
    CallReported,
    call_reported,
    family="calls",
    hints=hints,
    identifiers=lambda report: [("phone", report.phone.e164)],
    sender=lambda own: own["phone"].e164 or str(own["call"]),  # of one person in one order with their forms
    words={"phase": CallPhase, "direction": Direction, "disposition": Disposition},
    row=lambda report: ("call", call_id_of(report)),
    as_newer=lambda report: report,
    one_per_delivery=True,
)

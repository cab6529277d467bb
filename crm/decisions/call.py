"""Story 3: a ringing call finds its contact before anyone answers; its reports complete one call, in any order."""

from collections.abc import Iterator

from crm.decisions.awaited import awaited
from crm.decisions.case import Case
from crm.decisions.contacts import Way, created, holder, identified
from crm.decisions.deals import opened
from crm.decisions.merging import merged
from crm.envelope import Event, named_id
from crm.events import CallOpened, CallUpdated
from crm.facts import CallReported
from crm.scalars import Id
from crm.state import Call, Contact


def call_reported(report: CallReported, case: Case) -> Iterator[Event]:
    call_id = named_id(report.meta.workspace, f"call/{report.meta.source}/{report.call}")
    call = case.state.get(Call, call_id)
    if call is None:
        yield from first_report(report, case, call_id)
    else:
        yield updated(report, case, call_id, call.contact_id)
        if call.anonymous:
            yield from unmasked(report, case, call.contact_id)


def first_report(report: CallReported, case: Case, call_id: Id) -> Iterator[Event]:
    """A withheld number is nobody's: it gets a card of its own, without identifier, and nothing is guessed."""
    ways = [Way("phone", report.phone.e164, report.phone.text)] if report.phone.e164 else []
    contact = holder(case.state, ways[0].key) if ways else None
    contact_id = contact.contact_id if contact else case.new_id("contact")
    if contact is None:
        yield from created(case, contact_id, "" if ways else report.phone.text, "call", report.utm)
        yield from identified(case, contact_id, ways)
    yield CallOpened(
        meta=case.meta(contact_id),
        call_id=call_id,
        contact_id=contact_id,
        call=report.call,
        direction=report.direction,
        phone=report.phone,
        line=report.line,
        known=contact is not None,
    )
    yield updated(report, case, call_id, contact_id)
    if contact is None and lead(report):
        yield from opened_for(report, case, contact_id)


def updated(report: CallReported, case: Case, call_id: Id, contact_id: Id) -> CallUpdated:
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
    )


def unmasked(report: CallReported, case: Case, contact_id: Id) -> Iterator[Event]:
    """The call began with a report that had no number. Now one has: the card is somebody's, or becomes a lead."""
    contact = case.state.get(Contact, contact_id)
    if contact is None or contact.merged_into or contact.identifiers:
        return
    way = Way("phone", report.phone.e164, report.phone.text)
    known = holder(case.state, way.key) if way.value else None
    if known:
        yield from merged(case, contact_id, known.contact_id, f"the call turned out to be from {way.value}")
        return
    if way.value:
        yield from identified(case, contact_id, [way])
    if contact.deals == 0 and lead(report):
        yield from opened_for(report, case, contact_id)
    elif way.value:
        yield from awaited(case, contact_id)


def lead(report: CallReported) -> bool:
    """Who calls us is a lead; whom we call is not. A withheld number is worth a deal only once somebody talked."""
    if report.direction != "in":
        return False
    talked = report.phase == "answered" or bool(report.talk_s)
    return bool(report.phone.e164) or bool(report.phone.text and talked)


def opened_for(report: CallReported, case: Case, contact_id: Id) -> Iterator[Event]:
    who = report.phone.text or report.phone.e164
    deal_id = case.new_id("deal")
    yield from opened(case, contact_id, deal_id, f"Call from {who}", "call", utm=report.utm)
    yield from awaited(case, contact_id, deal_id)

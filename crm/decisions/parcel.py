"""A parcel is followed: what its service reports is put together, it finds its deal, and its status moves the deal."""

from collections.abc import Iterator
from typing import Any

from msgspec.structs import replace

from crm.decisions.case import Case
from crm.decisions.delivery import quarantined, sent_by
from crm.decisions.fact_rule import FactRule
from crm.decisions.loading import Wanted, of_identifier
from crm.decisions.parcel_deals import BACK, moved, placed, sent_back
from crm.decisions.payment_evidence import reference_hint
from crm.decisions.workspace import LARGEST_SUM
from crm.envelope import Event
from crm.events import ParcelMoved, ParcelRecorded, ParcelReportOutdated
from crm.facts import ParcelReported
from crm.parcels import parcel_id_of, tracking_number_of
from crm.scalars import Id, Micros
from crm.shared import Phone
from crm.state import Deal, DealReference, Parcel, Parked, identifier_key, known
from crm.state.changes.parcels import DETAILS, STATUS
from crm.state.references import reference_key
from crm.vocabulary import ParcelStatus, returned_status

STATUSES = tuple(ParcelStatus)
LONGEST = 100  # characters of a service's name or of a tracking number


def parcel_reported(report: ParcelReported, case: Case) -> Iterator[Event]:
    if problem := check(report):
        yield quarantined(case, sent_by(report), problem[1])
        return
    parcel_id = id_of(report)
    before = case.state.get(Parcel, parcel_id)
    after = put_together(
        before or Parcel(parcel_id, report.service, tracking_number_of(report.tracking_number)), report
    )
    if after == before:
        same = age(report.changed_at, after.status) == age(after.changed_at, after.status)
        why = "it says what is known already" if same else f"a newer report said {after.status}"
        yield ParcelReportOutdated(case.meta(parcel_id), parcel_id, report.status, why)
    else:
        yield from recorded(case, before, after)
    parcel = known(case.state, Parcel, parcel_id)
    by_phone_alone = parcel.attached_by == "phone" and parcel.reference  # the order that it names now counts more
    if parcel.deal_id and not by_phone_alone:
        yield from moved(case, parcel, before.status if before else "")
        yield from sent_back(case, parcel)
    else:
        yield from placed(case, parcel)


def put_together(parcel: Parcel, report: ParcelReported) -> Parcel:
    """Returns all that is known: the newest status, and each detail as the newest report that gave it had it. So an
    older report may still tell what the newer ones did not, and any order of reports ends the same."""
    status = returned_status(report.status) if parcel.returns else report.status
    newer = not parcel.status or age(report.changed_at, status) > age(parcel.changed_at, parcel.status)
    given = {name: value for name in DETAILS if (value := getattr(report, name)) not in (None, "")}
    was = {name: value for name in DETAILS if (value := getattr(parcel, name)) not in (None, "")}
    details: dict[str, Any] = {**was, **given} if newer else {**given, **was}
    if not newer:
        return replace(parcel, **details)
    stands = {name: getattr(report, name) for name in STATUS}
    return replace(parcel, **details, **{**stands, "status": status})


def age(changed_at: Micros | None, status: str) -> tuple[bool, Micros, int]:
    """Reports are in one order, whichever comes first: by the service's clock, then the more advanced status. A number
    that was not found says nothing of a parcel that is known."""
    rank = STATUSES.index(ParcelStatus(status)) if status in STATUSES else 0
    return changed_at is not None, changed_at or Micros(0), rank


def recorded(case: Case, before: Parcel | None, after: Parcel) -> Iterator[Event]:
    deal = known(case.state, Deal, after.deal_id) if after.deal_id else None
    was, said = before.status if before else "", {name: getattr(after, name) for name in (*STATUS, *DETAILS)}
    suspicious, parcel_id = came_back(deal, was, after.status), after.parcel_id
    number = after.tracking_number
    yield ParcelRecorded(case.meta(parcel_id), parcel_id, after.service, number, suspicious=suspicious, **said)
    if deal and after.status != was:
        why = "; ".join(filter(None, (after.status_text, suspicious)))
        meta = case.meta(deal.contact_id)
        yield ParcelMoved(meta, parcel_id, deal.deal_id, deal.contact_id, number, after.status, was, why)


def came_back(deal: Deal | None, was: str, status: str) -> str:
    """A parcel that comes back from a deal that was won is for a person to see: the deal stays won."""
    if deal is None or deal.stage != "won" or status == was or status not in BACK:
        return ""
    return f"it is {status} after D-{deal.number} was won"


def id_of(report: ParcelReported) -> Id:
    return parcel_id_of(report.meta.workspace, report.service, report.tracking_number)


def check(report: ParcelReported) -> tuple[str, str] | None:
    """Returns a field, and why the report cannot be taken; None when it can."""
    for name in ("service", "tracking_number"):
        text = getattr(report, name)
        if not text.strip() or len(text) > LONGEST:
            return name, f"In `{name}`: {text[:60]!r} is empty or longer than {LONGEST} characters."
    for name in ("cash_on_delivery_minor", "cost_minor"):
        minor = getattr(report, name)
        if minor is not None and not (0 <= minor <= LARGEST_SUM and report.currency):
            return name, f"In `{name}`: {minor} of currency {report.currency!r} is no sum."
    return None


def number_in(phone: Phone | None) -> str:
    return phone.e164 if phone else ""


def hints(report: ParcelReported) -> Wanted:
    yield Parcel, id_of(report)
    if reference := report.reference.strip():
        yield DealReference, reference_key(reference)
        yield Parked, reference_hint(reference)
    if number := number_in(report.phone):
        yield from of_identifier(identifier_key("phone", number))


def as_newer(report: ParcelReported) -> ParcelReported:
    at = report.changed_at
    return report if at is None else replace(report, changed_at=Micros(at + 1))


RULE = FactRule(
    ParcelReported,
    parcel_reported,
    family="parcels",
    hints=hints,
    identifiers=lambda report: [("phone", number_in(report.phone))],
    sender=lambda own: f"{own['service']}/{own['tracking_number']}",
    words={"status": ParcelStatus},
    check=check,
    occurs="changed_at",
    row=lambda report: ("parcel", id_of(report)),
    as_newer=as_newer,
)

"""A made-up fact, its decision and its rule: all that a new fact takes besides its schema."""

from collections.abc import Iterator

from msgspec.structs import replace

from crm.decisions.case import Case
from crm.decisions.fact_rule import FactRule
from crm.decisions.loading import Wanted, of_identifier
from crm.envelope import Event, Fact
from crm.events import DeliveryNoted
from crm.scalars import Id, Micros
from crm.shared import Phone, Raw
from crm.state import identifier_key


class ParcelReported(Fact, frozen=True, gc=False):
    """A carrier reports where a parcel is."""

    raw: Raw
    parcel: str
    phone: Phone
    changed_at: Micros
    delivered_at: Micros | None = None


def parcel_reported(report: ParcelReported, case: Case) -> Iterator[Event]:
    yield DeliveryNoted(case.meta(report.meta.id), report.meta.actor, "parcel", f"parcel {report.parcel} moved")


def hints(report: ParcelReported) -> Wanted:
    return of_identifier(identifier_key("phone", report.phone.e164))


RULE = FactRule(
    ParcelReported,
    parcel_reported,
    family="banking",
    hints=hints,
    identifiers=lambda report: [("phone", report.phone.e164)],
    sender=lambda own: str(own["parcel"]),
    row=lambda report: ("payment", Id(report.parcel)),
    as_newer=lambda report: replace(report, changed_at=Micros(report.changed_at + 1)),
    correctable=("delivered_at",),
    one_per_delivery=True,
)

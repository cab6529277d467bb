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


class CrateReported(Fact, frozen=True, gc=False):
    """A carrier reports where a crate is."""

    raw: Raw
    crate: str
    phone: Phone
    changed_at: Micros
    delivered_at: Micros | None = None


def crate_reported(report: CrateReported, case: Case) -> Iterator[Event]:
    yield DeliveryNoted(case.meta(report.meta.id), report.meta.actor, "crate", f"crate {report.crate} moved")


def hints(report: CrateReported) -> Wanted:
    return of_identifier(identifier_key("phone", report.phone.e164))


RULE = FactRule(
    CrateReported,
    crate_reported,
    family="banking",
    hints=hints,
    identifiers=lambda report: [("phone", report.phone.e164)],
    sender=lambda own: str(own["crate"]),
    row=lambda report: ("payment", Id(report.crate)),
    as_newer=lambda report: replace(report, changed_at=Micros(report.changed_at + 1)),
    correctable=("delivered_at",),
    one_per_delivery=True,
)

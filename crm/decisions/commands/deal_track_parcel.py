"""dealTrackParcel: somebody types the tracking number of a deal's parcel."""

from collections.abc import Iterator
from typing import Annotated

from crm.commands import About, Code, Command, ExpectedVersion, Rejected, Short, command
from crm.connector_catalogue import Catalogue
from crm.decisions.case import Case
from crm.decisions.guards import require, require_text, require_version
from crm.decisions.parcel_deals import attached
from crm.decisions.parcels_named import services, services_like
from crm.envelope import Event
from crm.events import ParcelTracked
from crm.parcels import parcel_id_of, tracking_number_of
from crm.scalars import Id
from crm.state import Deal, Parcel, known

LONGEST = 100  # characters of a tracking number


class DealTrackParcel(Command, frozen=True, gc=False, kw_only=True):
    """Says that a parcel is for a deal. Its delivery service is asked where it is from then on, if it is connected. A
    parcel that another deal has is moved to this one."""

    deal_id: Annotated[Id, About(description="Which deal.")]
    tracking_number: Annotated[str, About(max_length=LONGEST, description="The delivery service's number.")]
    service: Annotated[
        Short, About(description="The delivery service, as its connector is called; empty: read off the number's form.")
    ] = ""
    expected_version: ExpectedVersion = None
    why: Annotated[str, About(max_length=500, description="Why; shown to people.")] = ""


@command(row="parcel")
def deal_track_parcel(command: DealTrackParcel, case: Case) -> Iterator[Event]:
    deal = require(case.state, Deal, command.deal_id, "dealId")
    number = require_text(tracking_number_of(command.tracking_number), "trackingNumber")
    service = service_of(case.connectors, number, command.service.strip())
    parcel_id, why = parcel_id_of(case.fact.meta.workspace, service, number), command.why or "by hand"
    parcel = case.state.get(Parcel, parcel_id)
    if parcel is None:
        yield ParcelTracked(case.meta(parcel_id), parcel_id, service, number, why=why)
    else:
        require_version(parcel, command.expected_version)
    if parcel and parcel.deal_id == deal.deal_id:
        raise Rejected("trackingNumber", Code.UNCHANGED, f"It is on D-{deal.number} already. Nothing was changed.")
    yield from attached(case, known(case.state, Parcel, parcel_id), deal, "hand", why)


def service_of(connectors: Catalogue, number: str, service: str) -> str:
    """Returns the service that is named, or the only one whose numbers look like this one. Raises Rejected."""
    entries = services(connectors)
    there = ", ".join(entry.name for entry in entries)
    if service:
        if service not in [entry.name for entry in entries]:
            why = f"There is no delivery service {service!r}; there are {there}. Nothing was changed."
            raise Rejected("service", Code.NOT_FOUND, why)
        return service
    fits = services_like(connectors, number)
    if len(fits) == 1:
        return fits[0]
    why = f"It could be of {' or '.join(fits)}" if fits else "Its form is of no delivery service that is known"
    raise Rejected("service", Code.REQUIRED, f"{why}: name the service. There are {there}. Nothing was changed.")

"""parcelDetach: somebody says that a parcel is not for its deal."""

from collections.abc import Iterator
from typing import Annotated

from crm.commands import About, Code, Command, ExpectedVersion, Rejected, command
from crm.decisions.case import Case
from crm.decisions.guards import require, require_version
from crm.envelope import Event
from crm.events import ParcelDetached
from crm.scalars import Id
from crm.state import Deal, Parcel, known


class ParcelDetach(Command, frozen=True, gc=False, kw_only=True):
    """Takes a parcel off its deal, such as one whose number was mistyped. Its service is asked about it no more, and no
    rule attaches it again; dealTrackParcel does. The deal's stage stays as it is."""

    parcel_id: Annotated[Id, About(description="Which parcel.")]
    expected_version: ExpectedVersion = None
    why: Annotated[str, About(max_length=500, description="Why; shown to people.")] = ""


@command(row="parcel")
def parcel_detach(command: ParcelDetach, case: Case) -> Iterator[Event]:
    parcel = require(case.state, Parcel, command.parcel_id, "parcelId")
    require_version(parcel, command.expected_version)
    if not parcel.deal_id:
        raise Rejected("parcelId", Code.UNCHANGED, "It is on no deal. Nothing was changed.")
    deal = known(case.state, Deal, parcel.deal_id)
    meta, why = case.meta(parcel.parcel_id), command.why or "by hand"
    yield ParcelDetached(meta, parcel.parcel_id, deal.deal_id, deal.contact_id, why)

"""Parcels that somebody names by their tracking number alone: which delivery service it is, and whose parcel."""

import re
from collections.abc import Iterator

import msgspec

from crm.connector_catalogue import Catalogue, ConnectorEntry
from crm.decisions.case import Case
from crm.decisions.parcel_deals import attached
from crm.envelope import Event
from crm.events import ParcelTracked
from crm.parcels import parcel_id_of, tracking_number_of
from crm.state import Deal, Parcel, known

FIELD = "parcel_numbers"  # the custom field of a deal in which a shop names its parcels
MOST = 20  # parcels of one deal that are followed so
Named = list[str] | str | int


def services(connectors: Catalogue) -> list[ConnectorEntry]:
    return [entry for name in connectors if (entry := connectors.get(name)) and entry.family == "parcels"]


def services_like(connectors: Catalogue, number: str) -> list[str]:
    """Returns the delivery services whose tracking numbers look like this one."""
    known = services(connectors)
    return [one.name for one in known if one.tracking_pattern and re.fullmatch(one.tracking_pattern, number)]


def numbers_in(text: str) -> list[str]:
    """Returns the tracking numbers in the JSON text of a custom field; none where it is something else."""
    try:
        said = msgspec.json.decode(text, type=Named | None)
    except msgspec.MsgspecError:
        return []
    named = said if isinstance(said, list) else [] if said is None else [str(said)]
    return list(dict.fromkeys(number for one in named if (number := tracking_number_of(one))))[:MOST]


def parcels_named(case: Case, deal: Deal, text: str) -> Iterator[Event]:
    """Follows the parcels that a deal's own system names, where the form of the number leaves no doubt of the service.
    What a person said of a parcel stays, and so does a deal that it has for a better reason than a telephone."""
    for number in numbers_in(text):
        fits = services_like(case.connectors, number)
        if len(fits) != 1:
            continue
        parcel_id = parcel_id_of(case.fact.meta.workspace, fits[0], number)
        parcel, why = case.state.get(Parcel, parcel_id), f"D-{deal.number} names it"
        if parcel is None:
            yield ParcelTracked(case.meta(parcel_id), parcel_id, fits[0], number, why=why)
        elif parcel.by_hand or (parcel.deal_id and parcel.attached_by != "phone"):
            continue
        yield from attached(case, known(case.state, Parcel, parcel_id), deal, "reference", why)

"""Parcels: how a tracking number is compared, and the id of a parcel."""

from crm.envelope import named_id
from crm.scalars import Id


def tracking_number_of(text: str) -> str:
    """Returns a tracking number as it is compared: in capitals, without blanks."""
    return "".join(text.split()).upper()


def parcel_id_of(workspace: Id, service: str, tracking_number: str) -> Id:
    """Returns the id of the parcel that a service has under a number."""
    return named_id(workspace, f"parcel/{service}/{tracking_number_of(tracking_number)}")

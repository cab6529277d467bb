"""The remembered parcel, and what says that a rule moved a deal."""

from crm.scalars import Id, Micros
from crm.shared import Phone
from crm.state.entity import Entity

PARCEL = "parcel"  # in place of a payment's hint on a shelf: see crm.state.entities.Parked
BY_PAYMENT, BY_PARCEL = "payments", "parcels"  # actors of moves that follow from money and from parcels
RULES = (BY_PAYMENT, BY_PARCEL)


class Parcel(Entity, frozen=True, gc=False, omit_defaults=True):
    """What is known of a parcel. Key: its id."""

    parcel_id: Id
    service: str
    tracking_number: str
    status: str = ""  # empty while its service has not said anything
    status_code: str = ""
    status_text: str = ""
    changed_at: Micros | None = None
    reference: str = ""
    phone: Phone | None = None
    cash_on_delivery_minor: int | None = None
    cost_minor: int | None = None
    currency: str = ""
    return_number: str = ""
    expected_at: Micros | None = None
    doubts: tuple[str, ...] = ()
    deal_id: Id | None = None
    attached_by: str = ""  # how its deal was found
    returns: Id | None = None  # the parcel that is sent back in it
    hints: tuple[str, ...] = ()  # where it is parked
    parked: str = ""  # why
    by_hand: bool = False  # somebody said what it is not for: no rule attaches it any more
    candidates: tuple[Id, ...] = ()  # the deals that it could be for, while it is parked
    version: int = 0  # how many events its row is a fold of

"""Money that came to accounts of ours, remembered so that what another provider reports of it counts once."""

from crm.scalars import Id
from crm.state.entity import Entity


class Arrival(Entity, frozen=True, gc=False, omit_defaults=True):
    """What is compared of a payment that came to an account of ours. It is part of Arrivals."""

    payment_id: Id
    provider: str
    payment: str  # the provider's id
    account: str = ""  # ours
    iban: str = ""
    tax_id: str = ""
    words: str = ""  # letters and digits of its purpose


class Arrivals(Entity, frozen=True, gc=False, omit_defaults=True):
    """Payments of one sum that came to accounts on one day, the smallest few by id. Key: `arrivals_key`."""

    payments: tuple[Arrival, ...]

"""State of what was removed, and of what says that something cannot be."""

from crm.scalars import Id
from crm.state.entity import Entity


class RemovedDeal(Entity, frozen=True, gc=False, omit_defaults=True):
    """A deal that was removed: with this it comes back. Key: its id."""

    contact_id: Id
    number: int
    owner: str = ""
    owner_reason: str = ""


class Attached(Entity, frozen=True, gc=False, omit_defaults=True):
    """What was ever put to a deal from another stream: payment, parcel. Key: the deal's id."""

    kinds: tuple[str, ...] = ()


class UndoneImport(Entity, frozen=True, gc=False, omit_defaults=True):
    """How often an import was undone. Key: its id."""

    count: int

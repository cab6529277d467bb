"""Who is calling: the contacts that a number may belong to, with what to know before answering."""

from functools import cached_property, lru_cache
from typing import Any

from msgspec import Struct

from crm.money import money_text
from crm.scalars import Id
from crm.screen_pop.employees import Employee, Salespeople

CERTAIN, UNCERTAIN, NONE = "certain", "uncertain", "none"


class DealRead(Struct, frozen=True):
    """An open deal, as it was read."""

    deal_id: Id
    number: int
    title: str
    stage: str
    amount_minor: int
    currency: str
    owner: str


class Conversation(Struct, frozen=True):
    """The conversation of a contact that changed last."""

    conversation_id: Id
    channel: str
    title: str
    last_text: str
    at: str
    unanswered: bool


class ContactRead(Struct, frozen=True):
    """A contact that stands, as it was read. `deals`: the open ones, last changed first, at most 20."""

    contact_id: Id
    name: str = ""
    deals: tuple[DealRead, ...] = ()
    conversation: Conversation | None = None


class CallRead(Struct, frozen=True):
    """What the read models know of a call; they may not know it yet."""

    phone: str = ""
    direction: str = ""
    phase: str = ""
    known: bool = False
    employee: str = ""
    touched_at: int = 0  # microseconds
    legs: int = 0


class Found(Struct, frozen=True, dict=True):
    """The answer of one look-up. `doubted`: the number was seen with several people, or is said to be nobody's."""

    owners: tuple[Employee, ...] = ()
    call: CallRead | None = None
    doubted: bool = False
    contacts: tuple[ContactRead, ...] = ()

    @cached_property
    def salespeople(self) -> Salespeople:
        return salespeople(self.owners)


# Of the workspaces whose calls rang last: to index fifty people takes longer than all else that a look-up takes here.
salespeople = lru_cache(maxsize=64)(Salespeople)


def caller(found: Found, contact_id: Id, known: bool) -> dict[str, Any]:
    """Returns {match, contacts}. `contact_id`: the card of the call; `known`: the number was known before the call.

    A card that the call itself made is nobody. Where several may be calling all are named, and none is preferred.
    """
    known = known or bool(found.call and found.call.known)
    contacts = [one for one in found.contacts if known or one.contact_id != contact_id]
    if known and not contacts:  # its row has not come yet
        contacts = [ContactRead(contact_id)]
    one = known and len(contacts) == 1 and not found.doubted
    match = CERTAIN if one else UNCERTAIN if contacts else NONE
    return {"match": match, "contacts": [shown(contact, found.owners) for contact in contacts]}


def shown(contact: ContactRead, owners: tuple[Employee, ...]) -> dict[str, Any]:
    key = next((deal.owner for deal in contact.deals if deal.owner), "")
    return {
        "contact_id": contact.contact_id,
        "name": contact.name,
        "owner": {"key": key, "name": next((one.name for one in owners if one.key == key), "")} if key else None,
        "open_deals": [
            {
                "deal_id": deal.deal_id,
                "number": deal.number,
                "title": deal.title,
                "stage": deal.stage,
                "amount": money_text(deal.amount_minor, deal.currency),
                "owner": deal.owner,
            }
            for deal in contact.deals
        ],
        "conversation": contact.conversation,
    }

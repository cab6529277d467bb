"""The relations between rows, as one table: GraphQL fields from one row to others."""

from typing import NamedTuple


class Many(NamedTuple):
    """A list of the rows whose `filter` is this row's id."""

    list: str
    filter: str
    about: str = ""  # replaces the list's own description


class One(NamedTuple):
    """The row whose id is in this row's `column`. A merged contact is replaced by the one it was merged into."""

    projection: str
    column: str


CONTACT, DEAL = One("contact", "contact_id"), One("deal", "deal_id")
RELATIONS: dict[str, dict[str, Many | One]] = {
    "contact": {
        "deals": Many("deals", "contact"),
        "timeline": Many("timeline", "contact"),
        "calls": Many("calls", "contact"),
        "conversations": Many("conversations", "contact"),
        "payments": Many("payments", "contact"),
        "parcels": Many("parcels", "contact"),
        "notes": Many("notes", "contact"),
        "tasks": Many("tasks", "contact"),
        "merged_cards": Many("contacts", "merged_into"),
    },
    "deal": {
        "contact": CONTACT,
        "timeline": Many("timeline", "deal"),
        "payments": Many("payments", "deal"),
        "parcels": Many("parcels", "deal"),
        "candidate_payments": Many("payments", "candidate", "Parked payments that could be for this deal."),
        "notes": Many("notes", "deal"),
        "tasks": Many("tasks", "deal"),
        "lines": Many("deal_lines", "deal"),
    },
    "deal_line": {"contact": CONTACT, "deal": DEAL},
    "call": {"contact": CONTACT},
    "conversation": {"contact": CONTACT, "messages": Many("messages", "conversation")},
    "message": {"conversation": One("conversation", "conversation_id"), "contact": CONTACT},
    "payment": {"contact": CONTACT, "deal": DEAL},
    "parcel": {"contact": CONTACT, "deal": DEAL, "returns": One("parcel", "returns_id")},
    "note": {"contact": CONTACT, "deal": DEAL},
    "task": {"contact": CONTACT, "deal": DEAL},
    "timeline": {
        "contact": CONTACT,
        "deal": DEAL,
        "call": One("call", "call_id"),
        "conversation": One("conversation", "conversation_id"),
        "payment": One("payment", "payment_id"),
        "parcel": One("parcel", "parcel_id"),
    },
}

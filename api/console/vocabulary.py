"""The words of rows that people read, in their language: stages, sources, statuses, and what happened to a card.

Rows have keys and English sentences. A key that stands here is said in words; everything else is shown as it is.
"""

import re
from collections.abc import Callable

Gettext = Callable[[str], str]


def words(_: Gettext) -> dict[str, str]:
    return {
        # stages that every workspace begins with
        "new": _("New"),
        "in_progress": _("In progress"),
        "part_paid": _("Paid in part"),
        "paid": _("Paid up"),
        "won": _("Won"),
        "lost": _("Lost"),
        # sources
        "form": _("form"),
        "call": _("call"),
        "chat": _("chat"),
        "mail": _("mail"),
        "payment": _("payment"),
        "hand": _("by hand"),
        # payments, replies and parcels
        "created": _("begun"),
        "expired": _("expired"),
        "failed": _("failed"),
        "held": _("reserved"),
        "settled": _("received"),
        "reversed": _("given back"),
        "queued": _("on its way"),
        "sent": _("sent"),
        "delivered": _("delivered"),
        "read": _("read"),
        "uncertain": _("nobody knows whether it was sent"),
        "in_transit": _("on its way"),
        "arrived": _("arrived"),
        "returning": _("on its way back"),
        "received": _("received"),
        "returned": _("came back"),
        # calls
        "in": _("from them"),
        "out": _("to them"),
        "ringing": _("ringing"),
        "answered": _("answered"),
        "no_answer": _("no answer"),
        "busy": _("busy"),
        "cancelled": _("cancelled"),
        "voicemail": _("voicemail"),
        "transferred": _("passed on"),
        "hung_up": _("ended"),
        "completed": _("ended"),
        # connections
        "connected": _("works"),
        "never delivered": _("nothing has come yet"),
        "quiet": _("quiet for a week"),
        "failing": _("fails"),
        "off": _("switched off"),
        # identifiers
        "phone": _("phone"),
        "email": _("e-mail"),
        "account": _("account"),
        # deliveries of webhooks
        "WAITING": _("waiting"),
        "SENDING": _("being sent"),
        "DELIVERED": _("delivered"),
        "DEAD": _("given up"),
        "DISCARDED": _("set aside"),
        "UNCERTAIN": _("may have arrived"),
        # imports
        "CHECKING": _("is being checked"),
        "CHECKED": _("checked; nothing was changed yet"),
        "RUNNING": _("is being imported"),
        "PAUSED": _("paused"),
        "DONE": _("done"),
        "UNDOING": _("is being taken back"),
        "UNDO_CHECKED": _("the undo is checked; nothing was changed yet"),
        "UNDONE": _("taken back"),
        "CANCELLED": _("cancelled"),
        "FAILED": _("failed"),
        # how an assignment rule chooses
        "round_robin": _("in turn"),
        "least_open": _("who has the fewest open deals"),
        "first": _("always the first"),
        # events that give a field its value
        "ContactCreated": _("The card was made"),
        "ContactRenamed": _("The name was changed"),
        "ContactChanged": _("Fields changed"),
        "ContactAbsorbed": _("Came with a card that was merged into this one"),
        "ContactReleased": _("A merged card was taken out"),
        "IdentifierAdded": _("Became known"),
        "IdentifierRemoved": _("Was taken away"),
        "IdentifierDoubted": _("Became doubtful"),
        "IdentifierSettled": _("Is certain again"),
        "DealOpened": _("The deal was opened"),
        "DealChanged": _("Deal changed"),
        "DealAssigned": _("The owner was chosen"),
        "DealStageMoved": _("The stage was changed"),
        "DealPaid": _("Money came or went"),
    }


def sentences(_: Gettext) -> list[tuple[str, str]]:
    """Returns the titles of the timeline with their translations. `{}` is what differs; projections/timeline.py."""
    return [
        ("New contact {}", _("New contact {}")),
        ("New contact", _("New contact")),
        ("Name is now {}", _("Name is now {}")),
        ("Learnt {} {}", _("Learnt {} {}")),
        ("May be the same person as another contact", _("May be the same person as another contact")),
        ("No longer known by {} {}", _("No longer known by {} {}")),
        ("{} {} identifies nobody alone", _("{} {} identifies nobody alone")),
        ("{} {} is certain again", _("{} {} is certain again")),
        ("Merged into another contact", _("Merged into another contact")),
        ("Stands for itself again", _("Stands for itself again")),
        ("Fields changed", _("Fields changed")),
        ("Deal D-{} opened", _("Deal D-{} opened")),
        ("Asked again: {}", _("The same enquiry again: {}")),
        ("Asked again", _("The same enquiry again")),
        ("Deal changed", _("Deal changed")),
        ("Assigned to {}", _("Assigned to {}")),
        ("Nobody can take it", _("Nobody can take it")),
        ("Stage {} → {}", _("Stage {} → {}")),
        ("Payment found its deal by {}", _("Payment found its deal by {}")),
        ("A part of a payment", _("A part of a payment")),
        ("Payment taken off", _("Payment taken off")),
        ("Parcel found its deal by {}", _("Parcel found its deal by {}")),
        ("Parcel taken off", _("Parcel taken off")),
        ("Parcel {}: {}", _("Parcel {}: {}")),
        ("Refund", _("Refund")),
        ("Payment", _("Payment")),
        ("Message to the customer from {}", _("Message to the customer from {}")),
        ("Message from {}", _("Message from {}")),
        ("Message edited", _("Message edited")),
        ("In the chat", _("In the chat")),
        ("Message taken back", _("Message taken back")),
        ("Answer of {}", _("Answer of {}")),
        ("Answer", _("Answer")),
        ("Call {}", _("Call {}")),
        ("Note", _("Note")),
        ("Note rewritten", _("Note rewritten")),
        ("Note taken away", _("Note taken away")),
        ("Task", _("Task")),
        ("Task changed", _("Task changed")),
        ("Task done", _("Task done")),
        ("Task is to be done again", _("Task is to be done again")),
        ("Task taken away", _("Task taken away")),
        ("Nobody knows whether the answer was sent", _("Nobody knows whether the answer was sent")),
        ("The answer was sent", _("The answer was sent")),
        ("The answer is sent again", _("The answer is sent again")),
        ("Report of {} about {}", _("Report of {} about {}")),
        ("From a {}", _("From a {}")),
        ("Known by {} {}", _("Known by {} {}")),
        ("Fields: {}", _("Fields: {}")),
    ]


class Vocabulary:
    """Says keys and sentences in one language."""

    def __init__(self, gettext: Gettext) -> None:
        self.words = words(gettext)
        self.sentences = [
            (re.compile(re.escape(said).replace(r"\{\}", "(.+?)")), meant) for said, meant in sentences(gettext)
        ]

    def word(self, key: str | None) -> str:
        """Returns a key in words; what is no known key, as it is."""
        return self.words.get(key or "", key or "")

    def sentence(self, text: str) -> str:
        """Returns a title of the timeline in this language; what is not known, as it is."""
        for known, meant in self.sentences:
            if found := known.fullmatch(text):
                return meant.format(*map(self.part, found.groups()))
        return text

    def part(self, text: str) -> str:
        """Returns a part of a sentence: a key stands there with blanks, what a person wrote as it is."""
        return self.words.get(text) or self.words.get(text.replace(" ", "_"), text)

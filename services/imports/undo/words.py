"""Says for people why an undo leaves a card, a deal or an object: what was changed since, by whom and when."""

from collections.abc import Callable
from typing import Any

from crm.envelope import Event
from crm.events import (
    CallOpened,
    ContactChanged,
    ContactMerged,
    ContactRenamed,
    ContactUnmerged,
    ConversationOpened,
    DealAssigned,
    DealChanged,
    DealOpened,
    DealPaid,
    DealStageMoved,
    IdentifierAdded,
    IdentifierRemoved,
    NoteAdded,
    ReportRecorded,
    TaskAdded,
)
from crm.moments import written

WORDS: dict[type[Event], Callable[[Any], str]] = {
    ContactRenamed: lambda e: f"it was renamed to {e.name!r}",
    ContactChanged: lambda e: f"its fields were changed ({', '.join(e.fields)})",
    IdentifierAdded: lambda e: f"it got {e.kind} {e.value}",
    IdentifierRemoved: lambda e: f"{e.kind} {e.value} was taken off",
    ContactMerged: lambda e: "it was merged into another card",
    ContactUnmerged: lambda e: "it was merged with another card for a while",
    DealOpened: lambda e: f"D-{e.number} was opened on it",
    DealChanged: lambda e: "it was changed",
    DealStageMoved: lambda e: f"it was moved to {e.stage!r}",
    DealAssigned: lambda e: f"it was assigned to {e.owner!r}",
    DealPaid: lambda e: "a payment was matched to it",
    CallOpened: lambda e: "a call came",
    ConversationOpened: lambda e: "a chat began",
    NoteAdded: lambda e: "a note was added",
    TaskAdded: lambda e: "a task was added",
    ReportRecorded: lambda e: f"a newer report of {e.report.system} came of it",
}


def because(event: Event) -> str:
    """Returns a sentence's part such as "it was renamed to 'Олена' by ivan@… on 2026-11-29"."""
    said = WORDS.get(type(event), lambda _: "it was changed")(event)
    by = f" by {event.meta.actor}" if event.meta.actor else ""
    return f"{said}{by} on {written(event.meta.recorded_at)[:10]}"

"""What would become of a row, read off the events that its fact would lead to."""

from collections.abc import Callable, Sequence

from crm.decisions.own_keys import IS_THERE
from crm.envelope import Event, Fact
from crm.events import (
    ContactCreated,
    DealChanged,
    DealOpened,
    DeliveryNoted,
    FactQuarantined,
    IdentifierAdded,
    ObjectChanged,
    ObjectReportOutdated,
    ReportDoubted,
    ReportRecorded,
)
from crm.facts import ContactReported, DealReported
from crm.scalars import Id
from crm.text.names import agree

SAYS_NOTHING = (DeliveryNoted, ReportRecorded, ReportDoubted, ObjectReportOutdated)


def doubts_of(event: Event) -> Sequence[str]:
    match event:
        case ReportDoubted():
            return (event.why,)
        case DealOpened() | DealChanged():
            return event.doubts or ()
    return ()


def outcome_of(events: Sequence[Event] | Exception | None) -> tuple[str, str]:
    """Returns create, update, unchanged, skip or error; with the reason of an error, or what a person should look at.

    None: the fact was decided before, so that it changes nothing.
    """
    if events is None:
        return "unchanged", ""
    if isinstance(events, Exception):
        return "error", f"The rule for it fails: {events!r}. Its delivery would go to quarantine."
    doubt = " ".join(sentence for event in events for sentence in doubts_of(event))
    for event in events:
        match event:
            case FactQuarantined():
                return "error", event.reason
            case DeliveryNoted() if event.why.endswith(IS_THERE):
                return "skip", ""
            case ContactCreated() | DealOpened():
                return "create", doubt
            case ObjectChanged(version=1):
                return "create", doubt
    if all(isinstance(event, SAYS_NOTHING) for event in events):
        return "unchanged", doubt
    return "update", doubt


def somebody_else(fact: Fact, events: Sequence[Event], name_of: Callable[[Id], str]) -> str:
    """Returns a sentence when a row goes to the card of somebody who is called otherwise: a telephone decides, and a
    person should see it before. `name_of`: a card's name."""
    if not isinstance(fact, ContactReported | DealReported) or not fact.name:
        return ""
    if any(isinstance(event, ContactCreated) for event in events):
        return ""
    for event in events:
        match event:
            case IdentifierAdded(kind=fact.system, value=fact.key) | DealOpened():
                name = name_of(event.contact_id)
                if agree(name, fact.name) is False:
                    return f"It goes to the card of {name!r}, who has its telephone or e-mail, and names {fact.name!r}."
    return ""

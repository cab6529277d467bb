"""What comes to a connection: counted by the hour for a day, and what a person makes of it."""

from collections.abc import Iterable
from typing import Literal

from msgspec import Struct

from crm.connector_catalogue import ConnectorEntry
from crm.facts import ConnectionActive, ConnectionPolled
from crm.scalars import Micros

HOUR = 3_600_000_000  # microseconds
DAY, QUIET = 24 * HOUR, 7 * 24 * HOUR
State = Literal["connected", "never delivered", "quiet", "failing", "off"]
Outcome = Literal["taken", "quarantined", "refused", "failed"]
OUTCOMES: tuple[Outcome, ...] = ("taken", "quarantined", "refused", "failed")


class Activity(Struct, frozen=True, gc=False, kw_only=True):
    """What came to a connection. The counts are of the last day, of what the vendor sent by itself; times are null
    where it never happened. `polled`: how it went to ask the vendor; None where nobody asked."""

    taken: int = 0
    quarantined: int = 0
    refused: int = 0
    failed: int = 0
    taken_at: Micros | None = None
    quarantined_at: Micros | None = None
    refused_at: Micros | None = None
    failed_at: Micros | None = None
    refusal: str = ""  # why the last one was refused
    polled: ConnectionPolled | None = None

    @property
    def delivered_at(self) -> Micros | None:
        """When the last authentic delivery was kept, understood or not, sent or asked for."""
        return latest(self.taken_at, self.quarantined_at, self.polled.found_at if self.polled else None)

    @property
    def problem(self) -> str:
        """Why the vendor cannot be asked now, and what to do, as text for people; empty when it can."""
        if self.polled is None or not self.polled.problem:
            return ""
        return f"{self.polled.problem} {self.polled.advice}".strip()


NOTHING = Activity()


def latest(*moments: Micros | None) -> Micros | None:
    return max((moment for moment in moments if moment is not None), default=None)


def hour_of(at: Micros) -> Micros:
    return Micros(at - at % HOUR)


def activity_of(counted: Iterable[ConnectionActive], now: Micros, polled: ConnectionPolled | None = None) -> Activity:
    """Adds up what the replicas of intake counted: the hours that ended within the last day, and this one."""
    facts = tuple(counted)
    hours = [hour for fact in facts for hour in fact.hours if hour.begins_at > now - DAY]
    refused = max(facts, key=lambda fact: fact.refused_at or 0, default=None)
    return Activity(
        taken=sum(hour.taken for hour in hours),
        quarantined=sum(hour.quarantined for hour in hours),
        refused=sum(hour.refused for hour in hours),
        failed=sum(hour.failed for hour in hours),
        taken_at=latest(*(fact.taken_at for fact in facts)),
        quarantined_at=latest(*(fact.quarantined_at for fact in facts)),
        refused_at=latest(*(fact.refused_at for fact in facts)),
        failed_at=latest(*(fact.failed_at for fact in facts)),
        refusal=refused.refusal if refused else "",
        polled=polled,
    )


def state_of(activity: Activity, on: bool, now: Micros) -> State:
    """Returns the state of a connection. It fails while what came last was not taken, and within a day of that; and
    while the vendor cannot be asked. A vendor that answers and has nothing new leaves it connected."""
    if not on:
        return "off"
    if activity.problem:
        return "failing"
    trouble = latest(activity.quarantined_at, activity.refused_at, activity.failed_at)
    if trouble is not None and trouble > now - DAY and trouble > (activity.taken_at or 0):
        return "failing"
    if activity.polled and (activity.polled.answered_at or 0) > now - QUIET:
        return "connected"
    if activity.delivered_at is None:
        return "never delivered"
    return "quiet" if activity.delivered_at <= now - QUIET else "connected"


def judged(
    activity: Activity, entry: ConnectorEntry, connection: str, now: Micros, *, enabled: bool, secret: bool, locked: str
) -> tuple[State, str]:
    """Returns the state of a connection and what to do; nothing is to be done about one that somebody switched off.

    `secret`: whether it has one; `locked`: why it cannot be decrypted here, if it cannot.
    """
    on = enabled and (secret or bool(locked))
    state: State = "failing" if on and locked else state_of(activity, on, now)
    return state, advice(state, activity, entry, connection, locked) if enabled else ""


def advice(state: State, activity: Activity, entry: ConnectorEntry, connection: str, locked: str = "") -> str:
    """Returns what to do, as text for people; empty when nothing is."""
    if locked:
        return locked
    match state:
        case "off":
            return (
                f"Its deliveries are not taken. Give it a secret: `crm connect {entry.name} --connection {connection}`."
            )
        case "never delivered" if "webhook" not in entry.parts:
            return "Potik has not asked the vendor yet. `crm status` shows whether the role polling is running."
        case "never delivered":
            return f"Nothing has come yet. Give the vendor its URL; docs/integrations.md says where, at {entry.name}."
        case "quiet" if "webhook" not in entry.parts:
            return "The vendor has not been asked for a week. `crm status` shows whether the role polling is running."
        case "quiet":
            return "Nothing has come for a week. Check at the vendor whether its webhook is still on."
        case "failing":
            return _failing(activity, entry)
    return ""


def _failing(activity: Activity, entry: ConnectorEntry) -> str:
    if activity.problem:
        return activity.problem
    newest = latest(activity.quarantined_at, activity.refused_at, activity.failed_at)
    count = activity.taken + activity.quarantined + activity.refused + activity.failed
    if newest == activity.refused_at:
        said = f"Refused {activity.refused:,} of {count:,} within a day"
        what = f" The secret: {entry.secret}" if entry.secret else ""
        return f"{said}; the last: {activity.refusal}{what}"
    if newest == activity.quarantined_at:
        return (
            f"{activity.quarantined:,} of {count:,} within a day could not be understood. They are kept: "
            "`crm quarantine list`."
        )
    return (
        f"{activity.failed:,} of {count:,} within a day were answered 503, so the vendor sends them again. See the log "
        "of intake, and `crm doctor`."
    )

"""One row per telephone call: who calls, its phase, how it ended."""

from operator import attrgetter
from typing import Any

from msgspec.structs import replace

from crm.envelope import Row
from crm.events import CallOpened, CallUpdated
from crm.projection import projection
from crm.scalars import Id, Micros

PHASES = ("opened", "ringing", "answered", "transferred", "hung_up", "completed")
RANK = {phase: rank for rank, phase in enumerate(PHASES)}
EMPTY = (None, "")
UNKNOWN = -1  # rank of a phase that Potik does not know: below all others
FIELDS = ("direction", "line", "employee", "wait_s", "talk_s", "disposition", "recording")
fields_of = attrgetter(*FIELDS)
WEIGHED = (*FIELDS, "phone")
OFFSET = 10**18  # microseconds; makes the time of any event a number from 0 on


class CallRow(Row, frozen=True, gc=False):
    """A telephone call, by all that its reports say; where they differ, the most advanced phase counts."""

    call_id: Id
    contact_id: Id
    call: str
    direction: str
    phone: str
    phone_text: str
    extension: str
    line: str
    known: bool
    phase: str
    employee: str
    wait_s: int | None
    talk_s: int | None
    disposition: str
    recording: str
    started_at: Micros
    touched_at: Micros
    weights: tuple[str, ...] = ()  # of WEIGHED: phase and moment of the report that said it; empty: none did
    created_at: Micros = Micros(0)


@projection(
    key="call_id",
    version=3,
    indexes=(
        "touched_at",
        "created_at",
        "phase, touched_at",
        "disposition, touched_at",
        "direction, touched_at",
        "direction, disposition, touched_at",
        "contact_id, touched_at",
    ),
    totals=("employee, disposition by created_at",),
    summed=("wait_s", "talk_s"),
)
def call(row: CallRow | None, event: CallOpened | CallUpdated) -> CallRow | None:
    """Folds the reports of a call in any order.

    The first report may be missing as of a time by the occurred clock, so any report starts the row.
    """
    if isinstance(event, CallOpened):
        return row or opened(event)
    if row is None and not event.call:  # an older event, which does not name its call
        return None
    row = row or begun(event)
    at, started_at = event.meta.occurred_at, event.started_at
    rank = RANK.get(event.phase, UNKNOWN)
    weight = f"{rank + 1}{at + OFFSET:019d}"  # sorts as text by phase, then time
    weights = [*row.weights] or [""] * len(WEIGHED)
    changes: dict[str, Any] = {}
    for n, value in enumerate(fields_of(event)):
        if value not in EMPTY and weight >= weights[n]:
            changes[FIELDS[n]], weights[n] = value, weight
    phone = event.phone
    if phone and (heavier := f"{int(bool(phone.e164))}{weight}") >= weights[-1]:
        changes |= {"phone": phone.e164, "phone_text": phone.text, "extension": phone.extension}
        weights[-1] = heavier
    return replace(
        row,
        **changes,
        known=row.known or event.known,
        phase=event.phase if rank > RANK.get(row.phase, UNKNOWN) else row.phase,
        started_at=min(row.started_at, at if started_at is None or started_at > at else started_at),
        touched_at=max(row.touched_at, at),
        weights=tuple(weights),
    )


def opened(event: CallOpened) -> CallRow:
    """Returns the row of a new call. Its phase comes with the CallUpdated of the same report."""
    phone = event.phone
    return replace(
        begun(event),
        direction=event.direction,
        phone=phone.e164,
        phone_text=phone.text,
        extension=phone.extension,
        line=event.line,
        known=event.known,
    )


def begun(event: CallOpened | CallUpdated) -> CallRow:
    """Returns a row with only the ids and times of a report."""
    return CallRow(
        call_id=event.call_id,
        contact_id=event.contact_id,
        call=event.call,
        direction="",
        phone="",
        phone_text="",
        extension="",
        line="",
        known=False,
        phase="opened",
        employee="",
        wait_s=None,
        talk_s=None,
        disposition="",
        recording="",
        started_at=event.meta.occurred_at,
        touched_at=event.meta.occurred_at,
        created_at=event.meta.occurred_at,
    )

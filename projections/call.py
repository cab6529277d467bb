"""One row per telephone call: who rings, how far it is, how it ended."""

from operator import attrgetter
from typing import Any

from msgspec.structs import replace

from crm.envelope import Row
from crm.events import CallOpened, CallUpdated
from crm.projection import projection
from crm.scalars import Id, Micros

PHASES = ("opened", "ringing", "answered", "transferred", "hung_up", "completed")
RANK = {phase: rank for rank, phase in enumerate(PHASES)}
SAYS_NOTHING = (None, "")
UNKNOWN = -1  # a phase that Potik does not know is behind all
FIELDS = ("direction", "line", "employee", "wait_s", "talk_s", "disposition", "recording")
fields_of = attrgetter(*FIELDS)
WEIGHED = (*FIELDS, "phone")
SINCE = 10**18  # microseconds: makes the moment of any event a number from 0 on


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
    version=2,
    indexes=("touched_at", "created_at", "phase, touched_at", "contact_id, touched_at"),
)
def call(row: CallRow | None, event: CallOpened | CallUpdated) -> CallRow | None:
    """As of a moment on the outside's clock its first report may be missing, so any report begins the row."""
    if isinstance(event, CallOpened):
        return row or opened(event)
    if row is None and not event.call:  # an older event, which does not say what call it is about
        return None
    row = row or begun(event)
    at, started_at = event.meta.occurred_at, event.started_at
    rank = RANK.get(event.phase, UNKNOWN)
    weight = f"{rank + 1}{at + SINCE:019d}"  # as text it is in the order of phase and time
    weights = [*row.weights] or [""] * len(WEIGHED)
    said: dict[str, Any] = {}
    for n, told in enumerate(fields_of(event)):
        if told not in SAYS_NOTHING and weight >= weights[n]:
            said[FIELDS[n]], weights[n] = told, weight
    phone = event.phone
    if phone and (heavier := f"{int(bool(phone.e164))}{weight}") >= weights[-1]:
        said |= {"phone": phone.e164, "phone_text": phone.text, "extension": phone.extension}
        weights[-1] = heavier
    return replace(
        row,
        **said,
        known=row.known or event.known,
        phase=event.phase if rank > RANK.get(row.phase, UNKNOWN) else row.phase,
        started_at=min(row.started_at, at if started_at is None or started_at > at else started_at),
        touched_at=max(row.touched_at, at),
        weights=tuple(weights),
    )


def opened(event: CallOpened) -> CallRow:
    """How far it is comes with the CallUpdated of the same report."""
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

"""One row per telephone call: who rings, how far it is, how it ended."""

from typing import Any

from msgspec.structs import replace

from crm.envelope import Row
from crm.events import CallOpened, CallUpdated
from crm.projection import projection
from crm.scalars import Id, Micros

PHASES = ("opened", "ringing", "answered", "transferred", "hung_up", "completed")
RANK = {phase: rank for rank, phase in enumerate(PHASES)}
UNKNOWN = -1  # a phase that Potik does not know is behind all
FIELDS = ("direction", "line", "employee", "wait_s", "talk_s", "disposition", "recording")
WEIGHED = (*FIELDS, "phone")


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
    weights: tuple[str, ...] = ()  # of WEIGHED: phase and time of the report that said it; empty: no report did
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
    at = event.meta.occurred_at
    rank = RANK.get(event.phase, UNKNOWN)
    weights = dict(zip(WEIGHED, row.weights or [""] * len(WEIGHED), strict=True))
    said: dict[str, Any] = {}
    for name in FIELDS:
        told = getattr(event, name)
        if told not in ("", None) and outweighs(weights, name, (rank, at)):
            said[name] = told
    if (phone := event.phone) and outweighs(weights, "phone", (int(bool(phone.e164)), rank, at)):
        said |= {"phone": phone.e164, "phone_text": phone.text, "extension": phone.extension}
    return replace(
        row,
        **said,
        known=row.known or event.known,
        phase=event.phase if rank > RANK.get(row.phase, UNKNOWN) else row.phase,
        started_at=min(row.started_at, at, at if event.started_at is None else event.started_at),
        touched_at=max(row.touched_at, at),
        weights=tuple(weights.values()),
    )


def outweighs(weights: dict[str, str], name: str, weight: tuple[int, ...]) -> bool:
    """Whether this is believed more than what is known; if so it is noted."""
    if [*map(int, weights[name].split())] > [*weight]:
        return False
    weights[name] = " ".join(map(str, weight))
    return True


def opened(event: CallOpened) -> CallRow:
    return CallRow(
        call_id=event.call_id,
        contact_id=event.contact_id,
        call=event.call,
        direction=event.direction,
        phone=event.phone.e164,
        phone_text=event.phone.text,
        extension=event.phone.extension,
        line=event.line,
        known=event.known,
        phase="opened",  # how far it is comes with the CallUpdated of the same report
        employee="",
        wait_s=None,
        talk_s=None,
        disposition="",
        recording="",
        started_at=event.meta.occurred_at,
        touched_at=event.meta.occurred_at,
        created_at=event.meta.occurred_at,
    )


def begun(event: CallUpdated) -> CallRow:
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

"""One row per telephone call: who rings, how far it is, how it ended."""

from typing import TypeVar

from msgspec.structs import replace

from crm.envelope import Row
from crm.events import CallOpened, CallUpdated
from crm.projection import projection
from crm.scalars import Id, Micros

T = TypeVar("T")
PHASES = ("opened", "ringing", "answered", "transferred", "hung_up", "completed")
RANK = {phase: rank for rank, phase in enumerate(PHASES)}


class CallRow(Row, frozen=True, gc=False):
    """A telephone call. The most advanced phase that was told wins, in whatever order the reports came."""

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
    created_at: Micros = Micros(0)


@projection(
    key="call_id",
    version=2,
    indexes=("touched_at", "created_at", "phase, touched_at", "contact_id, touched_at"),
)
def call(row: CallRow | None, event: CallOpened | CallUpdated) -> CallRow | None:
    at = event.meta.occurred_at
    if isinstance(event, CallOpened):
        return row or opened(event)
    if row is None:
        return None
    further = RANK.get(event.phase, -1) >= RANK[row.phase]  # an unknown phase is behind all
    return replace(
        row,
        phase=event.phase if further else row.phase,
        employee=better(row.employee, event.employee, further),
        wait_s=better(row.wait_s, event.wait_s, further),
        talk_s=better(row.talk_s, event.talk_s, further),
        disposition=better(row.disposition, event.disposition, further),
        recording=better(row.recording, event.recording, further),
        started_at=min(row.started_at, at if event.started_at is None else event.started_at),
        touched_at=max(row.touched_at, at),
    )


def better(known: T, told: T, further: bool) -> T:
    """An earlier phase's report that comes late only fills what nobody has told yet."""
    return told if told not in ("", None) and (further or known in ("", None)) else known


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

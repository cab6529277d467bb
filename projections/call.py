"""One row per telephone call: who calls, its phase, how it ended."""

from collections.abc import Sequence
from operator import attrgetter
from typing import Any

from msgspec.structs import replace

from crm.envelope import Row
from crm.events import CallOpened, CallUpdated
from crm.projection import projection
from crm.scalars import Id, Micros
from crm.vocabulary import Direction
from projections.call_legs import OFFSET, SECOND, Leg, read_leg, what_legs_say

PHASES = ("opened", "ringing", "answered", "transferred", "hung_up", "completed")
RANK = {phase: rank for rank, phase in enumerate(PHASES)}
EMPTY = (None, "")
UNKNOWN = -1  # rank of a phase that Potik does not know: below all others
OF_THE_CALL = ("direction", "line")
FIELDS = (*OF_THE_CALL, "employee", "wait_s", "talk_s", "disposition", "recording")
fields_of = attrgetter(*FIELDS)
WEIGHED = (*FIELDS, "phone")
BY_LEGS = "9"  # the weight of what the legs say together: above any report of the call as a whole


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
    weights: tuple[str, ...] = ()  # of WEIGHED: phase and moment of the report that said it, then the same of each leg
    created_at: Micros = Micros(0)
    legs: tuple[str, ...] = ()  # JSON text of each leg, in order of their begin: whom it rang, transfers


@projection(
    key="call_id",
    version=4,
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
    # A leg out may pass a call in on to a colleague: direction and line are those of the leg in.
    own = f"{int(event.direction == Direction.IN)}{weight}"
    each = [own if name in OF_THE_CALL else weight for name in FIELDS]
    if event.leg:
        changes, weights = with_leg(row, event, each, weights)
    else:
        changes = heavier(fields_of(event), fields_of(row), each, weights)
    phone = event.phone
    if phone and (weighs := f"{int(bool(phone.e164))}{weight}") >= weights[len(FIELDS)]:
        changes |= {"phone": phone.e164, "phone_text": phone.text, "extension": phone.extension}
        weights[len(FIELDS)] = weighs
    return replace(
        row,
        **changes,
        known=row.known or event.known,
        phase=event.phase if rank > RANK.get(row.phase, UNKNOWN) else row.phase,
        started_at=min(row.started_at, at if started_at is None or started_at > at else started_at),
        touched_at=max(row.touched_at, at),
        weights=tuple(weights),
    )


def heavier(said: Sequence[Any], known: Sequence[Any], each: Sequence[str], weights: list[str]) -> dict[str, Any]:
    """Returns which FIELDS a report changes, and writes its weight of each to `weights`. Of two alike in weight the
    larger value counts, so that their order does not."""
    changes: dict[str, Any] = {}
    for n, (name, value) in enumerate(zip(FIELDS, said, strict=False)):
        if value not in EMPTY and (each[n] > weights[n] or (each[n] == weights[n] and value > known[n])):
            changes[name], weights[n] = value, each[n]
    return changes


def with_leg(
    row: CallRow, event: CallUpdated, each: Sequence[str], weights: list[str]
) -> tuple[dict[str, Any], list[str]]:
    """Returns the changes of the row by a report of one leg, and the weights of all fields."""
    of_call, of_legs = weights[: len(WEIGHED)], weights[len(WEIGHED) :]
    legs = {leg.leg: (leg, of_leg) for leg, of_leg in zip(map(read_leg, row.legs), of_legs, strict=True)}
    at, said = event.meta.occurred_at, fields_of(event)
    leg, known = legs.get(event.leg, (Leg(event.leg, at), ""))
    own = known.split(",") if known else [""] * len(FIELDS)
    changed = heavier(said, fields_of(leg), each, own)
    if "talk_s" in changed:
        changed["ended_at"] = at
    began = min(at - (event.talk_s or 0) * SECOND, at if event.started_at is None else event.started_at)
    legs[event.leg] = (leg._replace(started_at=Micros(min(leg.started_at, began)), **changed), ",".join(own))
    ordered = sorted(legs.values(), key=lambda one: (one[0].started_at, one[0].leg))
    together = what_legs_say([one for one, _ in ordered])
    for n, name in enumerate(FIELDS):
        if name in together:
            of_call[n] = BY_LEGS
    changes = heavier(said[: len(OF_THE_CALL)], fields_of(row), each, of_call) | together
    texts = tuple(one.text for one, _ in ordered)
    return {**changes, "legs": texts}, [*of_call, *(of_leg for _, of_leg in ordered)]


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

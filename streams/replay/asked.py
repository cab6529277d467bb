"""What a replay is asked for, checked before anything is read."""

from collections.abc import Sequence
from datetime import datetime
from pathlib import Path
from typing import Any
from uuid import UUID

import msgspec

from crm import moments
from crm.moments import Clock
from crm.projection import Projection
from crm.scalars import Id, Micros

Moment = str | datetime
What = str | Path | Projection[Any]


class Bounds(msgspec.Struct, frozen=True):
    """Which events count. Both ends do."""

    clock: Clock = Clock.OCCURRED
    since: Micros | None = None
    until: Micros | None = None
    workspace: Id | None = None
    types: tuple[str, ...] = ()  # all that are folded, when empty


def bounds(
    projections: Sequence[Projection[Any]],
    *,
    since: Moment | None = None,
    until: Moment | None = None,
    clock: str = "occurred",
    workspace: str | None = None,
    types: Sequence[str] = (),
) -> Bounds:
    """Raises ValueError with a sentence."""
    begin, end = moment(since, moments.first), moment(until, moments.last)
    if begin is not None and end is not None and end < begin:
        raise ValueError(
            f"`until` ({moments.written(end)}) is before `since` ({moments.written(begin)}): there is nothing between."
        )
    folded = {kind.__name__ for projection in projections for kind in projection.handles}
    if strange := sorted(set(types) - folded):
        raise ValueError(f"{', '.join(strange)} is not folded here; there are {', '.join(sorted(folded))}.")
    return Bounds(moments.clock(clock), begin, end, an_id(workspace) if workspace else None, tuple(types))


def moment(told: Moment | None, read: Any) -> Micros | None:
    if told is None or told == "":
        return None
    if isinstance(told, datetime):
        told = told.isoformat()
    found: Micros = read(str(told))
    return found


def an_id(text: str) -> Id:
    try:
        return Id(str(UUID(text)))
    except ValueError:
        raise ValueError(f"{text!r} is no workspace's id, which has 32 hexadecimal digits.") from None


def path(told: str | Path) -> Path:
    return Path(told).expanduser()

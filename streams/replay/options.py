"""The options of a replay, checked before anything is read."""

from collections.abc import Callable, Sequence
from datetime import datetime
from pathlib import Path
from typing import Any, TypedDict
from uuid import UUID

import msgspec

from crm import moments
from crm.moments import Clock
from crm.projection import Projection
from crm.scalars import Id, Micros

Moment = str | datetime
ProjectionSource = str | Path | Projection[Any]  # a projection, or the path of a file that declares some


class ReplayOptions(TypedDict, total=False):
    """Keyword arguments of `replay`, whose docstring explains them."""

    name: str
    since: Moment | None
    until: Moment | None
    clock: str
    workspace: str | None
    types: Sequence[str]
    archive: str | Path | None
    tail: bool
    kafka: str | Callable[[], str] | None
    memory: int
    skip_unknown: bool


class EventFilter(msgspec.Struct, frozen=True):
    """Which events count. Both ends are included."""

    clock: Clock = Clock.OCCURRED
    since: Micros | None = None
    until: Micros | None = None
    workspace: Id | None = None
    types: tuple[str, ...] = ()  # empty: all that are folded


def event_filter(
    projections: Sequence[Projection[Any]],
    *,
    since: Moment | None = None,
    until: Moment | None = None,
    clock: str = "occurred",
    workspace: str | None = None,
    types: Sequence[str] = (),
) -> EventFilter:
    """Parses the options that select events. Raises ValueError with a sentence."""
    begin, end = moment(since, moments.first), moment(until, moments.last)
    if begin is not None and end is not None and end < begin:
        raise ValueError(
            f"`until` ({moments.written(end)}) is before `since` ({moments.written(begin)}): there is nothing between."
        )
    folded = {kind.__name__ for projection in projections for kind in projection.handles}
    if unknown := sorted(set(types) - folded):
        raise ValueError(f"{', '.join(unknown)} is not folded here; there are {', '.join(sorted(folded))}.")
    return EventFilter(moments.clock(clock), begin, end, workspace_id(workspace) if workspace else None, tuple(types))


def moment(given: Moment | None, parse: Callable[[str], Micros]) -> Micros | None:
    """Parses a moment with `parse`; returns None for an empty one. Raises ValueError."""
    if given is None or given == "":
        return None
    return parse(given.isoformat() if isinstance(given, datetime) else given)


def workspace_id(text: str) -> Id:
    """Returns the id in its canonical form. Raises ValueError."""
    try:
        return Id(str(UUID(text)))
    except ValueError:
        raise ValueError(f"{text!r} is not the id of a workspace, which has 32 hexadecimal digits.") from None


def absolute(path: str | Path) -> Path:
    """Returns the absolute path; ~ is the home folder."""
    return Path(path).expanduser().absolute()

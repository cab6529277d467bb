"""Legs of a call: whom it rang, transfers, conferences. What they say together is what the call says."""

import json
from collections.abc import Iterable, Sequence
from itertools import accumulate
from typing import Any, NamedTuple

from crm.scalars import Micros
from crm.vocabulary import Disposition

OFFSET = 10**18  # microseconds; makes the time of any event a number from 0 on
SECOND = 1_000_000
UNKNOWN_WORD = 1  # of a disposition: above none, below ours
RANKS = {word: rank for rank, word in enumerate(("", "?", "failed", "cancelled", "no_answer", "busy", "voicemail"))}
RANKS[Disposition.ANSWERED] = len(RANKS)


class Leg(NamedTuple):
    """One leg, by all that its reports say. `ended_at` is the moment of the report that says how long it talked."""

    leg: str
    started_at: Micros
    direction: str = ""
    line: str = ""
    employee: str = ""
    wait_s: int | None = None
    talk_s: int | None = None
    disposition: str = ""
    recording: str = ""
    ended_at: Micros | None = None

    @property
    def answered_at(self) -> int:
        if self.wait_s is not None:
            return self.started_at + self.wait_s * SECOND
        return (self.ended_at or self.started_at) - (self.talk_s or 0) * SECOND

    @property
    def text(self) -> str:
        said = {name: value for name, value in self._asdict().items() if value not in (None, "")}
        return json.dumps(said, ensure_ascii=False, separators=(",", ":"))


def read_leg(text: str) -> Leg:
    return Leg(**json.loads(text))


def what_legs_say(legs: Sequence[Leg]) -> dict[str, Any]:
    """Returns what a call with these legs, in order of their begin, is: only the fields that any of them says."""
    talked = [leg for leg in legs if leg.talk_s]
    timed = [leg for leg in legs if leg.talk_s is not None]
    said = {
        "employee": _first(sorted(talked, key=lambda leg: -leg.answered_at), "employee")
        or _first(legs[::-1], "employee"),
        "wait_s": waited(legs, talked),
        "talk_s": covered((leg.answered_at, leg.talk_s or 0) for leg in talked) if timed else None,
        "disposition": max((leg.disposition for leg in legs), key=lambda word: (RANKS.get(word, UNKNOWN_WORD), word)),
        "recording": _first(sorted(legs, key=lambda leg: -(leg.talk_s or 0)), "recording"),
    }
    return {name: value for name, value in said.items() if value not in (None, "")}


def _first(legs: Iterable[Leg], name: str) -> str:
    return next((value for leg in legs if (value := getattr(leg, name))), "")


def waited(legs: Sequence[Leg], talked: Sequence[Leg]) -> int | None:
    """Returns the seconds from the begin of the first leg until anybody answered, or until the last one gave up."""
    if talked:
        return max(0, min(leg.answered_at for leg in talked) - legs[0].started_at) // SECOND
    ends = [leg.answered_at for leg in legs if leg.wait_s is not None or leg.ended_at is not None]
    return max(0, max(ends) - legs[0].started_at) // SECOND if ends else None


def covered(talks: Iterable[tuple[int, int]]) -> int:
    """Returns the seconds in which at least one leg talked. Each talk: its begin in microseconds and its seconds."""
    spans = sorted((begin, begin + seconds * SECOND) for begin, seconds in talks)
    ends = accumulate((end for _, end in spans), max, initial=-OFFSET)
    return sum(max(0, end - max(begin, before)) for (begin, end), before in zip(spans, ends, strict=False)) // SECOND

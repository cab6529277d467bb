"""What a fault did to the stack: one row of the table."""

from collections.abc import Sequence
from statistics import median

import msgspec


class Recovery(msgspec.Struct, frozen=True):
    """Seconds from an injection until everything moved again; None when nothing was injected."""

    p50: float | None
    max: float | None


class Outcome(msgspec.Struct, frozen=True):
    """`broken`: sentences about what failed. `ok`: it is empty, and nothing was lost or duplicated."""

    fault: str
    acked: int
    effects: int
    lost: int
    duplicated: int
    injections: int
    recovery_s: Recovery
    ok: bool
    broken: list[str]
    seconds: float


def recovery(seconds: Sequence[float]) -> Recovery:
    if not seconds:
        return Recovery(None, None)
    return Recovery(round(median(seconds), 2), round(max(seconds), 2))


def too_slow(seconds: Sequence[float], bound: float | None, waits: str = "") -> list[str]:
    """Returns a sentence when a recovery took longer than promised."""
    slowest = max(seconds, default=0.0)
    if bound is None or slowest <= bound:
        return []
    over = sum(one > bound for one in seconds)
    why = f"; waited there for: {waits}" if waits else ""
    return [f"{over} of {len(seconds)} recoveries took longer than {bound:g} s, the slowest {slowest:.1f} s{why}"]

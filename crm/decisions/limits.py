"""Limits of what rows can hold: the length of an identifier in an index, and the years of the calendar."""

from msgspec.structs import replace

from crm.decisions.fact_rule import FactRule
from crm.envelope import Fact
from crm.scalars import Micros

FIRST, LAST = -62_135_596_800_000_000, 253_402_300_799_999_999  # the years 1 to 9999, in microseconds
OUTSIDE = "It names a moment outside the years 1 to 9999. The delivery is kept. Send it with its true time."
LONGEST = 200  # characters of an identifier, as in crm.state.key: a hash of one could not go into another card


def violates_limits(fact: Fact, rule: FactRule) -> str:
    """Returns why the fact cannot be decided on; empty when it can."""
    if not FIRST <= fact.meta.occurred_at <= LAST:
        return OUTSIDE
    for name in rule.moments:
        at = getattr(fact, name)
        if at is not None and not FIRST <= at <= LAST:
            return OUTSIDE
    for kind, value in rule.identifiers(fact):
        if (length := len(kind) + len(":") + len(value)) > LONGEST:
            return (
                f"It names somebody by {kind[:40]!r} of {length} characters; {LONGEST} are the most that can be "
                "looked up. The delivery is kept. Send it with a shorter one."
            )
    return ""


def clamp_times(fact: Fact, now: Micros) -> Fact:
    """Returns the fact with a time that a row can hold: one outside the calendar becomes `now`."""
    if FIRST <= fact.meta.occurred_at <= LAST:
        return fact
    return replace(fact, meta=replace(fact.meta, occurred_at=now))

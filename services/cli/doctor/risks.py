"""Checks for people and payments that may be overlooked in quarantine."""

from collections.abc import Sequence

from crm.scalars import Micros
from services.cli.doctor.checks import Finding
from services.cli.doctor.snapshot import AtRisk
from services.operations.quarantine.formatting import age

LEADS = (
    "may be people waiting for an answer",
    "Call them back first: `crm quarantine list --leads` shows numbers and addresses, `crm quarantine show ID` the "
    "whole delivery. Then run `crm quarantine reparse --all`; close what still cannot be read with "
    '`crm quarantine discard ID --reason "called back"`.',
)
PAYMENTS = (
    "may be payments that are missing on their deals",
    "`crm quarantine list` shows the reasons. `crm quarantine reparse --all` reads them with this version; enter what "
    "still cannot be read by hand, then run `crm quarantine discard ID --reason booked`.",
)


def at_risk(waiting: Sequence[AtRisk], now: Micros) -> list[Finding]:
    """Reports even a single delivery of any age: one person who is never called back is one too many."""
    found = [
        finding("leads", *LEADS, [one for one in waiting if one.risk == "lead"], now),
        finding("payments", *PAYMENTS, [one for one in waiting if one.risk == "payment"], now),
    ]
    return [one for one in found if one] or [Finding("leads", True, "Nobody in quarantine is waiting for an answer.")]


def finding(about: str, what: str, advice: str, waiting: Sequence[AtRisk], now: Micros) -> Finding | None:
    if not waiting:
        return None
    count = sum(one.count for one in waiting)
    oldest = min(waiting, key=lambda one: one.since)
    of = ", ".join(f"{one.connector} ({one.count:,})" for one in waiting)
    deliveries = "delivery" if count == 1 else "deliveries"
    text = f"{count:,} {deliveries} in quarantine {what}: {of}; the oldest arrived {age(oldest.since, now)} ago"
    return Finding(about, False, f"{text}. {advice}")

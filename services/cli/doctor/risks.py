"""What `crm doctor` says of people and money that may be overlooked in quarantine."""

from collections.abc import Sequence

from crm.scalars import Micros
from services.cli.doctor.checks import Finding
from services.cli.flow import AtRisk
from services.operations.quarantine.showing import age

LEADS = (
    "may be people waiting for an answer",
    "Call back first: `crm quarantine list --leads` shows numbers and addresses, `crm quarantine show ID` all that "
    "came. Then `crm quarantine reparse --all`; what cannot be read still is settled with "
    '`crm quarantine discard ID --reason "called back"`.',
)
PAYMENTS = (
    "may be payments that are missing on their deals",
    "`crm quarantine list` gives the reasons. `crm quarantine reparse --all` reads them with this version; book what "
    "still waits by hand, then `crm quarantine discard ID --reason booked`.",
)


def at_risk(waiting: Sequence[AtRisk], now: Micros) -> list[Finding]:
    """However few they are and however long they wait: one person who is never called back is one too many."""
    found = [
        finding("leads", *LEADS, [one for one in waiting if one.risk == "lead"], now),
        finding("payments", *PAYMENTS, [one for one in waiting if one.risk == "payment"], now),
    ]
    return [one for one in found if one] or [Finding("leads", True, "Nobody waits in quarantine for an answer.")]


def finding(about: str, what: str, advice: str, waiting: Sequence[AtRisk], now: Micros) -> Finding | None:
    if not waiting:
        return None
    count = sum(one.count for one in waiting)
    oldest = min(waiting, key=lambda one: one.since)
    of = ", ".join(f"{one.connector} ({one.count:,})" for one in waiting)
    deliveries = "delivery" if count == 1 else "deliveries"
    text = f"{count:,} {deliveries} in quarantine {what}: {of}; the oldest came {age(oldest.since, now)} ago"
    return Finding(about, False, f"{text}. {advice}")

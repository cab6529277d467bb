"""Part of the third invariant: sums of money in ledger, journal and projections agree to the kopeck."""

from collections import Counter
from dataclasses import dataclass, field
from typing import Any

from psycopg import Connection

from crm.events import DealOpened, DealPaid, PaymentMatched, PaymentRecorded
from crm.money import money_text
from crm.scalars import Id
from projections import PROJECTIONS
from tests.chaos.invariants.journal import Journal
from tests.support.workload.ledger import Account, Ledger, PaymentState

SETTLED = f"""
SELECT workspace::text, currency, coalesce(sum(greatest(0, amount_minor - refunded_minor))
  FILTER (WHERE status = 'settled'), 0)::bigint
FROM read.{PROJECTIONS["payment"].table} GROUP BY 1, 2"""
DEALS = f"""
SELECT workspace::text, currency, sum(amount_minor)::bigint, sum(paid_minor)::bigint
FROM read.{PROJECTIONS["deal"].table} GROUP BY 1, 2"""


@dataclass
class Sums:
    """By workspace and currency, in the smallest unit."""

    settled: Counter[Account] = field(default_factory=Counter)  # what payments brought
    deals: Counter[Account] = field(default_factory=Counter)  # what deals are worth
    paid: Counter[Account] = field(default_factory=Counter)  # what was counted towards deals
    matched: Counter[Account] = field(default_factory=Counter)  # what payments brought that found their deal


def in_journal(journal: Journal) -> Sums:
    sums = Sums()
    payments: dict[Id, tuple[Id, PaymentState]] = {}
    found: set[Id] = set()
    for event in journal.events:
        match event:
            case PaymentRecorded():
                state = PaymentState(
                    event.changed_at, event.status, event.amount_minor, event.refunded_minor, event.currency
                )
                payments[event.payment_id] = event.meta.workspace, state
            case PaymentMatched():
                found.add(event.payment_id)
            case DealOpened():
                sums.deals[event.meta.workspace, event.currency] += event.amount_minor
            case DealPaid():
                sums.paid[event.meta.workspace, event.currency] += event.change_minor
    for payment_id, (workspace, state) in payments.items():
        sums.settled[workspace, state.currency] += state.settled_minor
        if payment_id in found:
            sums.matched[workspace, state.currency] += state.settled_minor
    return sums


def in_projections(conn: Connection[Any]) -> Sums:
    sums = Sums()
    for workspace, currency, settled in conn.execute(SETTLED.encode()):
        sums.settled[workspace, currency] = settled
    for workspace, currency, worth, paid in conn.execute(DEALS.encode()):
        sums.deals[workspace, currency] = worth
        sums.paid[workspace, currency] = paid
    return sums


def broken(ledger: Ledger, journal: Sums, projections: Sums) -> list[str]:
    return [
        *disagreements(
            "What payments brought",
            {"the ledger": ledger.settled(), "the journal": journal.settled, "the projection": projections.settled},
        ),
        *disagreements(
            "What deals are worth",
            {"the ledger": ledger.deals, "the journal": journal.deals, "the projection": projections.deals},
        ),
        *disagreements(
            "What is paid for deals",
            {"the payments": journal.matched, "the journal": journal.paid, "the projection": projections.paid},
        ),
    ]


def disagreements(what: str, sums: dict[str, Counter[Account]]) -> list[str]:
    """Returns a sentence for each workspace and currency whose sums differ."""
    purses = sorted({purse for sums_of in sums.values() for purse in sums_of})
    return [
        f"{what} in workspace {workspace} differs: "
        + ", ".join(f"{who} has {money_text(sums_of[workspace, currency], currency)}" for who, sums_of in sums.items())
        + "."
        for workspace, currency in purses
        if len({sums_of[workspace, currency] for sums_of in sums.values()}) > 1
    ]

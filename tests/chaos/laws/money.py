"""A part of the third law: sums of money agree to the kopeck between the ledger, the journal and the projections."""

from collections import Counter
from dataclasses import dataclass, field
from typing import Any

from psycopg import Connection

from crm.events import DealOpened, DealPaid, PaymentMatched, PaymentRecorded
from crm.money import money_text
from crm.scalars import Id
from projections import PROJECTIONS
from tests.chaos.laws.journal import Journal
from tests.chaos.ledger import Ledger, Purse, Standing

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

    settled: Counter[Purse] = field(default_factory=Counter)  # what payments brought
    deals: Counter[Purse] = field(default_factory=Counter)  # what deals are worth
    paid: Counter[Purse] = field(default_factory=Counter)  # what was counted towards deals
    matched: Counter[Purse] = field(default_factory=Counter)  # what payments brought that found their deal


def in_journal(journal: Journal) -> Sums:
    sums = Sums()
    payments: dict[Id, tuple[Id, Standing]] = {}
    found: set[Id] = set()
    for event in journal.events:
        match event:
            case PaymentRecorded():
                standing = Standing(
                    event.changed_at, event.status, event.amount_minor, event.refunded_minor, event.currency
                )
                payments[event.payment_id] = event.meta.workspace, standing
            case PaymentMatched():
                found.add(event.payment_id)
            case DealOpened():
                sums.deals[event.meta.workspace, event.currency] += event.amount_minor
            case DealPaid():
                sums.paid[event.meta.workspace, event.currency] += event.change_minor
    for payment_id, (workspace, standing) in payments.items():
        sums.settled[workspace, standing.currency] += standing.settled_minor
        if payment_id in found:
            sums.matched[workspace, standing.currency] += standing.settled_minor
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


def disagreements(what: str, sums: dict[str, Counter[Purse]]) -> list[str]:
    """A sentence a workspace and currency."""
    purses = sorted({purse for told in sums.values() for purse in told})
    return [
        f"{what} in workspace {workspace} differs: "
        + ", ".join(f"{who} has {money_text(told[workspace, currency], currency)}" for who, told in sums.items())
        + "."
        for workspace, currency in purses
        if len({told[workspace, currency] for told in sums.values()}) > 1
    ]

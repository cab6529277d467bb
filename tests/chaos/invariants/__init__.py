"""The invariants of journal, state, projections and subscribers, checked when all roles are idle."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass

import psycopg

from projections import PROJECTIONS
from tests.chaos.invariants import decide_state, effects, identities, money, order, rows, subscribers, webhooks
from tests.chaos.invariants.journal import Journal, read
from tests.chaos.observed_events import ObservedEvents
from tests.chaos.webhook_probe import ReceivedEvents
from tests.support.workload.ledger import Ledger


@dataclass(frozen=True)
class Verdict:
    """`effects`: of acknowledged facts, in the journal. `broken`: a sentence for each broken invariant."""

    acked: int
    effects: int
    lost: int
    duplicated: int
    broken: list[str]


async def check(
    bootstrap: str,
    dsn: str,
    ledger: Ledger,
    observed: Sequence[ObservedEvents] = (),
    received: Sequence[ReceivedEvents] = (),
) -> Verdict:
    """Checks all invariants. Call it when all roles are idle. Reads the journal and each table once."""
    return await asyncio.to_thread(check_journal, await read(bootstrap), dsn, ledger, observed, received)


def check_journal(
    journal: Journal,
    dsn: str,
    ledger: Ledger,
    observed: Sequence[ObservedEvents],
    received: Sequence[ReceivedEvents],
) -> Verdict:
    found = effects.count_effects(journal, ledger)
    journal_sums = money.in_journal(journal)
    broken = [
        *found.broken,
        *journal.broken,
        *order.broken(journal),
        *identities.broken(journal),
        *subscribers.broken(journal, observed),
        *webhooks.broken(journal, received),
    ]
    with psycopg.connect(dsn, options="-c default_transaction_isolation=repeatable\\ read") as conn:
        broken += decide_state.heads(conn, journal)
        broken += decide_state.facts_seen(conn, journal)
        broken += decide_state.state(conn, journal)
        for projection in PROJECTIONS.values():
            broken += rows.broken(conn, projection, journal)
        broken += money.broken(ledger, journal_sums, money.in_projections(conn))
    return Verdict(len(ledger.facts), found.effects, found.lost, found.duplicated, broken)

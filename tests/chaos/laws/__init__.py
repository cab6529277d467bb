"""The conservation laws: what must hold of journal, state, projections and subscribers once all is quiet."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass

import psycopg

from projections import PROJECTIONS
from tests.chaos.laws import effects, money, order, people, rows, stored, watchers
from tests.chaos.laws.journal import Journal, read
from tests.chaos.ledger import Ledger
from tests.chaos.watched import Watched


@dataclass(frozen=True)
class Verdict:
    """`effects`: of acknowledged facts, in the journal. `broken`: a sentence a law that does not hold."""

    acked: int
    effects: int
    lost: int
    duplicated: int
    broken: list[str]


async def check(bootstrap: str, dsn: str, ledger: Ledger, watched: Sequence[Watched] = ()) -> Verdict:
    """To be called when nothing is on its way any more. Reads the whole journal once, and each table once."""
    return await asyncio.to_thread(judged, await read(bootstrap), dsn, ledger, watched)


def judged(journal: Journal, dsn: str, ledger: Ledger, watched: Sequence[Watched]) -> Verdict:
    found = effects.counted(journal, ledger)
    told = money.in_journal(journal)
    broken = [
        *found.broken,
        *journal.broken,
        *order.broken(journal),
        *people.broken(journal),
        *watchers.broken(journal, watched),
    ]
    with psycopg.connect(dsn, options="-c default_transaction_isolation=repeatable\\ read") as conn:
        broken += stored.heads(conn, journal)
        broken += stored.facts_seen(conn, journal)
        broken += stored.state(conn, journal)
        for projection in PROJECTIONS.values():
            broken += rows.broken(conn, projection, journal)
        broken += money.broken(ledger, told, money.in_projections(conn))
    return Verdict(len(ledger.facts), found.effects, found.lost, found.duplicated, broken)

"""Checks of webhooks: which receivers take nothing, are switched off, or have deliveries that were given up."""

from collections.abc import Sequence
from dataclasses import dataclass

import psycopg
from psycopg import AsyncConnection
from psycopg.sql import SQL, Identifier

from crm.envelope import now
from crm.scalars import Micros
from projections import PROJECTIONS
from services.cli.doctor.checks import Finding, Installation
from services.operations.quarantine.formatting import age

FAILS_SECONDS = 3_600  # after which a receiver that takes nothing is worth a line
RECEIVERS = SQL("""
SELECT w.webhook_id::text, w.url, w.enabled, w.why, (extract(epoch FROM o.failing_since) * 1000000)::bigint,
  (SELECT count(*) FROM outbound.delivery AS d WHERE d.target = w.webhook_id AND d.state IN ('dead', 'uncertain')),
  (SELECT count(*) FROM outbound.delivery AS d WHERE d.target = w.webhook_id AND d.state IN ('waiting', 'sending'))
FROM read.{table} AS w LEFT JOIN outbound.webhook AS o USING (webhook_id) ORDER BY w.url, w.webhook_id""")


@dataclass(frozen=True)
class Receiver:
    """A webhook as it stands. `why`: it was switched off by Potik."""

    id: str
    url: str
    enabled: bool = True
    why: str = ""
    failing_since: Micros | None = None
    dead: int = 0  # deliveries
    waiting: int = 0


async def receivers(installation: Installation) -> list[Finding]:
    """Returns nothing when Postgres is away or has no tables, which other checks report."""
    if not installation.database_url:
        return []
    sql = RECEIVERS.format(table=Identifier(PROJECTIONS["webhook"].table))
    try:
        async with await AsyncConnection.connect(installation.database_url, autocommit=True, connect_timeout=5) as conn:
            rows = await (await conn.execute(sql)).fetchall()
    except (psycopg.OperationalError, psycopg.errors.UndefinedTable):
        return []
    return findings([Receiver(*row) for row in rows], now())


def findings(found: Sequence[Receiver], at: Micros) -> list[Finding]:
    """Returns a line for each receiver that needs a person; one that all is well if there are webhooks at all."""
    wrong = [finding for one in found for finding in problems(one, at)]
    well = f"All {len(found):,} webhooks take what they are sent." if len(found) > 1 else "The webhook works."
    return wrong or ([Finding("webhooks", True, well)] if found else [])


def problems(one: Receiver, at: Micros) -> list[Finding]:
    wrong = []
    if not one.enabled and one.why:
        wrong.append(f"{one.url} was switched off: {one.why} `crm webhooks change {one.id} --on`")
    elif one.enabled and one.failing_since and at - one.failing_since > FAILS_SECONDS * 1_000_000:
        since = age(one.failing_since, at)
        text = f"{one.url} has taken nothing for {since}; {one.waiting:,} deliveries wait and are tried again"
        wrong.append(f"{text}. `crm webhooks log {one.id}` shows what it answers")
    if one.dead:
        text = f"{one.dead:,} deliveries to {one.url} were given up: `crm webhooks log {one.id} --state dead` shows why"
        wrong.append(f"{text}, `crm webhooks retry {one.id}` sends them again, `discard` takes them off the list")
    return [Finding("webhooks", False, f"{text}.") for text in wrong]

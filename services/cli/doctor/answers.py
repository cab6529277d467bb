"""Checks of replies: those of which nobody knows whether they were sent need a person."""

import psycopg
from psycopg import AsyncConnection
from psycopg.sql import SQL, Identifier

from projections import PROJECTIONS
from services.cli.doctor.checks import Finding, Installation

UNCERTAIN = SQL("""
SELECT count(*) FROM outbound.delivery AS d JOIN read.{table} AS m ON m.message_id = d.id
WHERE d.kind = 'reply' AND d.state = 'uncertain' AND m.status = 'uncertain'""")


async def answers(installation: Installation) -> list[Finding]:
    """Returns nothing when Postgres is away or has no tables, which other checks report."""
    if not installation.database_url:
        return []
    sql = UNCERTAIN.format(table=Identifier(PROJECTIONS["message"].table))
    try:
        async with await AsyncConnection.connect(installation.database_url, autocommit=True, connect_timeout=5) as conn:
            row = await (await conn.execute(sql)).fetchone()
    except (psycopg.OperationalError, psycopg.errors.UndefinedTable):
        return []
    return findings(row[0] if row else 0)


def findings(uncertain: int) -> list[Finding]:
    if not uncertain:
        return []
    what = "Of a reply" if uncertain == 1 else f"Of {uncertain:,} replies"
    text = f"{what} nobody knows whether it was sent. `crm replies list --status uncertain` shows which: look in the"
    return [Finding("replies", False, f"{text} channel's own app, then `crm replies resolve ID sent` or `again`.")]

"""Tells which workspaces give their deals to nobody. That is no fault: a new workspace has no salespeople yet."""

import psycopg
from psycopg import AsyncConnection

from crm.engine.workspaces import read_workspaces
from crm.scalars import Id
from crm.state import Workspace
from services.cli.doctor.checks import Finding, Installation

COUNTED = 1_000  # deals at most
NAMED = 5  # workspaces at most
# By the index that lists deals by owner.
WITHOUT_OWNER = "SELECT count(*) FROM (SELECT FROM read.deal WHERE workspace = %s AND owner = '' LIMIT %s) AS d"


async def assignment(installation: Installation) -> list[Finding]:
    """Returns nothing when there is no database, which other checks report."""
    if not installation.database_url:
        return []
    try:
        async with await AsyncConnection.connect(installation.database_url, autocommit=True, connect_timeout=5) as conn:
            idle = {id: found for id, found in (await read_workspaces(conn)).items() if gives_to_nobody(found)}
            waiting = {id: await count(conn, id) for id in idle}
    except (psycopg.OperationalError, psycopg.errors.UndefinedTable):
        return []
    return findings([(idle[id].name, id, deals) for id, deals in waiting.items() if deals])


async def count(conn: AsyncConnection, workspace: Id) -> int:
    (found,) = await (await conn.execute(WITHOUT_OWNER, [workspace, COUNTED])).fetchone() or (0,)
    return int(found)


def gives_to_nobody(workspace: Workspace) -> bool:
    return not any(rule.owners for rule in workspace.rules)


def findings(without: list[tuple[str, Id, int]]) -> list[Finding]:
    """Makes the findings of workspaces that have no rules but deals without an owner: name, id, number of deals."""
    if not without:
        return [Finding("rules", True, "Every workspace with deals has assignment rules, or its deals have owners.")]
    most = sorted(without, key=lambda one: (-one[2], one[0]))
    return [
        Finding(
            "rules",
            True,
            f"{name} ({id}): {deals:,}{' or more' if deals >= COUNTED else ''} "
            f"{'deal has' if deals == 1 else 'deals have'} no owner, because no assignment rule names one. "
            f"Set rules with `crm rules apply FILE --workspace {id}`: docs/workspace.md.",
        )
        for name, id, deals in most[:NAMED]
    ]

"""Commands that Potik itself gives: they go the way of a fact, in one transaction, and are answered at once."""

from collections.abc import Sequence

from psycopg import AsyncConnection

from crm.adapters import journal
from crm.adapters.state import Batch
from crm.decisions import fold
from crm.decisions.case import Case
from crm.decisions.workspace import default_rules, default_workspace
from crm.envelope import Fact, named_id, now
from crm.scalars import Id
from crm.shared import Meta

SEEN = "INSERT INTO core.fact_seen VALUES (%s) ON CONFLICT DO NOTHING RETURNING 1"


async def create_workspace(
    dsn: str,
    workspace: Id,
    name: str,
    country: str = "UA",
    currency: str = "UAH",
    timezone: str = "Europe/Kyiv",
    owners: Sequence[str] = (),
) -> None:
    """A workspace with the default pipeline and one rule: its owners take turns. Twice is once."""
    at = now()
    cause = named_id(workspace, "create")
    meta = Meta(cause, workspace, workspace, at, at, "crm", cause, actor="crm")
    async with await AsyncConnection.connect(dsn) as conn:
        if not await (await conn.execute(SEEN, [cause])).fetchone():
            return
        batch = Batch()
        case = Case(Fact(meta), batch.of(workspace), at)
        events = [
            default_workspace(case, name, country, currency, timezone),
            default_rules(case, owners),
        ]
        for event in events:
            fold(case.state, event)
        batch.keep()
        await batch.write(conn)
        await journal.append(conn, [journal.packed(event) for event in events])

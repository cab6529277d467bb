"""A workspace is made by a command of Potik itself: it goes the way of a fact, in one transaction."""

from collections.abc import Sequence

from psycopg import AsyncConnection

from crm.adapters import journal
from crm.adapters.deciding import SEEN
from crm.adapters.state import Batch
from crm.decisions.case import Case
from crm.decisions.workspace import PAID_STAGE, PART_PAID_STAGE, STAGES
from crm.envelope import Fact, named_id, now
from crm.events import AssignmentRulesSet, WorkspaceCreated
from crm.scalars import Id
from crm.shared import AssignmentRule, Meta
from crm.state import fold
from crm.zones import zone


async def create_workspace(
    dsn: str,
    workspace: Id,
    name: str,
    country: str = "UA",
    currency: str = "UAH",
    timezone: str = "Europe/Kyiv",
    owners: Sequence[str] = (),
) -> None:
    """A workspace with the default pipeline and one rule: its owners take turns. Twice is once.

    Raises Malformed for a time zone that does not exist.
    """
    zone(timezone)
    at = now()
    cause = named_id(workspace, "create")
    async with await AsyncConnection.connect(dsn) as conn:
        if not await (await conn.execute(SEEN, [[cause]])).fetchone():
            return
        batch = Batch()
        command = Fact(Meta(cause, workspace, workspace, at, at, "crm", cause, actor="crm"))
        case = Case(command, batch.of(workspace), at)
        rules = (AssignmentRule("everybody in turn", tuple(owners)),) if owners else ()
        created = WorkspaceCreated(
            case.meta(workspace), name, country, currency, timezone, STAGES, PAID_STAGE, PART_PAID_STAGE
        )
        events = [created, AssignmentRulesSet(case.meta(workspace), 1, rules)]
        for event in events:
            fold(case.state, event)
        batch.keep()
        await batch.write(conn)
        await journal.append(conn, [journal.packed(event) for event in events])

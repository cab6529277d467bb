"""Creates workspaces: like a fact, in one transaction."""

from collections.abc import Sequence
from dataclasses import dataclass

import msgspec
from psycopg import AsyncConnection

from crm.adapters.postgres import outbox as journal
from crm.adapters.postgres.state import Batch
from crm.connector import HOME
from crm.decisions.case import Case
from crm.decisions.workspace import PAID_STAGE, PART_PAID_STAGE, STAGES
from crm.engine.decide_batch import SEEN
from crm.engine.run_command import Effect, nothing
from crm.envelope import Fact, named_id, now
from crm.events import AssignmentRulesSet, WorkspaceCreated
from crm.scalars import Id
from crm.shared import AssignmentRule, Meta
from crm.state import Workspace, fold
from crm.state.entities import ONLY
from crm.zones import zone

EVERYBODY = "everybody in turn"
OF_ONE = "SELECT value::text FROM core.state WHERE workspace = %s AND key = %s"
# Each workspace by a look at the index: the table has many rows a workspace.
OF_ALL = """
WITH RECURSIVE w AS (
  (SELECT workspace FROM core.state ORDER BY workspace LIMIT 1)
  UNION ALL
  SELECT (SELECT s.workspace FROM core.state AS s WHERE s.workspace > w.workspace ORDER BY s.workspace LIMIT 1)
  FROM w WHERE w.workspace IS NOT NULL
)
SELECT s.workspace::text, s.value::text FROM w JOIN core.state AS s USING (workspace) WHERE s.key = %s"""


class WorkspaceDiffers(ValueError):
    """There is a workspace of this id with other settings."""


@dataclass(frozen=True)
class WorkspaceSettings:
    """The settings of a new workspace."""

    name: str
    country: str = HOME.country
    currency: str = HOME.currency
    timezone: str = HOME.timezone
    owners: tuple[str, ...] = ()


async def create_workspace(
    dsn: str,
    workspace: Id,
    name: str,
    country: str = HOME.country,
    currency: str = HOME.currency,
    timezone: str = HOME.timezone,
    owners: Sequence[str] = (),
) -> None:
    """Creates a workspace on a connection of its own; see `create`."""
    zone(timezone)
    async with await AsyncConnection.connect(dsn, autocommit=True) as conn:
        await create(conn, workspace, WorkspaceSettings(name, country, currency, timezone, tuple(owners)))


async def create(
    conn: AsyncConnection, workspace: Id, wanted: WorkspaceSettings, actor: str = "crm", effect: Effect = nothing
) -> None:
    """A workspace with the default pipeline and one rule: its owners take turns. Without owners nobody gets its deals.

    Is idempotent. `effect` is awaited before the commit. Raises WorkspaceDiffers when there is one of this id with
    other values, and Malformed for a time zone that does not exist.
    """
    zone(wanted.timezone)
    at, cause = now(), named_id(workspace, "create")
    async with conn.transaction():
        if not await (await conn.execute(SEEN, [[cause]])).fetchone():
            return await expect_equal(conn, workspace, wanted)
        batch = Batch()
        command = Fact(Meta(cause, workspace, workspace, at, at, "crm", cause, actor=actor))
        case = Case(command, batch.of(workspace), at)
        rules = (AssignmentRule(EVERYBODY, wanted.owners),) if wanted.owners else ()
        settings = wanted.name, wanted.country, wanted.currency, wanted.timezone
        created = WorkspaceCreated(case.meta(workspace), *settings, STAGES, PAID_STAGE, PART_PAID_STAGE)
        events = [created, AssignmentRulesSet(case.meta(workspace), 1, rules)]
        for event in events:
            fold(case.state, event)
        batch.keep()
        await batch.write(conn)
        await journal.append(conn, [journal.packed(event) for event in events])
        await effect(events)


async def read_workspace(conn: AsyncConnection, workspace: Id) -> Workspace | None:
    """Returns the workspace as decisions know it; None when there is none."""
    row = await (await conn.execute(OF_ONE, [workspace, key()])).fetchone()
    return msgspec.json.decode(row[0], type=Workspace) if row else None


async def workspace_exists(dsn: str, workspace: Id) -> bool:
    async with await AsyncConnection.connect(dsn, autocommit=True) as conn:
        return await read_workspace(conn, workspace) is not None


async def expect_equal(conn: AsyncConnection, workspace: Id, wanted: WorkspaceSettings) -> None:
    """Raises WorkspaceDiffers."""
    there = await read_workspace(conn, workspace)
    found = values_of(there) if there else wanted
    if found != wanted:
        raise WorkspaceDiffers(f"There is a workspace {workspace} already: {describe(found)}. Nothing was changed.")


async def workspaces(dsn: str) -> dict[Id, WorkspaceSettings]:
    """Returns the settings of all workspaces."""
    async with await AsyncConnection.connect(dsn) as conn:
        return {id: values_of(workspace) for id, workspace in (await read_workspaces(conn)).items()}


async def read_workspaces(conn: AsyncConnection) -> dict[Id, Workspace]:
    """Returns all workspaces as decisions know them."""
    rows = await (await conn.execute(OF_ALL, [key()])).fetchall()
    return {Id(id): msgspec.json.decode(value, type=Workspace) for id, value in rows}


def values_of(workspace: Workspace) -> WorkspaceSettings:
    owners = workspace.rules[0].owners if workspace.rules else ()
    return WorkspaceSettings(workspace.name, workspace.country, workspace.currency, workspace.timezone, owners)


def describe(values: WorkspaceSettings) -> str:
    owners = f", owners {', '.join(values.owners)}" if values.owners else ""
    return f"{values.name!r}, country {values.country}, {values.currency}, {values.timezone}{owners}"


def key() -> str:
    return f"{Workspace.__name__}/{ONLY}"

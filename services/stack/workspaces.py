"""Creates workspaces and declares them in Kafka."""

import getpass
from collections.abc import Mapping, Sequence
from uuid import uuid4

import msgspec
from psycopg import AsyncConnection

from crm.decisions.commands import COMMANDS
from crm.decisions.commands.workspace_change import WorkspaceChange
from crm.decisions.workspace_settings import LONGEST, WrongSetting, read_settings
from crm.engine.run_command import carry_out
from crm.engine.workspaces import WorkspaceSettings, create_workspace, workspaces
from crm.envelope import Event, now
from crm.events import WorkspaceChanged
from crm.facts import WorkspaceDeclared
from crm.scalars import Id
from crm.shared import Meta
from services.stack.access import SCOPES, origin, publish, read_directory, token_fact

NOTHING = "No workspace was created."


def validate(name: str, country: str, currency: str, timezone: str, owners: Sequence[str]) -> WorkspaceSettings:
    """Returns the values in their normal form. Raises ValueError with what is wrong."""
    names = tuple(dict.fromkeys(o.strip() for o in owners))
    try:
        settings = read_settings(name, country, currency, timezone)
    except WrongSetting as wrong:
        raise ValueError(f"--{wrong.field} {wrong.message} {NOTHING}") from None
    if not all(0 < len(owner) <= LONGEST for owner in names):
        raise ValueError(f"--owner takes 1 to {LONGEST} characters. {NOTHING}")
    return WorkspaceSettings(*settings, names)


async def open_workspace(
    bootstrap: str, dsn: str, values: WorkspaceSettings, workspace: Id | None = None
) -> tuple[Id, str]:
    """Creates a workspace and returns its id and the text of a new token with all scopes. Safe to repeat with an id.

    Raises Differs when a workspace with this id has other values.
    """
    id = workspace or Id(str(uuid4()))
    await create_workspace(dsn, id, values.name, values.country, values.currency, values.timezone, values.owners)
    token, text = token_fact(id, values.name, SCOPES)
    await publish(bootstrap, (id, workspace_fact(id, values)), (token.token, token))
    return id, text


async def change_settings(
    bootstrap: str, dsn: str, workspace: Id, given: Mapping[str, str | None]
) -> WorkspaceSettings:
    """Changes settings and declares them in Kafka before Postgres commits. Returns all settings after the change.

    Raises Rejected when a value does not fit or nothing changes: nothing is changed then.
    """

    async def declare_change(events: Sequence[Event]) -> None:
        for event in events:
            if isinstance(event, WorkspaceChanged):
                settings = event.name, event.country, event.currency, event.timezone
                await publish(bootstrap, (workspace, WorkspaceDeclared(event.meta, *settings)))

    at, id = now(), Id(str(uuid4()))
    meta = Meta(id, workspace, id, at, at, "crm", id, actor=getpass.getuser())
    command = msgspec.convert({**given, "meta": msgspec.to_builtins(meta)}, WorkspaceChange)
    async with await AsyncConnection.connect(dsn, autocommit=True) as conn:
        await carry_out(conn, COMMANDS["workspace_change"], command, "", declare_change)
    return (await workspaces(dsn))[workspace]


async def declare(bootstrap: str, created: Mapping[Id, WorkspaceSettings]) -> None:
    """Publishes the values of workspaces, so that intake and API learn them without reading Postgres."""
    await publish(bootstrap, *((id, workspace_fact(id, values)) for id, values in created.items()))


def workspace_fact(id: Id, values: WorkspaceSettings) -> WorkspaceDeclared:
    return WorkspaceDeclared(origin(id, id), values.name, values.country, values.currency, values.timezone)


async def declare_missing(bootstrap: str, dsn: str) -> None:
    """Declares workspaces that an earlier release created without declaring them in Kafka."""
    if not (created := await workspaces(dsn)):
        return
    declared = (await read_directory(bootstrap)).homes
    await declare(bootstrap, {id: values for id, values in created.items() if id not in declared})

"""workspaceCreate: a new workspace and its first token, for the holder of a token of the installation.

It is no command of the domain: there is no workspace yet whose state it could be decided on.
"""

from typing import Any
from uuid import uuid4

import msgspec
import strawberry

from api.access import SCOPES, actor_of, require_installation
from api.commands.answers import Conflict, UserError, idempotency_key_of, position_text, user_error
from api.commands.secrets import SecretWriter
from api.context import Context, Info
from api.errors import Unavailable
from api.schema.fields import Argument, field
from crm.commands import Code, Rejected
from crm.connector import HOME
from crm.decisions.commands import COMMANDS
from crm.decisions.commands.token_create import TokenCreate
from crm.decisions.workspace_settings import Settings, WrongSetting, read_settings
from crm.engine.run_command import CommandResult
from crm.engine.workspaces import WorkspaceDiffers, WorkspaceSettings
from crm.envelope import Event, named_id, now
from crm.facts import WorkspaceDeclared
from crm.scalars import Id
from crm.shared import Meta
from crm.tokens import INSTALLATION

ABOUT = (
    "Creates a workspace and its first token, which has all scopes. Needs a token of the installation: "
    "`crm token create --installation`. It has no owners and no assignment rules yet, so new deals get nobody."
)


@strawberry.input(description="Settings of a new workspace.")
class WorkspaceCreateInput:
    name: str = strawberry.field(description="Display name.")
    country: str | None = strawberry.field(
        default=HOME.country, description="ISO 3166 code: how phone numbers without a country code are read."
    )
    currency: str | None = strawberry.field(
        default=HOME.currency, description="ISO 4217 code, of amounts that name no currency."
    )
    timezone: str | None = strawberry.field(
        default=HOME.timezone, description="IANA name: whose hours count in assignment rules."
    )


@strawberry.type(description="Result of `workspaceCreate`.")
class WorkspaceCreatePayload:
    workspace_id: strawberry.ID | None = strawberry.field(description="Id of the workspace; null: none was created.")
    token_id: strawberry.ID | None = strawberry.field(description="Id of its first token.")
    secret: str | None = strawberry.field(
        description="The token itself, shown only once. null when the same Idempotency-Key was sent before."
    )
    position: str | None = strawberry.field(
        description="Position of the change in the journal. Send it with a query to read your own write."
    )
    user_errors: list[UserError] = strawberry.field(
        description="Mistakes that the user can correct. If there are any, nothing was changed."
    )


async def workspace_create(_: Any, info: Info, input: WorkspaceCreateInput) -> dict[str, Any]:
    require_installation(info.context.token)
    key = idempotency_key_of(info)
    answer: dict[str, Any] = dict.fromkeys(("workspace_id", "token_id", "secret", "position"))
    try:
        given = [getattr(input, name) or getattr(HOME, name, "") for name in Settings._fields]
        settings = read_settings(*given)
    except WrongSetting as wrong:
        refusal = Rejected(wrong.field, Code.INVALID, f"It {wrong.message} No workspace was created.")
        return {**answer, "user_errors": [user_error(refusal)]}
    id = named_id(INSTALLATION, f"workspace/{key}") if key else Id(str(uuid4()))
    try:
        token, secret = await create(info.context, id, settings)
    except WorkspaceDiffers as differs:
        raise Conflict(f"This Idempotency-Key was used before. {differs}") from None
    created = {"workspace_id": id, "token_id": token.subject, "secret": secret}
    return {**created, "position": position_text(token.position), "user_errors": []}


async def create(context: Context, id: Id, settings: Settings) -> tuple[CommandResult, str | None]:
    """Creates and declares a workspace, then its token; what an earlier attempt has done is not done again.

    Raises WorkspaceDiffers or Unavailable.
    """
    if (executor := context.executor) is None:
        raise Unavailable("This server is read-only. Nothing was changed.")
    actor = actor_of(context.token)
    first, at = named_id(id, "first token"), now()
    meta = Meta(first, id, stream=first, occurred_at=at, recorded_at=at, source="api", cause=first, actor=actor)
    command = msgspec.convert({"meta": msgspec.to_builtins(meta), "name": settings.name, "scopes": SCOPES}, TokenCreate)
    async with executor.declaration_sender() as send:

        async def declare(events: Any) -> None:
            created: Event = events[0]
            await send(WorkspaceDeclared(created.meta, *settings))

        await executor.create_workspace(id, WorkspaceSettings(*settings), actor, declare)
        writer = SecretWriter(executor, command, send)
        return await executor.carry_out(COMMANDS["token_create"], command, "", writer), writer.text


WORKSPACE_CREATE = field(WorkspaceCreatePayload, {"input": Argument(WorkspaceCreateInput)}, workspace_create, ABOUT)

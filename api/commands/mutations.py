"""Every command as a mutation, made from its declaration: name, input, scope, and the row that it returns."""

from contextlib import suppress
from typing import Any, NamedTuple
from uuid import uuid4

import strawberry

from api.access import Token, actor_of, belongs_to_installation, require
from api.commands.activation import Activation, Activator, shown
from api.commands.answers import Conflict, UserError, idempotency_key_of, position_text, user_error
from api.commands.inputs import command_of, description_of, input_type
from api.commands.rows import row_after
from api.commands.secrets import SecretWriter, known_details
from api.context import Context, Info
from api.errors import TooSlow, Unavailable
from api.schema.fields import Argument, field
from api.schema.filters import known_id
from api.schema.names import type_name
from api.schema.nodes import TYPES
from crm.activation.outcome import Activated
from crm.commands import Code, CommandSpec, Rejected, imported
from crm.connector_catalogue import catalogue
from crm.engine.run_command import CommandResult, KeyReused, nothing
from crm.envelope import named_id, now
from crm.public_address import url_of, warning
from crm.scalars import Id
from crm.shared import Meta

SECRETS = ("connection", "token", "webhook")
URL = "The URL to give to the vendor; null when nothing was changed."
WARNING = "Why the vendor may not reach the URL, as text for people; null when it can."
ACTIVATION = "What was done at the vendor with its own key; null when none was given, or the vendor has no API for it."
SECRET = {
    "webhook": "The secret that Potik made up, shown only once; null when none was.",
    "token": "The token itself, shown only once. null when the same Idempotency-Key was sent before.",
    "connection": "The generated secret, if there is one, shown only once.",
}


class Executed(NamedTuple):
    """What became of a command. `secret` is shown to the caller, once."""

    done: CommandResult
    secret: str | None = None
    activated: Activated | None = None


def mutation(declared: CommandSpec) -> Any:
    """Returns the mutation field of a command."""
    name, kind = declared.command.__name__, declared.row

    async def body(_: Any, info: Info, input: Any) -> dict[str, Any]:
        key = idempotency_key_of(info)
        try:
            done, secret, activated = await execute(info.context, declared, input, key)
        except Rejected as refusal:
            nothing_done = {"done": None, "position": None, "secret": None, "activation": None}
            return {**nothing_done, "user_errors": [user_error(refusal)]}
        except KeyReused as error:
            raise Conflict(str(error)) from None
        said = {"secret": secret, "activation": shown(activated)}
        return {"done": done, "position": position_text(done.position), "user_errors": [], **said}

    about = description_of(declared.command)
    given = input_type(declared.command, without="occurred_at" if kind in SECRETS else "")
    return field(payload(name, kind), {"input": Argument(given)}, body, about)


async def row(source: Any, info: Info) -> Any:
    """Reads the row, only when it is selected."""
    if belongs_to_installation(info.context.token):
        return None  # it reads nothing
    with suppress(Unavailable, TooSlow):  # the command took effect, so its position is returned all the same
        return await row_after(info.context, source["done"]) if source["done"] else None


def address(part: str) -> Any:
    """Returns the resolver of the URL of a changed connection, or of its warning."""

    async def body(source: Any, info: Info) -> str | None:
        base, executor, done = info.context.intake_url, info.context.executor, source["done"]
        if not base or executor is None or done is None:
            return None
        connection = executor.access.connections.get(done.subject)
        entry = catalogue().get(connection.connector) if connection else None
        url = url_of(base, done.subject, entry.proof if entry else "")
        return url or None if part == "url" else warning(url) or None

    return body


def payload(name: str, kind: str) -> Any:
    about = f"The {type_name(kind)} after the change; null when nothing was changed or when it no longer exists."
    cls = type(f"{name}Payload", (), {"__module__": __name__, "__annotations__": {}})
    setattr(cls, kind, field(TYPES[type_name(kind)] | None, {}, row, about))
    described: dict[str, tuple[Any, str]] = {
        "position": (str | None, "Position of the change in the journal. Send it with a query to read your own write."),
        "user_errors": (list[UserError], "Mistakes that the user can correct. If there are any, nothing was changed."),
    }
    if kind in SECRETS:
        described["secret"] = str | None, SECRET[kind]
    if kind == "connection":
        described["activation"] = Activation | None, ACTIVATION
        for attribute, about in (("url", URL), ("warning", WARNING)):
            setattr(cls, attribute, field(str | None, {}, address(attribute), about))
    for attribute, (hint, about) in described.items():
        cls.__annotations__[attribute] = hint
        setattr(cls, attribute, strawberry.field(description=about))
    return strawberry.type(cls, name=f"{name}Payload", description=f"Result of `{name[0].lower()}{name[1:]}`.")


async def execute(context: Context, declared: CommandSpec, given: Any, key: str) -> Executed:
    """Executes a command. For a connection, the vendor is asked too.

    Raises Forbidden, Rejected, KeyReused, BadInput or Unavailable.
    """
    token, executor = context.token, context.executor
    workspace, at = workspace_of(token, declared, given), now()
    if executor is None:
        raise Unavailable("This server is read-only. Nothing was changed.")
    id = named_id(workspace, f"command/{key}") if key else Id(str(uuid4()))
    actor = actor_of(token)
    meta = Meta(id, workspace, stream=id, occurred_at=at, recorded_at=at, source="api", cause=id, actor=actor)
    command = command_of(declared.command, given, meta, known_details(executor, workspace, given))
    if command.occurred_at is not None:
        require(token, "import")
        command = imported(command)
    if declared.row not in SECRETS and not declared.declares:
        return Executed(await executor.carry_out(declared, command, key, nothing))
    if declared.row == "webhook":
        async with executor.declaration_sender() as send:
            secret = SecretWriter(executor, command, send)
            return Executed(await executor.carry_out(declared, command, key, secret), secret.text)
    activator = Activator(executor, context.intake_url, workspace, command)
    command = await activator.before()
    async with executor.declaration_sender() as send:
        secret = SecretWriter(executor, command, send)
        done = await executor.carry_out(declared, command, key, secret)
        if declared.row != "connection":
            return Executed(done, secret.text)
        return Executed(done, secret.text, await activator.after(done.subject, meta, bool(done.events), send))


def workspace_of(token: Token, declared: CommandSpec, given: Any) -> Id:
    """Returns the workspace that a command is for: the token's own, or the one that the installation's token names.

    Raises Forbidden or Rejected.
    """
    named = getattr(given, "workspace_id", None) if declared.declares else None
    id = None if named in (None, strawberry.UNSET) else Id(known_id(str(named)))
    if declared.declares and belongs_to_installation(token):
        if id is None:
            raise Rejected("workspaceId", Code.REQUIRED, "Which workspace? Nothing was changed.")
        return id
    require(token, declared.scope)
    if id not in (None, token.workspace):
        raise Rejected("workspaceId", Code.NOT_FOUND, f"There is no workspace {named}. Nothing was changed.")
    return Id(token.workspace)

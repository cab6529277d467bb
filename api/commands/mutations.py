"""Every command as a mutation, read off its declaration: name, input, scope, and the row that is the answer."""

from contextlib import AsyncExitStack, suppress
from typing import Any
from uuid import uuid4

import strawberry
from graphql import FieldNode

from api.access import require
from api.commands.inputs import command_of, input_type
from api.commands.rows import row_after
from api.commands.secrets import Secret, hidden
from api.context import Context, Info
from api.errors import ApiError, BadInput, TooSlow, Unavailable
from api.schema.fields import Argument, field
from api.schema.names import type_name
from api.schema.nodes import TYPES
from crm.commands import Code, Declared, Rejected
from crm.decisions.commands import COMMANDS
from crm.engine.run_command import Done, KeyReused, nothing
from crm.envelope import named_id, now
from crm.scalars import Id
from crm.shared import Meta

LONGEST_KEY = 200  # characters
SECRETS = ("connection", "token")
SECRET = {
    "token": "The token itself. It is shown this once; null when this Idempotency-Key was answered before.",
    "connection": "The secret that was made for it, if we made one. It is shown this once.",
}


class Conflict(ApiError):
    """An Idempotency-Key came again with something else."""

    code = "IDEMPOTENCY_KEY_REUSED"


strawberry.enum(Code, name="UserErrorCode", description=Code.__doc__)


@strawberry.type(description="Why nothing was changed, for somebody who can mend it.")
class UserError:
    field: str | None = strawberry.field(description="What to mend, as the input calls it; null: the whole.")
    message: str = strawberry.field(description="What is wrong and what to do, for people.")
    code: Code = strawberry.field(description="The same for programs.")


def mutation(declared: Declared) -> Any:
    """The field of a command."""
    name, kind = declared.command.__name__, declared.row

    async def body(_: Any, info: Info, input: Any) -> dict[str, Any]:
        key = key_of(info)
        try:
            done, secret = await carried_out(info.context, declared, input, key)
        except Rejected as refusal:
            told = {"field": refusal.field or None, "message": refusal.message, "code": refusal.code}
            return {"done": None, "position": None, "user_errors": [told], "secret": None}
        except KeyReused as error:
            raise Conflict(str(error)) from None
        position = ",".join(f"{partition}:{next}" for partition, next in sorted(done.position.items()))
        return {"done": done, "position": position, "user_errors": [], "secret": secret}

    about = " ".join((declared.command.__doc__ or "").split())
    return field(payload(name, kind), {"input": Argument(input_type(declared.command))}, body, about)


async def row(source: Any, info: Info) -> Any:
    """Read only when it is asked for."""
    with suppress(Unavailable, TooSlow):  # the command is done: the caller shall hear where
        return await row_after(info.context, source["done"]) if source["done"] else None


def payload(name: str, kind: str) -> Any:
    about = "As it is now; null when nothing was changed, or when it is gone."
    cls = type(f"{name}Payload", (), {"__module__": __name__, "__annotations__": {}})
    setattr(cls, kind, field(TYPES[type_name(kind)] | None, {}, row, about))
    said: dict[str, tuple[Any, str]] = {
        "position": (
            str | None,
            "Where in the journal it was written. Give it to a query to read what follows from it.",
        ),
        "user_errors": (list[UserError], "What a person has to mend. When there is any, nothing was changed."),
    }
    if kind in SECRETS:
        said["secret"] = str | None, SECRET[kind]
    for attribute, (hint, about) in said.items():
        cls.__annotations__[attribute] = hint
        setattr(cls, attribute, strawberry.field(description=about))
    return strawberry.type(cls, name=f"{name}Payload", description=f"What became of {name[0].lower()}{name[1:]}.")


def key_of(info: Info) -> str:
    """The Idempotency-Key; empty when there is none. Raises BadInput when it would stand for two commands."""
    key = info.context.idempotency_key or ""
    if not key:
        return ""
    if len(key) > LONGEST_KEY or not key.isprintable():
        raise BadInput(f"An Idempotency-Key has 1 to {LONGEST_KEY} printable characters. Nothing was changed.")
    asked = info._raw_info.operation.selection_set.selections
    if len(asked) != 1 or not isinstance(asked[0], FieldNode):
        raise BadInput("An Idempotency-Key goes with one mutation a request. Nothing was changed.")
    return key


async def carried_out(context: Context, declared: Declared, given: Any, key: str) -> tuple[Done, str | None]:
    """Raises Forbidden, Rejected, KeyReused, BadInput, Unavailable."""
    token, desk = context.token, context.desk
    require(token, declared.scope)
    if desk is None:
        raise Unavailable("This server only reads. Nothing was changed.")
    workspace, at = Id(token.workspace), now()
    id = named_id(workspace, f"command/{key}") if key else Id(str(uuid4()))
    actor = getattr(token, "name", "") or token.id
    meta = Meta(
        id=id, workspace=workspace, stream=id, occurred_at=at, recorded_at=at, source="api", cause=id, actor=actor
    )
    command = command_of(declared.command, given, meta, hidden(desk, workspace, given))
    async with AsyncExitStack() as stack:
        if declared.row not in SECRETS:
            return await desk.carry_out(declared, command, key, nothing), None
        secret = Secret(desk, command, await stack.enter_async_context(desk.telling()))
        return await desk.carry_out(declared, command, key, secret), secret.text


MUTATION = strawberry.type(
    type("Mutation", (), {name: mutation(declared) for name, declared in COMMANDS.items()}),
    name="Mutation",
    description="Everything that can be changed. What is refused says why in `userErrors`, and has changed nothing.",
)

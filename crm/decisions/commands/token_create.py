"""tokenCreate: a key to the workspace."""

from collections.abc import Iterator
from enum import StrEnum
from typing import Annotated

from crm.commands import About, Code, Command, Rejected, command
from crm.decisions.case import Case
from crm.decisions.guards import require_text
from crm.envelope import Event
from crm.events import TokenCreated
from crm.scalars import Micros

# `import` is a word of Python, so it cannot be written as a field of a class.
Scope = StrEnum(
    "Scope",
    [("read", "read"), ("write", "write"), ("connect", "connect"), ("import", "import"), ("admin", "admin")],
)
Scope.__doc__ = "What a token is good for."


class TokenCreate(Command, frozen=True, gc=False, kw_only=True):
    """Makes a token. It is shown in this answer and never again: only its hash is kept."""

    name: Annotated[str, About(max_length=200, description="Display name: who or what uses it.")]
    scopes: Annotated[tuple[Scope, ...], About(max_length=5, description="What it is good for.")]
    expires_at: Annotated[Micros | None, About(description="When it stops to work; null: never.")] = None


@command(row="token", scope="admin")
def token_create(command: TokenCreate, case: Case) -> Iterator[Event]:
    name, scopes = require_text(command.name, "name"), tuple(scope.value for scope in dict.fromkeys(command.scopes))
    if not scopes:
        raise Rejected(
            "scopes",
            Code.REQUIRED,
            "A token that is good for nothing is of no use. Give it a scope. No token was made.",
        )
    if command.expires_at is not None and command.expires_at <= case.now:
        raise Rejected("expiresAt", Code.INVALID, "This moment is past. Nothing was changed.")
    token_id = case.new_id("token")
    yield TokenCreated(case.meta(token_id), token_id, name, scopes, command.expires_at)

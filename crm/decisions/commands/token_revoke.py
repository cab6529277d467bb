"""tokenRevoke: a key that opens nothing any more."""

from collections.abc import Iterator
from typing import Annotated

from crm.commands import HIDDEN, About, Command, command
from crm.decisions.access_guards import require_token
from crm.decisions.case import Case
from crm.envelope import Event
from crm.events import TokenRevoked
from crm.scalars import Id


class TokenRevoke(Command, frozen=True, gc=False, kw_only=True):
    """Revokes a token: within moments it works nowhere."""

    token_id: Annotated[Id, About(description="Which token.")]
    why: Annotated[str, About(max_length=500, description="Why; shown to people.")] = ""
    name: Annotated[str, About(extra=HIDDEN)] = ""
    scopes: Annotated[tuple[str, ...], About(extra=HIDDEN)] = ()


@command(row="token", scope="admin")
def token_revoke(command: TokenRevoke, case: Case) -> Iterator[Event]:
    require_token(command, case.state)
    yield TokenRevoked(case.meta(command.token_id), command.token_id, command.name, command.scopes, command.why)

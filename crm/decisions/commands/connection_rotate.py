"""connectionRotate: another secret for a connection."""

from collections.abc import Iterator
from typing import Annotated

from crm.commands import HIDDEN, SECRET, About, Code, Command, Rejected, command
from crm.decisions.case import Case
from crm.decisions.commands.connection_add import UNSIGNED
from crm.decisions.declared import connection_there
from crm.envelope import Event
from crm.events import ConnectionRotated
from crm.scalars import Id


class ConnectionRotate(Command, frozen=True, gc=False, kw_only=True):
    """Gives a connection another secret. What is signed with the one before is refused from now on."""

    connection_id: Annotated[Id, About(description="Which connection.")]
    secret: Annotated[
        str, About(max_length=10_000, description="What the vendor signs with; forms need none.", extra=SECRET)
    ] = ""
    connector: Annotated[str, About(extra=HIDDEN)] = ""
    name: Annotated[str, About(extra=HIDDEN)] = ""


@command(row="connection", scope="connect")
def connection_rotate(command: ConnectionRotate, case: Case) -> Iterator[Event]:
    connection_there(command, case.state)
    if not command.secret and command.connector not in UNSIGNED:
        raise Rejected("secret", Code.REQUIRED, f"{command.connector} needs a secret. Nothing was changed.")
    connection_id = command.connection_id
    yield ConnectionRotated(case.meta(connection_id), connection_id, command.connector, command.name)

"""connectionRotate: replaces the secret of a connection."""

from collections.abc import Iterator
from typing import Annotated

from crm.commands import HIDDEN, About, Code, Command, Rejected, VendorSecret, command
from crm.connector_catalogue import secret_problem
from crm.decisions.access_guards import require_connection
from crm.decisions.case import Case
from crm.envelope import Event
from crm.events import ConnectionRotated
from crm.scalars import Id


class ConnectionRotate(Command, frozen=True, gc=False, kw_only=True):
    """Replaces the secret of a connection. What is signed with the old one is refused from now on."""

    connection_id: Annotated[Id, About(description="Which connection.")]
    secret: VendorSecret = ""
    connector: Annotated[str, About(extra=HIDDEN)] = ""
    name: Annotated[str, About(extra=HIDDEN)] = ""


@command(row="connection", scope="connect")
def connection_rotate(command: ConnectionRotate, case: Case) -> Iterator[Event]:
    require_connection(command, case.state)
    entry = case.connectors.get(command.connector)
    if not command.secret and (entry is None or entry.needs_secret):
        raise Rejected("secret", Code.REQUIRED, f"{command.connector} needs a secret. Nothing was changed.")
    if entry and (why := secret_problem(entry, command.secret)):
        raise Rejected("secret", Code.INVALID, f"{why} The secret stays what it was.")
    connection_id = command.connection_id
    yield ConnectionRotated(case.meta(connection_id), connection_id, command.connector, command.name)

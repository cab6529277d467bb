"""connectionRemove: disconnects a vendor."""

from collections.abc import Iterator
from typing import Annotated

from crm.commands import HIDDEN, About, Command, command
from crm.decisions.access_guards import require_connection
from crm.decisions.case import Case
from crm.envelope import Event
from crm.events import ConnectionRemoved
from crm.scalars import Id


class ConnectionRemove(Command, frozen=True, gc=False, kw_only=True):
    """Switches a connection off: its URL answers 404 from now on. What came through it stays."""

    connection_id: Annotated[Id, About(description="Which connection.")]
    why: Annotated[str, About(max_length=500, description="Why; shown to people.")] = ""
    connector: Annotated[str, About(extra=HIDDEN)] = ""
    name: Annotated[str, About(extra=HIDDEN)] = ""


@command(row="connection", scope="connect")
def connection_remove(command: ConnectionRemove, case: Case) -> Iterator[Event]:
    require_connection(command, case.state)
    connection_id = command.connection_id
    yield ConnectionRemoved(case.meta(connection_id), connection_id, command.connector, command.name, command.why)

"""connectionAdd: an integration is activated."""

from collections.abc import Iterator
from typing import Annotated

from crm.commands import HIDDEN, SECRET, About, Code, Command, Rejected, command
from crm.decisions.case import Case
from crm.envelope import Event
from crm.events import ConnectionAdded

CONNECTORS = ("form", "monobank", "monobank-personal", "liqpay", "binotel", "telegram", "api")
UNSIGNED = ("form", "api")  # proved by an unguessable address or by a token


class ConnectionAdd(Command, frozen=True, gc=False, kw_only=True):
    """Activates an integration. Its secret is written to the topic of connections alone, never into the journal."""

    connector: Annotated[str, About(max_length=200, description=f"One of {', '.join(CONNECTORS)}.")]
    name: Annotated[str, About(max_length=200, description="Display name; empty: the connector's.")] = ""
    secret: Annotated[
        str, About(max_length=10_000, description="What the vendor signs with; forms need none.", extra=SECRET)
    ] = ""
    settings: Annotated[
        dict[str, str],
        About(description="What else the connector wants to know; kept as secrets.", extra=SECRET),
    ] = {}  # noqa: RUF012  # msgspec gives each its own
    setting_names: Annotated[tuple[str, ...], About(extra=HIDDEN)] = ()


@command(row="connection", scope="connect")
def connection_add(command: ConnectionAdd, case: Case) -> Iterator[Event]:
    if command.connector not in CONNECTORS:
        told = f"There is no connector {command.connector!r}; there are {', '.join(CONNECTORS)}."
        raise Rejected("connector", Code.NOT_FOUND, f"{told} Nothing was changed.")
    if not command.secret and command.connector not in UNSIGNED:
        why = f"{command.connector} needs a secret: without one its address stays off. Nothing was changed."
        raise Rejected("secret", Code.REQUIRED, why)
    connection_id = case.new_id("connection")
    name = command.name.strip() or command.connector
    yield ConnectionAdded(case.meta(connection_id), connection_id, command.connector, name, command.setting_names)

"""connectionAdd: connects a vendor."""

from collections.abc import Iterator
from typing import Annotated

from crm.commands import HIDDEN, SECRET, About, Code, Command, Rejected, VendorSecret, command
from crm.connector_catalogue import catalogue, secret_missing, secret_problem, unknown_connector
from crm.connector_settings import BadSetting, check_settings
from crm.decisions.case import Case
from crm.envelope import Event
from crm.events import ConnectionAdded


class ConnectionAdd(Command, frozen=True, gc=False, kw_only=True):
    """Connects a vendor. The secret is written to the topic of connections alone, never into the journal."""

    connector: Annotated[str, About(max_length=200, description=f"One of {', '.join(catalogue())}.")]
    name: Annotated[str, About(max_length=200, description="Display name; empty: the connector's.")] = ""
    secret: VendorSecret = ""
    settings: Annotated[
        dict[str, str],
        About(description="The connector's settings, see docs/integrations.md; kept as secrets.", extra=SECRET),
    ] = {}  # noqa: RUF012  # msgspec gives each its own
    setting_names: Annotated[tuple[str, ...], About(extra=HIDDEN)] = ()


@command(row="connection", scope="connect")
def connection_add(command: ConnectionAdd, case: Case) -> Iterator[Event]:
    entry = case.connectors.get(command.connector)
    if entry is None:
        why = unknown_connector(command.connector, case.connectors)
        raise Rejected("connector", Code.NOT_FOUND, f"{why} Nothing was changed.")
    if not command.secret and entry.needs_secret and not entry.gets_secret(command.settings):
        raise Rejected("secret", Code.REQUIRED, f"{secret_missing(entry)} Nothing was changed.")
    try:
        check_settings(entry.name, entry.settings, command.settings)
    except BadSetting as bad:
        code = Code.REQUIRED if bad.missing else Code.INVALID
        raise Rejected("settings", code, f"{bad} Nothing was changed.") from None
    if why := secret_problem(entry, command.secret):
        raise Rejected("secret", Code.INVALID, f"{why} Nothing was changed.")
    connection_id = case.new_id("connection")
    name = command.name.strip() or command.connector
    yield ConnectionAdded(case.meta(connection_id), connection_id, command.connector, name, command.setting_names)

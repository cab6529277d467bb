"""Asks the vendor of a connection that a command makes, changes or removes: its key before the command takes effect,
its webhook afterwards."""

from collections.abc import Mapping
from typing import Any

import strawberry
from msgspec.structs import replace

from api.commands.executor import CommandExecutor, Declaration, SendDeclaration
from crm.activation.activate import Vendor
from crm.activation.answers import VendorAway, VendorSaysNo
from crm.activation.outcome import Activated, check_key, set_webhook_of, values_of
from crm.adapters.vendor_http import VendorHttp
from crm.commands import Code, Command, Rejected
from crm.connector import Connection
from crm.connector_catalogue import ConnectorEntry, catalogue, secret_problem
from crm.connector_settings import BadSetting, check_settings
from crm.decisions.commands.connection_add import ConnectionAdd
from crm.decisions.commands.connection_remove import ConnectionRemove
from crm.decisions.commands.connection_rotate import ConnectionRotate
from crm.facts import ConnectionDeclared
from crm.scalars import Id
from crm.shared import Meta


@strawberry.type(description="What was done at the vendor, with the vendor's own key.")
class Activation:
    active: bool = strawberry.field(
        description="Whether the vendor delivers to the URL, as far as Potik can see to it."
    )
    account: str | None = strawberry.field(description="Whose key it is, in the vendor's words.")
    done: list[str] = strawberry.field(description="What was done, as text for people.")
    next: str | None = strawberry.field(description="What is left to a person, as text for people; null when nothing.")


class Activator:
    """What the vendor is asked for one command. `base`: the URL of intake as vendors call it."""

    def __init__(self, executor: CommandExecutor, base: str, workspace: Id, command: Command) -> None:
        self.executor, self.base, self.command = executor, base, command
        self.account = ""
        found = executor.access.connections.get(Id(str(getattr(command, "connection_id", "")).lower()))
        self.known = found if found and found.enabled and found.workspace == workspace else None

    async def before(self) -> Command:
        """Returns the command, with the secret that the vendor or Potik has made. Raises Rejected."""
        command = self.command
        match command:
            case ConnectionAdd():
                connector, settings, field = command.connector, command.settings, "settings"
            case ConnectionRotate() if self.known and not command.secret:
                connector, settings, field = self.known.connector, dict(self.known.settings), "secret"
            case _:
                return command
        entry = catalogue().get(connector)
        if not entry or not entry.activation or not fits(entry, settings, command.secret):
            return command  # the decision says what is wrong
        async with VendorHttp() as http:
            try:
                checked = await check_key(connector, entry.activation, settings, command.secret, http)
            except ValueError as error:
                raise Rejected(field, Code.INVALID, str(error)) from None
        if checked is None:
            return command
        self.account = checked.account
        return replace(command, secret=checked.secret)

    async def after(self, connection_id: Id, meta: Meta, replaced: bool, send: SendDeclaration) -> Activated | None:
        """Sets or takes away the webhook. Returns None when the vendor's key is not known."""
        removed = isinstance(self.command, ConnectionRemove)
        connection = self.known if removed else self.executor.access.connections.get(connection_id)
        values = values_of(connection, self.base) if connection else None
        if connection is None or values is None:
            return None
        if removed:
            return await unregistered(connection, values)
        return await kept_set(connection, values, meta, send, self.account, replaced)


async def restored(executor: CommandExecutor, base: str, connection: Connection, meta: Meta) -> Activated | None:
    """Sets what a vendor has switched off. Returns None when there is no key to ask with."""
    if (values := values_of(connection, base)) is None:
        return None

    async def send(fact: Declaration) -> None:
        async with executor.declaration_sender() as declare:
            await declare(fact)

    return await kept_set(connection, values, meta, send)


async def kept_set(
    connection: Connection,
    values: Mapping[str, str],
    meta: Meta,
    send: SendDeclaration,
    account: str = "",
    replaced: bool = False,
) -> Activated:
    """Sets the webhook, and declares the connection with the secret that the vendor gave meanwhile, if it did."""
    async with VendorHttp() as http:
        activated = await set_webhook_of(connection, values, http, account=account, replaced=replaced)
    if activated.secret:
        what = connection.id, connection.connector, connection.name, activated.secret, dict(connection.settings)
        await send(ConnectionDeclared(meta, *what))
    return activated


def fits(entry: ConnectorEntry, settings: dict[str, str], secret: str) -> bool:
    try:
        check_settings(entry.name, entry.settings, settings)
    except BadSetting:
        return False
    return not secret_problem(entry, secret)


async def unregistered(connection: Connection, values: Mapping[str, str]) -> Activated:
    entry = catalogue().get(connection.connector)
    assert entry and entry.activation
    async with VendorHttp() as http:
        try:
            done = await Vendor(entry.name, entry.activation, values, http).unregister()
            return Activated(False, done=tuple(done))
        except (VendorSaysNo, VendorAway) as error:
            return Activated(False, next=f"The webhook may still be set at the vendor: {error} Take it away there.")


def shown(activated: Activated | None) -> Any:
    """Returns it as the API's type."""
    if activated is None:
        return None
    return Activation(
        active=activated.active,
        account=activated.account or None,
        done=list(activated.done),
        next=activated.next or None,
    )

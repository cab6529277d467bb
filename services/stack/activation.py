"""Connects vendors by their own keys, and looks later whether their webhooks are still set."""

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass

import structlog

from crm.activation.outcome import Activated, check_key, set_webhook_of, values_of
from crm.adapters.vendor_http import VendorHttp
from crm.connector_catalogue import ConnectorEntry
from crm.delivery import Connection
from crm.oauth_link import Link, new_link
from crm.scalars import Id
from crm.secret_keys import SecretKeys
from services.stack.access import declare_connection, read_directory

WATCH_SECONDS = 600.0  # a vendor that was switched off for longer has more to catch up
logger = structlog.get_logger()


@dataclass(frozen=True)
class NewConnection:
    """What is asked for. `given`: the connection to change; None makes one."""

    workspace: Id
    entry: ConnectorEntry
    name: str
    secret: str
    settings: Mapping[str, str]
    given: Id | None = None


async def connect_vendor(
    bootstrap: str, new: NewConnection, base: str, keys: SecretKeys
) -> tuple[Id, Activated | None]:
    """Checks the key, declares the connection, sets the webhook. None: it was not given what activation needs.

    Vendors that check the URL call it at once, so the connection is declared before. Raises ValueError when the vendor
    refuses the key: then nothing was changed.
    """
    entry, settings = new.entry, new.settings
    async with VendorHttp() as http:
        checked = await check_key(entry.name, entry.activation, settings, new.secret, http)
        secret = checked.secret if checked else new.secret
        what = bootstrap, new.workspace, entry.name, new.name
        made = await declare_connection(*what, secret, settings, new.given, keys)
        if checked is None or entry.activation is None:
            return made, None
        connection = Connection(made, new.workspace, entry.name, secret, settings)
        values = values_of(connection, base)
        assert values, "what it was checked with is there"
        activated = await set_webhook_of(connection, values, http, account=checked.account, replaced=True)
        if activated.secret:
            await declare_connection(*what, activated.secret, settings, made, keys)
        return made, activated


async def link_to_permit(
    bootstrap: str, new: NewConnection, client: tuple[str, str], base: str, keys: SecretKeys
) -> Link:
    """Returns the link of a vendor with OAuth. `client`: id and secret of the application there.

    Raises ValueError with a sentence, and NoSecretKey. Nothing is changed.
    """
    known, name = None, new.name
    if new.given:
        known = (await read_directory(bootstrap, keys)).connection(new.given)
        if known is None or (known.workspace, known.connector) != (new.workspace, new.entry.name):
            raise ValueError(f"This workspace has no connection {new.given} of {new.entry.name}.")
        name = known.name
    return new_link(new.entry, keys, base, new.workspace, client, new.settings, name=name, known=known, actor="crm")


async def check_connections(
    bootstrap: str, workspace: Id | None, connector: str, base: str, keys: SecretKeys
) -> list[tuple[dict[str, str], Activated]]:
    """Returns each connection that can be activated, with what was done: what the vendor switched off is set again.

    `workspace`: None for all; `connector`: only its connections, empty for all.
    """
    found: list[tuple[dict[str, str], Activated]] = []
    access = await read_directory(bootstrap, keys)
    mine = [one for one in access.connections.values() if one.enabled and workspace in (None, one.workspace)]
    async with VendorHttp() as http:
        for one in sorted(mine, key=lambda one: (one.connector, one.name, one.id)):
            if connector not in ("", one.connector) or (values := values_of(one, base)) is None:
                continue
            activated = await set_webhook_of(one, values, http)
            if activated.secret:
                what = one.workspace, one.connector, one.name, activated.secret, one.settings, one.id
                await declare_connection(bootstrap, *what, keys)
            found.append(({"connection": one.id, "connector": one.connector, "name": one.name}, activated))
    return found


async def watch(bootstrap: str, base: str, keys: SecretKeys, every: float = WATCH_SECONDS) -> None:
    """Checks the webhooks of all workspaces again and again, until cancelled. Logs what was done and what is left."""
    while True:
        try:
            for one, activated in await check_connections(bootstrap, None, "", base, keys):
                if activated.done or not activated.active:
                    said = {"done": " ".join(activated.done), "next": activated.next}
                    logger.warning("a vendor's webhook was not as it should be", **one, **said)
        except Exception as error:
            logger.warning("the vendors' webhooks could not be checked; trying again", error=repr(error))
        await asyncio.sleep(every)

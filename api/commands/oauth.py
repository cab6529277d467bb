"""Ends what a link began: the owner has agreed, the code becomes a refresh token, the connection gets it, encrypted.

A state is used once. The command that ends it has an id of its own state, so Postgres carries it out once, whatever
comes twice, at whichever replica. A code is sent to the vendor once: a second time may end what came of the first (RFC
6749, section 4.1.2).
"""

from contextlib import AbstractAsyncContextManager
from typing import Any, Protocol

from api.commands.executor import AWAY, CommandExecutor
from api.commands.secrets import SecretWriter
from api.errors import Unavailable
from crm.activation.answers import VendorAway, VendorSaysNo
from crm.activation.declared import OAuth
from crm.activation.oauth import code_request, permission_of, refresh_token
from crm.activation.outcome import Http
from crm.adapters.vendor_http import VendorHttp
from crm.commands import CommandSpec, Rejected
from crm.connector_catalogue import ConnectorEntry, catalogue
from crm.decisions.commands import COMMANDS
from crm.decisions.commands.connection_add import ConnectionAdd
from crm.decisions.commands.connection_rotate import ConnectionRotate
from crm.delivery import Connection
from crm.engine.run_command import KeyReused
from crm.envelope import now
from crm.events import ConnectionRotated
from crm.facts import ConnectionDeclared
from crm.oauth_link import Pending, digest, filled_in
from crm.scalars import Id
from crm.shared import Meta

AGAIN = "Nothing was changed. Ask for a new link."
USED = f"This link was used before, or the connection has changed since. {AGAIN}"
REVOKED = f"The access token that this link was made with is revoked by now, or may connect nothing. {AGAIN}"
UNKNOWN = "Whether it is connected is unknown: `crm integrations` tells."


class NotPermitted(Exception):
    """Nothing was changed. The sentence is for people."""


class Clients(Protocol):
    """Makes clients of the vendors' APIs."""

    def __call__(self) -> AbstractAsyncContextManager[Http]: ...


class PermissionWriter(SecretWriter):
    """Writes a connection whose permission is in a setting: its secret stays what it is."""

    def __init__(self, executor: CommandExecutor, command: Any, send: Any, settings: dict[str, str]) -> None:
        super().__init__(executor, command, send)
        self.settings = settings

    def rotated(self, event: ConnectionRotated) -> ConnectionDeclared:
        return self.declared(event, self.settings)


async def permit(executor: CommandExecutor, pending: Pending, code: str, clients: Clients = VendorHttp) -> str:
    """Declares the connection. Returns what was done, as a sentence. Raises NotPermitted and Unavailable."""
    entry = catalogue().get(pending.connector)
    if entry is None or entry.oauth is None:
        raise NotPermitted(f"{pending.connector} gives no access by a link. Nothing was changed.")
    known = expect_unused(executor, pending, entry.oauth)
    try:
        # Kafka first, so that no code is used up while nothing can be kept
        async with executor.declaration_sender() as send, executor.once(pending.command_id) as carry_out:
            if carry_out is None:
                raise NotPermitted(USED)
            permission = await exchanged(entry, pending, known, code, clients)
            known = expect_unused(executor, pending, entry.oauth)
            declared, command, settings = command_of(pending, entry.oauth, known, permission)
            if known and entry.oauth.setting:
                writer: SecretWriter = PermissionWriter(executor, command, send, settings)
            else:
                writer = SecretWriter(executor, command, send)
            done = await carry_out(declared, command, f"oauth/{pending.nonce}", writer)
    except Rejected as refusal:
        raise NotPermitted(refusal.message) from None
    except KeyReused:
        raise NotPermitted(USED) from None
    except Unavailable as error:
        raise Unavailable(str(error).replace(AWAY, UNKNOWN)) from None
    if not done.events:
        raise NotPermitted(USED)
    how = "has the new permission" if known else "is connected"
    name = known.name if known else pending.name
    return f"{pending.connector} {how} ({done.subject}): {name}. You can close this page."


def expect_unused(executor: CommandExecutor, pending: Pending, declared: OAuth) -> Connection | None:
    """Returns the connection that gets a new permission; None where one is made. Raises NotPermitted when the state was
    used before, the connection is another by now, or who asked for the link may not connect anything any more."""
    access = executor.access
    if pending.token:
        token = access.tokens.get(access.hashes.get(Id(pending.token), ""))
        if (
            token is None
            or (token.expires_at is not None and token.expires_at <= now())
            or (token.workspace != pending.workspace or "connect" not in token.scopes)
        ):
            raise NotPermitted(REVOKED)
    if pending.connection is None:
        if pending.made in access.declared:  # also when it was removed again
            raise NotPermitted(USED)
        return None
    known = access.connection(pending.connection)
    if (
        known is None
        or (known.workspace, known.connector) != (pending.workspace, pending.connector)
        or digest(known, declared.setting) != pending.before
    ):
        raise NotPermitted(USED)
    return known


async def exchanged(
    entry: ConnectorEntry, pending: Pending, known: Connection | None, code: str, clients: Clients
) -> str:
    """Returns what is to be kept. Raises NotPermitted."""
    assert entry.oauth
    settings = filled_in(entry, known.settings if known else pending.settings)
    request = code_request(entry.name, entry.oauth, settings, pending.client, code, pending.redirect, pending.verifier)
    try:
        async with clients() as http:
            answer = await http(request)
        token = refresh_token(entry.name, entry.oauth, answer, (pending.client[1], code, pending.verifier))
    except VendorSaysNo as error:
        raise NotPermitted(f"{error} {AGAIN}") from None
    except VendorAway as error:
        raise NotPermitted(f"{error} Nothing was changed. Open the link again.") from None
    return permission_of(pending.client, token)


def command_of(
    pending: Pending, declared: OAuth, known: Connection | None, permission: str
) -> tuple[CommandSpec, ConnectionAdd | ConnectionRotate, dict[str, str]]:
    """Returns the command that ends it, and the settings that the connection has then."""
    id, at = pending.command_id, now()
    actor = pending.actor or "oauth"
    meta = Meta(id, pending.workspace, id, occurred_at=at, recorded_at=at, source="api", cause=id, actor=actor)
    settings = dict(known.settings if known else pending.settings)
    if declared.setting:
        settings[declared.setting] = permission
    if known:
        rotate = ConnectionRotate(
            meta=meta, connection_id=known.id, secret=known.secret if declared.setting else permission,
            connector=known.connector, name=known.name,
        )  # fmt: skip
        return COMMANDS["connection_rotate"], rotate, settings
    add = ConnectionAdd(
        meta=meta, connector=pending.connector, name=pending.name, secret="" if declared.setting else permission,
        settings=settings, setting_names=tuple(sorted(settings)),
    )  # fmt: skip
    return COMMANDS["connection_add"], add, settings

"""The secrets of commands on connections and tokens, which are written to crm.connections and not to the journal.
Settings of a workspace are written there too, as intake reads nothing else.

Kafka has the declaration before the journal has the event. A process killed between the two leaves a token that nobody
knows, or a secret that the next attempt replaces; the same command with the same key then succeeds.
"""

import hashlib
import secrets
from collections.abc import Sequence
from typing import Any

from msgspec.structs import replace

from api.commands.executor import CommandExecutor, SendDeclaration
from crm.connection_secrets import new_webhook_secret, webhook_declared
from crm.connector_catalogue import catalogue
from crm.envelope import Event
from crm.events import (
    ConnectionAdded,
    ConnectionRemoved,
    ConnectionRotated,
    TokenCreated,
    TokenRevoked,
    WebhookAdded,
    WebhookRemoved,
    WebhookRotated,
    WorkspaceChanged,
)
from crm.facts import ConnectionDeclared, TokenDeclared, WorkspaceDeclared
from crm.scalars import Id
from crm.tokens import new_secret


class SecretWriter:
    """Writes the secret, or the declaration, of one command. `text` is what the caller sees, once."""

    def __init__(self, executor: CommandExecutor, command: Any, send_declaration: SendDeclaration) -> None:
        self.executor, self.command, self.send_declaration = executor, command, send_declaration
        self.text: str | None = None

    async def __call__(self, events: Sequence[Event]) -> None:
        for event in events:
            match event:
                case TokenCreated():
                    self.text = new_secret()
                    digest = hashlib.sha256(self.text.encode()).hexdigest()
                    created = event.token_id, event.name, digest, event.scopes, event.expires_at
                    await self.send_declaration(TokenDeclared(event.meta, *created))
                case TokenRevoked():
                    revoked = event.token_id, event.name, "", event.scopes, None, False
                    await self.send_declaration(TokenDeclared(event.meta, *revoked))
                case ConnectionAdded():
                    await self.send_declaration(self.declared(event, self.command.settings))
                case ConnectionRotated():
                    await self.send_declaration(self.rotated(event))
                case WorkspaceChanged():
                    settings = event.name, event.country, event.currency, event.timezone
                    await self.send_declaration(WorkspaceDeclared(event.meta, *settings))
                case WebhookAdded() | WebhookRotated() | WebhookRemoved():
                    await self.send_declaration(self.webhook(event))
                case ConnectionRemoved():
                    who = event.connection_id, event.connector, event.name
                    await self.send_declaration(ConnectionDeclared(event.meta, *who, secret="", enabled=False))

    def rotated(self, event: ConnectionRotated) -> ConnectionDeclared:
        """Makes the declaration of a connection with another secret. Its settings stay as they are encrypted."""
        before = self.executor.access.declared.get(event.connection_id)
        settings = before.settings if before else {}
        return replace(self.declared(event, settings), sealed_settings=before.sealed_settings if before else b"")

    def declared(self, event: ConnectionAdded | ConnectionRotated, settings: dict[str, str]) -> ConnectionDeclared:
        """Makes the declaration of a connection. A generated secret is shown; a vendor's own is known to the caller."""
        secret = self.command.secret
        entry = catalogue().get(event.connector)
        if not secret and entry and not entry.needs_secret:
            secret = self.text = secrets.token_urlsafe(24)
        return ConnectionDeclared(event.meta, event.connection_id, event.connector, event.name, secret, settings)

    def webhook(self, event: WebhookAdded | WebhookRotated | WebhookRemoved) -> ConnectionDeclared:
        """Makes the declaration of a webhook's secret. A rotated one keeps the one before it for a while."""
        if isinstance(event, WebhookRemoved):
            return webhook_declared(event, "", enabled=False)
        secret = self.command.secret
        if not secret:
            secret = self.text = new_webhook_secret()
        if isinstance(event, WebhookAdded):
            return webhook_declared(event, secret)
        before = self.executor.access.connections.get(event.webhook_id)
        return webhook_declared(event, secret, before.secret if before else "", event.both_until)


def known_details(executor: CommandExecutor, workspace: str, given: Any) -> dict[str, Any]:
    """Returns what a command must know about its connection or token; nothing when that is of another workspace."""
    if hasattr(given, "stages") and hasattr(given, "thin"):  # a webhook's
        return {"private_hosts": executor.private_hosts}
    if (id := getattr(given, "connection_id", None)) is not None:
        connection = executor.access.connections.get(Id(str(id).lower()))
        if connection and connection.enabled and connection.workspace == workspace:
            return {"connector": connection.connector, "name": connection.name}
    elif (id := getattr(given, "token_id", None)) is not None:
        token = executor.access.tokens.get(executor.access.hashes.get(Id(str(id).lower()), ""))
        if token and token.workspace == workspace:
            return {"name": token.name, "scopes": sorted(token.scopes)}
    elif settings := getattr(given, "settings", None):
        return {"setting_names": sorted(setting.key for setting in settings)}
    return {}

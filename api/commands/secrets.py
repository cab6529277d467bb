"""What commands on connections and tokens write besides their events: the secrets, to crm.connections alone.

Kafka has the declaration before the journal has the event. Killed between the two, a token is left that nobody knows,
or a secret that the next try replaces: the same command under the same key goes through then.
"""

import hashlib
import secrets
from collections.abc import Sequence
from typing import Any

from api.commands.desk import Desk, Tell
from crm.decisions.commands.connection_add import UNSIGNED
from crm.envelope import Event
from crm.events import ConnectionAdded, ConnectionRemoved, ConnectionRotated, TokenCreated, TokenRevoked
from crm.facts import ConnectionDeclared, TokenDeclared
from crm.scalars import Id
from crm.tokens import new_secret


class Secret:
    """The effect of one command. `text` is what the caller is shown, once."""

    def __init__(self, desk: Desk, command: Any, tell: Tell) -> None:
        self.desk, self.command, self.tell = desk, command, tell
        self.text: str | None = None

    async def __call__(self, events: Sequence[Event]) -> None:
        for event in events:
            match event:
                case TokenCreated():
                    self.text = new_secret()
                    digest = hashlib.sha256(self.text.encode()).hexdigest()
                    told = event.token_id, event.name, digest, event.scopes, event.expires_at
                    await self.tell(TokenDeclared(event.meta, *told))
                case TokenRevoked():
                    revoked = event.token_id, event.name, "", event.scopes, None, False
                    await self.tell(TokenDeclared(event.meta, *revoked))
                case ConnectionAdded():
                    await self.tell(self.declared(event, self.command.settings))
                case ConnectionRotated():
                    before = self.desk.access.connections.get(event.connection_id)
                    await self.tell(self.declared(event, dict(before.settings) if before else {}))
                case ConnectionRemoved():
                    who = event.connection_id, event.connector, event.name
                    await self.tell(ConnectionDeclared(event.meta, *who, secret="", enabled=False))

    def declared(self, event: ConnectionAdded | ConnectionRotated, settings: dict[str, str]) -> ConnectionDeclared:
        """A secret that we make is shown; the vendor's own the caller has."""
        secret = self.command.secret
        if not secret and event.connector in UNSIGNED:
            secret = self.text = secrets.token_urlsafe(24)
        return ConnectionDeclared(event.meta, event.connection_id, event.connector, event.name, secret, settings)


def hidden(desk: Desk, workspace: str, given: Any) -> dict[str, Any]:
    """What a command has to know of the connection or the token that it names; nothing when it is another's."""
    if (id := getattr(given, "connection_id", None)) is not None:
        connection = desk.access.connections.get(Id(str(id).lower()))
        if connection and connection.enabled and connection.workspace == workspace:
            return {"connector": connection.connector, "name": connection.name}
    elif (id := getattr(given, "token_id", None)) is not None:
        token = desk.access.tokens.get(desk.access.hashes.get(Id(str(id).lower()), ""))
        if token and token.workspace == workspace:
            return {"name": token.name, "scopes": sorted(token.scopes)}
    elif settings := getattr(given, "settings", None):
        return {"setting_names": sorted(setting.key for setting in settings)}
    return {}

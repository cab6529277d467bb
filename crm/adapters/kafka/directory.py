"""Who may send and who may ask: workspaces, connections and tokens, followed in memory from the compacted topic
crm.connections."""

import hashlib
from collections import defaultdict
from dataclasses import replace
from functools import lru_cache
from typing import Any

import structlog
from msgspec import Struct

from crm.adapters.kafka.compacted import CompactedTopic
from crm.connection_secrets import opened
from crm.connector import Connection, Home
from crm.contract.codec import decode
from crm.envelope import now
from crm.errors import Malformed
from crm.facts import ConnectionDeclared, TokenDeclared, WorkspaceDeclared
from crm.role_tokens import workspace_of
from crm.scalars import Id, Micros
from crm.secret_keys import SecretKeyLost, SecretKeys
from crm.tokens import PREFIX, checksum
from crm.topics import CONNECTIONS

ROLE = "role"  # the name of tokens of roles
NOT_OPENED = "This process does not decrypt the secrets of connections."
RANDOM, CHECK = 32, 6  # characters of a token, as crm.tokens makes them
logger = structlog.get_logger()


def mistyped(text: str) -> bool:
    """It has the form of our tokens and not their checksum: nobody has to look it up. Other forms may be older ones."""
    random, check = text[len(PREFIX) : -CHECK], text[-CHECK:]
    ours = text.startswith(PREFIX) and len(random) == RANDOM
    return ours and (not text.isascii() or checksum(random) != check)


@lru_cache(maxsize=1_024)
def digest(text: str) -> str:
    """What a token is known by; empty for one that is mistyped. A busy client sends the same one again and again."""
    return "" if mistyped(text) else hashlib.sha256(text.encode("utf-8", "replace")).hexdigest()


class Token(Struct, frozen=True, gc=False):
    """A key to a workspace; the text itself is written nowhere."""

    id: Id
    workspace: Id
    scopes: frozenset[str]
    name: str
    expires_at: Micros | None = None


class Access(CompactedTopic):
    """The newest declaration of each connection and token. Works on while Kafka is away, with what it knows.

    `keys` decrypt the secrets of connections, once per declaration. Without them a secret stays unknown.
    """

    topic = CONNECTIONS.name

    def __init__(self, keys: SecretKeys | None = None) -> None:
        super().__init__()
        self.keys = keys
        self.declared: dict[str, ConnectionDeclared] = {}  # as it lies on the topic
        self.connections: dict[str, Connection] = {}
        self.homes: dict[Id, Home] = {}  # by workspace
        self.of_workspace: dict[Id, set[str]] = defaultdict(set)  # the connections that it ever had
        self.tokens: dict[str, Token] = {}  # by the SHA-256 of their text
        self.hashes: dict[str, str] = {}  # token id -> SHA-256
        self.used: dict[Id, Micros] = {}  # token id -> when it was asked for last

    def connection(self, id: str) -> Connection | None:
        """None when it is unknown or disabled."""
        found = self.connections.get(id)
        if found and found.locked and self.keys and self.keys.refresh():  # a key has been put back
            for fact in [f for f in self.declared.values() if self.connections[f.connection].locked]:
                self.learn(fact)
            found = self.connections[id]
        return found if found and found.enabled else None

    def token(self, text: str, at: Micros | None = None) -> Token | None:
        """None when it is unknown, revoked, or expired at that moment (now by default)."""
        moment = now() if at is None else at
        found = self.tokens.get(digest(text))
        if found is None or (found.expires_at is not None and found.expires_at <= moment):
            return None
        self.used[found.id] = moment
        return found

    def role(self, text: str) -> Token | None:
        """A token by which another role reads in the name of a workspace; None when it is not valid."""
        workspace = workspace_of(self.keys, text) if self.keys else None
        return Token(workspace, workspace, frozenset(("read",)), ROLE) if workspace else None

    def home(self, workspace: Id) -> Home:
        """What holds where a fact says nothing: the defaults when the workspace has not been declared."""
        return self.homes.get(workspace, Home())

    def missing(self) -> str | None:
        """A sentence on what is not known yet; None when all is."""
        return None if self.complete else "The connections and tokens have not been read from Kafka yet."

    def locked(self) -> str | None:
        """A sentence when this process can decrypt none of the secrets that are there; else None."""
        sealed = [id for id, fact in self.declared.items() if fact.sealed_secret or fact.sealed_settings]
        if not sealed or not all(self.connections[id].locked for id in sealed):
            return None
        return f"None of the {len(sealed)} secrets can be decrypted: CRM_SECRETS_KEY is missing or another one."

    def take(self, key: bytes, value: bytes | None) -> None:
        """One record of the topic. What cannot be read is logged and leaves what was known before."""
        id = key.decode("utf-8", "replace")
        if value is None:
            self.connections.pop(id, None)
            self.declared.pop(id, None)
            self.forget_token(id)
            return
        try:
            self.learn(decode(value))
        except Malformed as error:
            logger.error("a declaration cannot be read; the one before it stays", id=id, error=str(error))

    def learn(self, fact: Any) -> None:
        match fact:
            case WorkspaceDeclared():
                home = self.homes[fact.meta.workspace] = Home(fact.country, fact.currency, fact.timezone)
                for id in self.of_workspace[fact.meta.workspace] & self.connections.keys():
                    self.connections[id] = replace(self.connections[id], home=home)
            case ConnectionDeclared():
                self.of_workspace[fact.meta.workspace].add(fact.connection)
                self.declared[fact.connection] = fact
                self.connections[fact.connection] = self.connection_of(fact)
            case TokenDeclared():
                self.forget_token(fact.token)
                if fact.enabled:
                    self.hashes[fact.token] = fact.sha256
                    self.tokens[fact.sha256] = Token(
                        fact.token, fact.meta.workspace, frozenset(fact.scopes), fact.name, fact.expires_at
                    )

    def connection_of(self, fact: ConnectionDeclared) -> Connection:
        secret, settings, locked = fact.secret, fact.settings, ""
        if fact.sealed_secret or fact.sealed_settings:
            if self.keys is None:
                locked = NOT_OPENED
            else:
                try:
                    secret, settings = opened(fact, self.keys)
                except SecretKeyLost as lost:
                    locked = str(lost)
                    logger.error("a secret cannot be decrypted", connection=fact.connection, why=locked)
        home = self.home(fact.meta.workspace)
        return Connection(
            fact.connection,
            fact.meta.workspace,
            fact.connector,
            secret,
            settings,
            fact.name,
            fact.enabled,
            home,
            locked,
        )

    def forget_token(self, id: str) -> None:
        self.tokens.pop(self.hashes.pop(id, ""), None)

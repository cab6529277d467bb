"""Declares connections and access tokens, as facts on crm.connections."""

import asyncio
import hashlib
import secrets
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from uuid import uuid4

from aiokafka import AIOKafkaProducer

from crm.adapters.kafka.address import client_options
from crm.adapters.kafka.directory import Access, Token
from crm.connection_secrets import sealed
from crm.connector_catalogue import catalogue
from crm.contract.codec import encode
from crm.envelope import Fact, now
from crm.facts import ConnectionDeclared, TokenDeclared
from crm.scalars import Id, Micros
from crm.secret_keys import SecretKeys
from crm.shared import Meta
from crm.tokens import new_secret
from crm.topics import CONNECTIONS
from services.stack.secret_keys import secret_keys

SCOPES = ("read", "write", "connect", "import", "admin")


@dataclass(frozen=True)
class NewToken:
    """A token when it is created: the only moment at which its text is known."""

    id: Id
    text: str


async def read_directory(bootstrap: str, keys: SecretKeys | None = None) -> Access:
    """Returns the connections, tokens and workspaces that are declared now. With `keys`, secrets are decrypted."""
    access = await Access(keys).start(bootstrap)
    await access.stop()
    return access


async def declare_connection(
    bootstrap: str,
    workspace: Id,
    connector: str,
    name: str,
    secret: str = "",
    settings: Mapping[str, str] | None = None,
    connection: Id | None = None,
    keys: SecretKeys | None = None,
) -> Id:
    """Creates a connection, or changes the one with the given id. Returns its id once Kafka has it.

    `keys` encrypt its secret and settings: by default those of this installation. Raises NoSecretKey.
    """
    connection = connection or Id(str(uuid4()))
    entry = catalogue().get(connector)
    if not secret and entry and not entry.needs_secret:  # an empty one would turn the connection off
        secret = secrets.token_urlsafe(24)
    fact = ConnectionDeclared(origin(workspace, connection), connection, connector, name, secret, dict(settings or {}))
    await publish(bootstrap, (connection, sealed(fact, secret_keys() if keys is None else keys)))
    return connection


async def record_declared(bootstrap: str, dsn: str) -> None:
    """Writes connections into the journal that are declared in Kafka alone, so that the API lists them too."""
    from crm.engine.connections import record_connections  # here, as others who declare something need no engine

    await record_connections(dsn, (await read_directory(bootstrap)).declared.values())


async def check_change(bootstrap: str, workspace: Id, connector: str, connection: Id) -> None:
    """Raises ValueError when the workspace has no such connection of this connector."""
    found = (await read_directory(bootstrap)).connections.get(connection)
    if found is None or found.workspace != workspace:
        raise ValueError(f"This workspace has no connection {connection}. Nothing was changed.")
    if found.connector != connector:
        raise ValueError(
            f"The connection {connection} is of {found.connector}, not of {connector}. Nothing was changed."
        )


async def create_token(
    bootstrap: str,
    workspace: Id,
    name: str,
    scopes: Sequence[str] = ("read", "write"),
    expires_at: Micros | None = None,
) -> NewToken:
    """Creates an access token of a workspace. Kafka gets its SHA-256 alone."""
    fact, text = token_fact(workspace, name, scopes, expires_at)
    await publish(bootstrap, (fact.token, fact))
    return NewToken(fact.token, text)


def token_fact(
    workspace: Id, name: str, scopes: Sequence[str], expires_at: Micros | None = None
) -> tuple[TokenDeclared, str]:
    """Returns the declaration of a new token, and its text."""
    token, text = Id(str(uuid4())), new_secret()
    digest = hashlib.sha256(text.encode()).hexdigest()
    return TokenDeclared(origin(workspace, token), token, name, digest, tuple(scopes), expires_at), text


async def declared_tokens(bootstrap: str, workspace: Id) -> list[Token]:
    """Returns the tokens of a workspace that are not revoked, also expired ones, by name."""
    access = await read_directory(bootstrap)
    return sorted((t for t in access.tokens.values() if t.workspace == workspace), key=lambda t: (t.name, t.id))


async def revoke_token(bootstrap: str, token: Token) -> None:
    """Revokes a token: within moments it works nowhere. Its hash is forgotten."""
    meta, scopes = origin(token.workspace, token.id), tuple(sorted(token.scopes))
    await publish(bootstrap, (token.id, TokenDeclared(meta, token.id, token.name, "", scopes, enabled=False)))


def origin(workspace: Id, id: Id) -> Meta:
    at = now()
    return Meta(id=id, workspace=workspace, stream=id, occurred_at=at, recorded_at=at, source="crm", cause=id)


async def publish(bootstrap: str, *facts: tuple[Id, Fact]) -> None:
    """Writes facts under their keys, in this order. Returns once Kafka has them all."""
    if not facts:
        return
    async with AIOKafkaProducer(**client_options(bootstrap), acks="all", enable_idempotence=True) as producer:
        sent = [await producer.send(CONNECTIONS.name, encode(fact), key=key.encode()) for key, fact in facts]
        await asyncio.gather(*sent)

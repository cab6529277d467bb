"""Who may come in: workspaces, connections and tokens, declared as facts on crm.connections."""

import asyncio
import hashlib
import secrets
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from uuid import uuid4

from aiokafka import AIOKafkaProducer

from crm.adapters.kafka.directory import Access, Token
from crm.contract.codec import encode
from crm.envelope import Fact, now
from crm.facts import ConnectionDeclared, TokenDeclared
from crm.scalars import Id, Micros
from crm.shared import Meta
from crm.tokens import new_secret
from crm.topics import CONNECTIONS

SCOPES = ("read", "write", "connect", "admin")
UNSIGNED = ("form", "api")  # proved by an unguessable address or by a token; an empty secret would turn them off


@dataclass(frozen=True)
class NewToken:
    """A token at its birth: the only moment that its text is known."""

    id: Id
    text: str


async def declare_connection(
    bootstrap: str,
    workspace: Id,
    connector: str,
    name: str,
    secret: str = "",
    settings: Mapping[str, str] | None = None,
    connection: Id | None = None,
) -> Id:
    """Activates an integration, or changes it when its id is given. Returns its id once Kafka has it."""
    connection = connection or Id(str(uuid4()))
    if not secret and connector in UNSIGNED:
        secret = secrets.token_urlsafe(24)
    fact = ConnectionDeclared(origin(workspace, connection), connection, connector, name, secret, dict(settings or {}))
    await tell(bootstrap, (connection, fact))
    return connection


async def create_token(
    bootstrap: str,
    workspace: Id,
    name: str,
    scopes: Sequence[str] = ("read", "write"),
    expires_at: Micros | None = None,
) -> NewToken:
    """A key to a workspace. Kafka gets its SHA-256 alone."""
    fact, text = token_fact(workspace, name, scopes, expires_at)
    await tell(bootstrap, (fact.token, fact))
    return NewToken(fact.token, text)


def token_fact(
    workspace: Id, name: str, scopes: Sequence[str], expires_at: Micros | None = None
) -> tuple[TokenDeclared, str]:
    """A new token as it is declared, and its text."""
    token, text = Id(str(uuid4())), new_secret()
    digest = hashlib.sha256(text.encode()).hexdigest()
    return TokenDeclared(origin(workspace, token), token, name, digest, tuple(scopes), expires_at), text


async def declared_tokens(bootstrap: str, workspace: Id) -> list[Token]:
    """Those of the workspace that are not revoked, expired ones too, by name."""
    access = await Access().start(bootstrap)
    await access.stop()
    return sorted((t for t in access.tokens.values() if t.workspace == workspace), key=lambda t: (t.name, t.id))


async def revoke_token(bootstrap: str, token: Token) -> None:
    """It stops working everywhere within moments. Its hash is forgotten."""
    fact = TokenDeclared(
        origin(token.workspace, token.id), token.id, token.name, "", tuple(sorted(token.scopes)), enabled=False
    )
    await tell(bootstrap, (token.id, fact))


def origin(workspace: Id, id: Id) -> Meta:
    at = now()
    return Meta(id=id, workspace=workspace, stream=id, occurred_at=at, recorded_at=at, source="crm", cause=id)


async def tell(bootstrap: str, *facts: tuple[Id, Fact]) -> None:
    """Each under its key, in this order. Returns once Kafka has them all."""
    if not facts:
        return
    async with AIOKafkaProducer(bootstrap_servers=bootstrap, acks="all", enable_idempotence=True) as producer:
        sent = [await producer.send(CONNECTIONS.name, encode(fact), key=key.encode()) for key, fact in facts]
        await asyncio.gather(*sent)

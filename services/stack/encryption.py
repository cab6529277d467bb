"""Encrypts the secrets of connections again: those in clear, and those of an older key."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from aiokafka import AIOKafkaProducer, TopicPartition
from aiokafka.admin.config_resource import ConfigResource, ConfigResourceType
from msgspec import Struct
from msgspec.structs import replace

from crm.adapters.kafka.address import client_options
from crm.adapters.kafka.reading import open_consumer, read_range
from crm.connection_secrets import in_clear, key_ids, opened, sealed
from crm.contract.codec import decode, encode
from crm.errors import Malformed
from crm.facts import ConnectionDeclared
from crm.scalars import Id
from crm.secret_keys import SecretKeyLost, SecretKeys
from crm.topics import CONNECTIONS
from services.stack.topics import OF_TOPIC, Admin

PARTITION = TopicPartition(CONNECTIONS.name, 0)
SEGMENT = "segment.ms"
CLOSING = b"closes a segment"  # the key of a record that says nothing
Found = dict[Id, tuple[int, ConnectionDeclared]]  # the newest declaration of each connection, and its offset


class SecretsState(Struct, frozen=True):
    """How the secrets of connections lie in Kafka: their numbers."""

    encrypted: dict[str, int]  # by the id of the key
    in_clear: int  # of the newest declarations
    lost: tuple[Id, ...]  # which no key of this process decrypts
    old_in_clear: int  # older declarations in clear that Kafka has not compacted away yet


async def secrets_state(bootstrap: str, keys: SecretKeys) -> SecretsState:
    """Reads crm.connections. Raises TimeoutError when Kafka does not answer."""
    found: Found = {}
    old = await read(bootstrap, found, 0, await end(bootstrap))
    encrypted: dict[str, int] = {}
    lost = []
    for _, fact in found.values():
        for id in key_ids(fact):
            encrypted[id] = encrypted.get(id, 0) + 1
        if decrypted(fact, keys) is None:
            lost.append(fact.connection)
    clear = sum(in_clear(fact) for _, fact in found.values())
    return SecretsState(encrypted, clear, tuple(lost), old - clear)


async def encrypt_again(bootstrap: str, keys: SecretKeys, every: bool = False) -> list[Id]:
    """Encrypts with the first key what is in clear; with `every`, also what is encrypted with another one.

    Returns the connections that were written again. What no key decrypts stays as it is. A connection that is changed
    meanwhile keeps the change. Kafka is made to drop the older declarations within a minute. Raises NoSecretKey.
    """
    found: Found = {}
    upto = await end(bootstrap)
    await read(bootstrap, found, 0, upto)
    first = set(keys.ids[:1])
    wanted = {id: fact for id, (_, fact) in found.items() if in_clear(fact) or (every and key_ids(fact) - first)}
    again = {id: written for id, fact in wanted.items() if (written := encrypted_again(fact, keys))}
    if not again:
        return []
    done = list(again)
    async with rolling(bootstrap), AIOKafkaProducer(**client_options(bootstrap), acks="all") as producer:
        ours: dict[Id, int] = {}
        while again:
            for id, fact in again.items():
                ours[id] = (await producer.send_and_wait(CONNECTIONS.name, encode(fact), key=id.encode())).offset
            begin, upto = upto, await end(bootstrap)
            changed: Found = {}
            await read(bootstrap, changed, begin, upto, frozenset(ours.values()))
            # Somebody changed it between our reading and our writing: theirs is the newer one.
            again = {id: sealed(fact, keys) for id, (at, fact) in changed.items() if at < ours.get(id, -1)}
        # Compaction leaves the open segment alone: one more record closes the segment of what was just written.
        await producer.send_and_wait(CONNECTIONS.name, None, key=CLOSING)
    return done


def encrypted_again(fact: ConnectionDeclared, keys: SecretKeys) -> ConnectionDeclared | None:
    """Returns it encrypted with the first key; None when no key decrypts it. Raises NoSecretKey."""
    plain = decrypted(fact, keys)
    if plain is None:
        return None
    secret, settings = plain
    return sealed(replace(fact, secret=secret, settings=settings, sealed_secret=b"", sealed_settings=b""), keys)


def decrypted(fact: ConnectionDeclared, keys: SecretKeys) -> tuple[str, dict[str, str]] | None:
    try:
        return opened(fact, keys)
    except SecretKeyLost:
        return None


@asynccontextmanager
async def rolling(bootstrap: str) -> AsyncIterator[None]:
    """Makes Kafka begin a new segment with each write, so that what is overwritten can be compacted away at once."""
    resource = ConfigResource(ConfigResourceType.TOPIC, CONNECTIONS.name)
    async with Admin(bootstrap) as admin:
        (answer,) = await admin.describe_configs([resource])
        own = {entry[0]: entry[1] for *_, entries in answer.resources for entry in entries if entry[3] == OF_TOPIC}
        await admin.alter_configs([ConfigResource(ConfigResourceType.TOPIC, CONNECTIONS.name, own | {SEGMENT: "1"})])
        try:
            yield
        finally:
            await admin.alter_configs([ConfigResource(ConfigResourceType.TOPIC, CONNECTIONS.name, own)])


async def end(bootstrap: str) -> int:
    async with open_consumer(bootstrap) as consumer:
        return int((await consumer.end_offsets([PARTITION]))[PARTITION])


async def read(bootstrap: str, found: Found, begin: int, upto: int, ours: frozenset[int] = frozenset()) -> int:
    """Puts the newest declarations of a range into `found`, but for our own. Returns how many were in clear."""
    clear = 0
    async with open_consumer(bootstrap) as consumer:
        async for fetched in read_range(consumer, {PARTITION: (begin, upto)}):
            for record in fetched[PARTITION]:
                try:
                    fact = decode(record.value) if record.value else None
                except Malformed:  # nothing of this release
                    continue
                if isinstance(fact, ConnectionDeclared) and record.offset not in ours:
                    clear += in_clear(fact)
                    found[fact.connection] = record.offset, fact
    return clear

"""The ACLs of docs/kafka-access.md on a real Kafka with an authorizer: what they allow works, all else is refused."""

import asyncio
import re
from collections.abc import AsyncIterator, Awaitable, Iterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer, TopicPartition
from aiokafka.errors import GroupAuthorizationFailedError, TopicAuthorizationFailedError
from aiokafka.protocol.admin import CreateAclsRequest

from crm.adapters.kafka.reading import open_consumer
from services.stack import kafka, topics
from services.stack.kafka import Kafka
from services.stack.ports import LOCAL, any_free
from services.stack.process import stop, until
from tests.support.servers import IN_CONTAINERS
from tests.support.tools import ROOT

pytestmark = pytest.mark.skipif(IN_CONTAINERS, reason="the embedded Kafka gets an authorizer")

PAGE = (ROOT / "docs" / "kafka-access.md").read_text("utf-8")
(TABLE,) = re.findall(r"<!-- acls:.*?-->\n(.*?)<!-- acls:", PAGE, re.DOTALL)
ROW = re.compile(r"\| `(User:\w+)` \| (topic|group) `([\w.*-]+)` \| ([\w, ]+) \|")
SECURED = """
authorizer.class.name=org.apache.kafka.metadata.authorizer.StandardAuthorizer
super.users=User:ANONYMOUS
listener.name.clients.sasl.enabled.mechanisms=PLAIN
listener.name.clients.plain.sasl.jaas.config=org.apache.kafka.common.security.plain.PlainLoginModule required \
  user_shop="of shop" user_analyst="of analyst";
"""
RESOURCES, LITERAL, PREFIXED, ALLOW = {"topic": 2, "group": 3}, 3, 4, 3
OPERATIONS = {"Read": 3, "Write": 4, "Describe": 8}
FACTS, JOURNAL = "crm.intake.facts", "crm.journal"


def acls() -> Iterator[tuple[Any, ...]]:
    """Yields the rows of the table as CreateAcls has them."""
    for principal, kind, name, operations in ROW.findall(TABLE):
        pattern = PREFIXED if name.endswith("*") else LITERAL
        for operation in operations.split(", "):
            yield RESOURCES[kind], name.rstrip("*"), pattern, principal, "*", OPERATIONS[operation], ALLOW


def secured(broker: Kafka, command: list[str]) -> list[str]:
    properties = broker.data / "server.properties"
    text = properties.read_text().replace("CLIENTS:PLAINTEXT", "CLIENTS:SASL_PLAINTEXT")
    properties.write_text(text + SECURED)
    return command


@pytest.fixture
def clients(tmp_path: Path) -> Iterator[str]:
    """Yields the address of the listener for clients."""
    port = any_free()
    broker = Kafka(tmp_path / "kafka", any_free(), asyncio.run(kafka.prepare(print)), {"CLIENTS": (port, port)})
    broker.session_ms = 60_000
    broker.wrap = lambda command: secured(broker, command)
    process = broker.start()
    try:
        asyncio.run(until(broker.ready, 180))
        asyncio.run(topics.create_missing(broker.bootstrap))
        asyncio.run(topics.wake_coordinator(broker.bootstrap))
        asyncio.run(allow(broker.bootstrap))
        yield f"{LOCAL}:{port}"
    finally:
        asyncio.run(stop(process, broker.stop_by, broker.patience))


async def allow(bootstrap: str) -> None:
    wanted = list(acls())
    assert len(wanted) == 5
    async with topics.Admin(bootstrap) as admin:
        for acl in wanted:
            answer: Any = await admin._send_request(CreateAclsRequest(*acl))
            assert [code for code, _ in answer.creation_responses] == [0], answer
    async with AIOKafkaProducer(bootstrap_servers=bootstrap) as relay:
        await relay.send_and_wait(JOURNAL, b"an event", partition=0)


def signed_in(bootstrap: str, user: str) -> dict[str, Any]:
    return {
        "bootstrap_servers": bootstrap,
        "security_protocol": "SASL_PLAINTEXT",
        "sasl_mechanism": "PLAIN",
        "sasl_plain_username": user,
        "sasl_plain_password": f"of {user}",
    }


@asynccontextmanager
async def producer_of(bootstrap: str, user: str, idempotent: bool = True) -> AsyncIterator[AIOKafkaProducer]:
    async with AIOKafkaProducer(enable_idempotence=idempotent, **signed_in(bootstrap, user)) as producer:
        yield producer


async def refused(doing: Awaitable[Any], error: type[Exception] = TopicAuthorizationFailedError) -> None:
    async with asyncio.timeout(60):
        with pytest.raises(error):
            await doing


async def read(bootstrap: str, user: str, topic: str) -> int:
    """Returns how many records are read of a partition that has some."""
    async with AIOKafkaConsumer(**signed_in(bootstrap, user)) as consumer:
        first = TopicPartition(topic, 0)
        consumer.assign([first])
        consumer.seek(first, 0)
        while not (found := await consumer.getmany(first, timeout_ms=1000)):
            pass
        return len(found[first])


async def visible(bootstrap: str, user: str) -> set[str]:
    """Returns the topics that Kafka shows: those that may be described, without which nothing can be read."""
    async with AIOKafkaConsumer(**signed_in(bootstrap, user)) as consumer:
        topics: set[str] = await consumer.topics()
        return topics


async def read_in_group(bootstrap: str, user: str, group: str) -> set[TopicPartition]:
    options = signed_in(bootstrap, user) | {"group_id": group}
    del options["bootstrap_servers"]
    async with open_consumer(bootstrap, JOURNAL, **options) as consumer:  # closes what was refused at its start
        await consumer.getmany(timeout_ms=1000)
        return set(consumer.assignment())


def test_each_principal_can_do_what_the_table_says_and_nothing_else(clients: str) -> None:
    async def shop() -> None:
        async with producer_of(clients, "shop") as producer:
            await producer.send_and_wait(FACTS, b"value", partition=0)
            for topic in ("crm.intake.forms", JOURNAL, "crm.connections"):
                await refused(producer.send_and_wait(topic, b"value", partition=0))
        assert await visible(clients, "shop") == {FACTS}
        await refused(read(clients, "shop", FACTS))

    async def analyst() -> None:
        assert await visible(clients, "analyst") == {JOURNAL}
        assert await read(clients, "analyst", JOURNAL) == 1
        assert len(await read_in_group(clients, "analyst", "analyst-1")) == 12
        await refused(read_in_group(clients, "analyst", "decide"), GroupAuthorizationFailedError)
        # Who may write nowhere is refused as an idempotent producer already, at its start or at its first record.
        async with producer_of(clients, "analyst", idempotent=False) as producer:
            for topic in (FACTS, JOURNAL):
                await refused(producer.send_and_wait(topic, b"value", partition=0))

    asyncio.run(shop())
    asyncio.run(analyst())

"""Creates the declared topics in Kafka and finds where Kafka differs from the declaration."""

import asyncio
from collections.abc import Iterable, Sequence
from functools import partial

from aiokafka.admin import AIOKafkaAdminClient, NewTopic
from aiokafka.admin.config_resource import ConfigResource, ConfigResourceType
from aiokafka.client import AIOKafkaClient
from aiokafka.errors import GroupCoordinatorNotAvailableError, KafkaError, TopicAlreadyExistsError, for_code
from aiokafka.protocol.metadata import MetadataRequest

from crm.adapters.kafka.address import client_options
from crm.topics import TOPICS, Topic
from services.stack.process import until

PATIENCE = 60.0  # seconds until every broker knows a new topic; a tenth of one on a quiet machine
COMPRESSION, OF_TOPIC = "compression.type", 1  # the source of a setting that was set for the topic itself


async def create_missing(bootstrap: str, replication: int = 1, topics: Iterable[Topic] = TOPICS.values()) -> list[str]:
    """Creates the missing topics and returns their names once every broker knows them. Existing ones stay as they are.

    Raises RuntimeError when Kafka refuses one, or when a broker does not know them in time.
    """
    declared = {topic.name: topic for topic in topics}
    async with Admin(bootstrap) as admin:
        missing = [declared[name] for name in declared.keys() - set(await admin.list_topics())]
        if not missing:
            return []
        wanted = [NewTopic(t.name, t.partitions, replication, topic_configs=t.config) for t in missing]
        answer = await admin.create_topics(wanted)
        for name, code, *_ in answer.topic_errors:
            if code and for_code(code) is not TopicAlreadyExistsError:
                raise RuntimeError(f"Kafka refused the topic {name}: {for_code(code).__name__}. Nothing was changed.")
    names = sorted(topic.name for topic in missing)
    await until(partial(unknown_to_a_broker, bootstrap, names), PATIENCE)
    return names


async def unknown_to_a_broker(bootstrap: str, names: Sequence[str]) -> str | None:
    """Returns which broker does not know which topics, in a sentence; None when all know all.

    The controller answers that a topic is created before the other brokers have heard of it. Until then they describe
    it as a topic without partitions.
    """
    client = AIOKafkaClient(**client_options(bootstrap))
    try:
        await client.bootstrap()
        for broker in client.cluster.brokers():
            described = (await client.send(broker.nodeId, MetadataRequest())).to_object()["topics"]  # of all topics
            known = {topic["topic"] for topic in described if topic["partitions"]}
            if unknown := sorted(set(names) - known):
                return f"The broker {broker.nodeId} does not know the topics {', '.join(unknown)} yet."
    except KafkaError as error:
        return f"A broker does not answer: {error}"
    finally:
        await client.close()
    return None


async def set_compression(bootstrap: str, topics: Iterable[Topic] = TOPICS.values()) -> list[str]:
    """Sets the declared compression of existing topics and returns the names of those that had another one.

    Topics of earlier releases keep what a client sends, also a codec that decide cannot read. Other settings of a topic
    stay: Kafka resets those that an alteration does not name, so all that were ever set are named again.
    """
    declared = {topic.name: topic.config[COMPRESSION] for topic in topics if COMPRESSION in topic.config}
    changed: list[ConfigResource] = []
    async with Admin(bootstrap) as admin:
        existing = [name for name in declared if name in set(await admin.list_topics())]
        described = await admin.describe_configs([ConfigResource(ConfigResourceType.TOPIC, name) for name in existing])
        for answer in described:
            for _, _, _, name, entries in answer.resources:
                own = {entry[0]: entry[1] for entry in entries if entry[3] == OF_TOPIC}
                if own.get(COMPRESSION) != declared[name]:
                    own[COMPRESSION] = declared[name]
                    changed.append(ConfigResource(ConfigResourceType.TOPIC, name, own))
        if changed:
            await admin.alter_configs(changed)
    return sorted(resource.name for resource in changed)


async def wake_coordinator(bootstrap: str) -> None:
    """Makes Kafka create its topic of consumer groups, which it does at the first request about a group.

    Otherwise the first consumer is answered "not available" and waits for seconds.
    """
    async with asyncio.timeout(30), Admin(bootstrap) as admin:
        while True:
            try:
                await admin.find_coordinator("potik")
                return
            except GroupCoordinatorNotAvailableError:
                await asyncio.sleep(0.05)


async def differences(bootstrap: str, topics: Iterable[Topic] = TOPICS.values()) -> list[str]:
    """Returns a sentence for each topic that is missing or differs in partitions or settings."""
    declared = {topic.name: topic for topic in topics}
    async with Admin(bootstrap) as admin:
        existing = set(await admin.list_topics())
        found = [f"The topic {name} is missing: `crm up` creates it." for name in sorted(declared.keys() - existing)]
        present = [name for name in declared if name in existing]
        for described in await admin.describe_topics(present):
            topic, count = declared[described["topic"]], len(described["partitions"])
            if count != topic.partitions:
                found.append(f"The topic {topic.name} has {count} partitions; {topic.partitions} are declared.")
        resources = [ConfigResource(ConfigResourceType.TOPIC, name) for name in present]
        for answer in await admin.describe_configs(resources):
            for _, _, _, name, entries in answer.resources:
                actual = {entry[0]: entry[1] for entry in entries}
                for key, value in declared[name].config.items():
                    if actual.get(key) != value:
                        found.append(f"The topic {name} has {key}={actual.get(key)}; {value} is declared.")
    return found


class Admin:
    """An AIOKafkaAdminClient for one `async with`."""

    def __init__(self, bootstrap: str) -> None:
        self.client = AIOKafkaAdminClient(**client_options(bootstrap))

    async def __aenter__(self) -> AIOKafkaAdminClient:
        await self.client.start()
        return self.client

    async def __aexit__(self, *_: object) -> None:
        await self.client.close()

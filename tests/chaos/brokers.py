"""A Kafka of several brokers: each topic on three of them, and two have a record before it is acknowledged."""

from collections.abc import Sequence
from pathlib import Path

from aiokafka.errors import KafkaError

from services.stack.kafka import Kafka, short_id
from services.stack.ports import LOCAL, any_free
from services.stack.topics import Admin

# Of two lines for one setting, Java reads the last.
REPLICATED = """\
node.id={node}
controller.quorum.voters={voters}
default.replication.factor={copies}
min.insync.replicas={acknowledge}
offsets.topic.replication.factor={copies}
transaction.state.log.replication.factor={copies}
transaction.state.log.min.isr={acknowledge}
share.coordinator.state.topic.replication.factor={copies}
share.coordinator.state.topic.min.isr={acknowledge}
unclean.leader.election.enable=false
"""
COPIES, ACKNOWLEDGE = 3, 2


class Broker(Kafka):
    """One of several, each a broker and a controller. It keeps its ports when it starts again."""

    def __init__(self, data: Path, jars: Path, node: int, cluster: str, controllers: Sequence[int]) -> None:
        """`controllers`: the ports of all controllers, that of node 1 first."""
        super().__init__(data / f"kafka-{node}", any_free(), jars)
        self.name, self.node, self.cluster, self.controllers = f"kafka-{node}", node, cluster, controllers

    def properties(self, controller: int) -> str:
        voters = ",".join(f"{node}@{LOCAL}:{port}" for node, port in enumerate(self.controllers, 1))
        settings = super().properties(self.controllers[self.node - 1])
        return settings + REPLICATED.format(node=self.node, voters=voters, copies=COPIES, acknowledge=ACKNOWLEDGE)

    async def ready(self) -> str | None:
        """Returns what is missing; None when this broker answers and has its place among the others."""
        if missing := await super().ready():
            return missing
        return None if self.node in await alive(self.bootstrap) else f"{self.name} has not joined the others yet"


def brokers(data: Path, jars: Path, count: int = COPIES) -> list[Broker]:
    """Returns brokers of one cluster, not started yet, each with a folder of its own in `data`."""
    cluster, controllers = short_id(), [any_free() for _ in range(count)]
    return [Broker(data, jars, node, cluster, controllers) for node in range(1, count + 1)]


async def alive(bootstrap: str) -> set[int]:
    """Returns the nodes that the controller takes for alive; none when nobody answers."""
    try:
        async with Admin(bootstrap) as admin:
            return {broker["node_id"] for broker in (await admin.describe_cluster())["brokers"]}
    except (KafkaError, OSError):
        return set()


async def behind(bootstrap: str) -> str | None:
    """Returns a partition of which a broker lacks records, in a sentence; None when all have everything."""
    try:
        async with Admin(bootstrap) as admin:
            described = await admin.describe_topics()
    except (KafkaError, OSError) as error:
        return str(error)
    for topic in described:
        for part in topic["partitions"]:
            if lacking := set(part["replicas"]) - set(part["isr"]):
                return f"{topic['topic']}/{part['partition']} is not up to date on {sorted(lacking)}"
    return None

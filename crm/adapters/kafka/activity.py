"""What came to each connection lately, as the replicas of intake publish it on crm.connections.activity, and how its
vendor answered, as the role polling writes it on crm.connections.cursors."""

from collections import defaultdict

import structlog

from crm.adapters.kafka.compacted import CompactedTopic
from crm.connection_activity import Activity, activity_of
from crm.contract.codec import decode
from crm.errors import Malformed
from crm.facts import ConnectionActive, ConnectionPolled
from crm.scalars import Micros
from crm.topics import ACTIVITY, CURSORS

logger = structlog.get_logger()


class ActivityDirectory(CompactedTopic):
    """The newest record of each connection and replica and, with `polled`, of each connection that is polled."""

    topic = ACTIVITY.name

    def __init__(self, polled: bool = True) -> None:
        super().__init__()
        self.also = CURSORS.name if polled else ""
        self.counted: dict[str, dict[str, ConnectionActive]] = defaultdict(dict)  # by connection and replica
        self.polled: dict[str, ConnectionPolled] = {}

    def take(self, key: bytes, value: bytes | None) -> None:
        connection, _, instance = key.decode("utf-8", "replace").partition("/")
        if value is None:
            if instance:
                self.counted[connection].pop(instance, None)
            else:
                self.polled.pop(connection, None)
            return
        try:
            fact = decode(value)
        except Malformed as error:
            logger.error("what a connection did cannot be read", connection=connection, error=str(error))
            return
        if isinstance(fact, ConnectionActive):
            self.counted[fact.connection][fact.instance] = fact
        elif isinstance(fact, ConnectionPolled):
            self.polled[fact.connection] = fact

    def of(self, connection: str, now: Micros) -> Activity:
        """Returns what came to a connection, from all replicas, and how its vendor answered."""
        return activity_of(self.counted.get(connection, {}).values(), now, self.polled.get(connection))

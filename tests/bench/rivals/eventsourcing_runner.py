"""`python -m tests.bench.rivals.eventsourcing_runner BOOTSTRAP TOPIC EVENTS DSN`: the eventsourcing library's runner.

It reads its own event store, so the events are stored there first (not measured), one aggregate a stream.
"""

import asyncio
import os
import sys
import threading
from uuid import UUID

from aiokafka import AIOKafkaConsumer, TopicPartition
from eventsourcing.application import Application
from eventsourcing.domain import Aggregate, event
from eventsourcing.persistence import Tracking
from eventsourcing.popo import POPOTrackingRecorder
from eventsourcing.projection import Projection, ProjectionRunner

from crm.topics import JOURNAL
from tests.bench.rivals.event_store import event_store
from tests.bench.rivals.fold import FoldCounter

bootstrap, topic, wanted, dsn = sys.argv[1], sys.argv[2], int(sys.argv[3]), sys.argv[4]
folded: list[FoldCounter] = []
done = threading.Event()


class Card(Aggregate):
    """One stream; `record_event` keeps an event of ours, undecoded."""

    @event("Recorded")
    def record_event(self, value: str) -> None:
        pass


class Journal(Application[UUID]):
    """Its event store is a table of Postgres."""


class Rows(POPOTrackingRecorder):
    """Tracks the projection's position; the rows are in `folded`."""


class Cards(Projection[Rows]):
    """Folds the events of Journal."""

    name = "cards"

    def process_event(self, domain_event: object, tracking: Tracking) -> None:
        if not folded:
            folded.append(FoldCounter(wanted))
        value = getattr(domain_event, "value", None)  # its class is made by the decorator
        if value is not None and folded[0].take(bytes.fromhex(value)):
            done.set()
        self.view.insert_tracking(tracking)


async def values() -> dict[bytes, list[bytes]]:
    """Returns the first events of the topic by stream."""
    found: dict[bytes, list[bytes]] = {}
    count = 0
    async with AIOKafkaConsumer(bootstrap_servers=bootstrap) as consumer:
        consumer.assign([TopicPartition(topic, n) for n in range(JOURNAL.partitions)])
        await consumer.seek_to_beginning()
        while count < wanted:
            for records in (await consumer.getmany(timeout_ms=1000)).values():
                for record in records[: wanted - count]:
                    found.setdefault(record.key, []).append(record.value)
                    count += 1
    return found


def main() -> None:
    env = event_store(dsn) | {"CARDS_PERSISTENCE_MODULE": "eventsourcing.popo"}
    journal = Journal(env=env)
    for stream in asyncio.run(values()).values():
        card = Card()
        for value in stream:
            card.record_event(value.hex())
        journal.save(card)
    with ProjectionRunner(application_class=Journal, projection_class=Cards, view_class=Rows, env=env):
        done.wait()
        folded[0].print_figures()
        os._exit(0)


if __name__ == "__main__":
    main()

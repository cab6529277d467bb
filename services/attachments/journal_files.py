"""Follows the journal from where it was left and has the files of its events fetched."""

import asyncio

import structlog
from aiokafka import AIOKafkaConsumer, TopicPartition
from msgspec import Struct

from crm import events
from crm.adapters.attachment_store import AttachmentStore
from crm.adapters.kafka.reading import Record, open_consumer
from crm.attachments import Wanted, attachments_of
from crm.contract.codec import decode, type_of
from crm.errors import Malformed
from crm.topics import JOURNAL
from services.attachments.fetching import Fetching

AGAIN_SECONDS = 5.0
MOST = 200  # records of one step: what is fetched again after a crash
FIELDS = frozenset(("attachments", "files", "recording"))
WITH_FILES = frozenset(
    kind
    for kind in vars(events).values()
    if isinstance(kind, type) and issubclass(kind, Struct) and FIELDS & set(kind.__struct_fields__)
)
logger = structlog.get_logger()


class JournalFiles:
    """One reader: two at once fetch everything twice and store it once."""

    def __init__(self, bootstrap: str, store: AttachmentStore, fetching: Fetching, topic: str = JOURNAL.name) -> None:
        self.bootstrap, self.store, self.fetching, self.topic = bootstrap, store, fetching, topic
        self.reads = False

    def missing(self) -> str | None:
        return None if self.reads else "The journal cannot be read yet."

    async def run(self) -> None:
        """Runs until it is cancelled. While Kafka or the store is away it tries again."""
        while True:
            try:
                async with open_consumer(
                    self.bootstrap, self.topic, auto_offset_reset="earliest", fetch_max_wait_ms=500
                ) as consumer:
                    await self.follow(consumer)
            except Exception as error:
                self.reads = False
                logger.warning("files cannot be fetched now; trying again", error=repr(error))
            await asyncio.sleep(AGAIN_SECONDS)

    async def follow(self, consumer: AIOKafkaConsumer) -> None:
        at = await self.store.checkpoint()
        for partition in consumer.partitions_for_topic(self.topic) or ():
            if partition in at:
                consumer.seek(TopicPartition(self.topic, partition), at[partition])
        while True:
            found = await consumer.getmany(timeout_ms=1000, max_records=MOST)
            self.reads = True
            records = [record for batch in found.values() for record in batch]
            if not records:
                continue
            await self.fetching.fetch_all(one for record in records for one in wanted(record))
            at |= {record.partition: record.offset + 1 for record in records}
            await self.store.set_checkpoint(at)


def wanted(record: Record) -> list[Wanted]:
    """Returns the files of a record of the journal."""
    if not record.value or type_of(record.value) not in WITH_FILES:
        return []
    try:
        event = decode(record.value)
    except Malformed as error:
        logger.error("an event cannot be read; its files are not fetched", offset=record.offset, error=str(error))
        return []
    own = event.meta
    fact = own.cause_topic, own.cause_partition, own.cause_offset
    return [Wanted(own.workspace, one, own.source, fact) for one in attachments_of(event)]

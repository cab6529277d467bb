"""One row per delivery that could not be understood and waits for its connector to be mended."""

from crm.envelope import Row
from crm.events import FactQuarantined
from crm.projection import projection
from crm.scalars import Id, Micros


class QuarantineRow(Row, frozen=True, gc=False):
    """An authentic delivery that could not be understood. Its raw bytes lie in Kafka, where the cause says."""

    quarantine_id: Id
    connection: str
    connector: str
    reason: str
    content_type: str
    size: int
    sha256: str
    excerpt: str
    cause_topic: str
    cause_partition: int
    cause_offset: int
    received_at: Micros


@projection(key="quarantine_id", version=1, indexes=("received_at",))
def quarantine(row: None, event: FactQuarantined) -> QuarantineRow | None:
    return QuarantineRow(
        quarantine_id=event.quarantine_id,
        connection=event.meta.source,
        connector=event.connector,
        reason=event.reason,
        content_type=event.content_type,
        size=event.size,
        sha256=event.sha256,
        excerpt=event.excerpt,
        cause_topic=event.meta.cause_topic,
        cause_partition=event.meta.cause_partition,
        cause_offset=event.meta.cause_offset,
        received_at=event.meta.occurred_at,
    )

"""How far consumers are behind: in records, and by the age of the oldest record that they have not taken."""

from collections.abc import Iterable, Mapping

from crm.adapters.telemetry.metrics import LAG_EVENTS, LAG_SECONDS
from streams.runtime.checkpoints import Checkpoint, Partition
from streams.runtime.worker import Fetch

Key = tuple[str, Partition]  # consumer, and where it reads


class Lag:
    """Offsets are dense, so the record at a checkpoint is found in its fetch by counting."""

    def __init__(self) -> None:
        self.waiting: dict[Key, float] = {}  # since when the next record has been there, Unix seconds

    def arrived(self, fetches: Iterable[Fetch], places: Mapping[Key, Checkpoint]) -> None:
        """Before they are handled: notes when the record came that each consumer is to take next."""
        for fetch in fetches:
            for key, at in places.items():
                ahead = at.next_offset - fetch.offset
                if key[1] == Partition(*fetch.tp) and 0 <= ahead < len(fetch.records):
                    self.waiting[key] = fetch.records[ahead].timestamp / 1000

    def tell(self, key: Key, at: Checkpoint, end: int, now: float) -> None:
        """`end`: the offset behind the last record known of. A consumer that stands still grows older all the time."""
        consumer, partition = key
        behind = max(0, end - at.next_offset)
        if not behind:
            self.waiting[key] = now
        # A record that is not fetched yet came just now, or soon after the one that was waited for before.
        since = self.waiting.setdefault(key, now)
        labels = consumer, partition.topic, str(partition.partition)
        LAG_EVENTS.labels(*labels).set(behind)
        LAG_SECONDS.labels(*labels).set(max(0.0, now - since))

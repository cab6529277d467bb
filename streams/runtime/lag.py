"""Lag of consumers: in records, and in seconds as the age of the oldest record not handled yet."""

from collections.abc import Iterable, Mapping

from crm.adapters.telemetry.metrics import LAG_EVENTS, LAG_SECONDS
from streams.runtime.checkpoints import Checkpoint, Partition
from streams.runtime.worker import Fetch

Key = tuple[str, Partition]  # consumer, and where it reads


class Lag:
    """Measures lag. Offsets are dense, so the record at a checkpoint is found in its fetch by counting."""

    def __init__(self) -> None:
        self.waiting: dict[Key, float] = {}  # since when the next record has been there, Unix seconds
        self.none: set[Key] = set()  # whose gauges say that there is no lag

    def note_arrivals(self, fetches: Iterable[Fetch], checkpoints: Mapping[Key, Checkpoint]) -> None:
        """Notes when the next record of each consumer was written. Call it before the fetches are handled."""
        found: dict[tuple[str, int], list[Fetch]] = {}
        for fetch in fetches:
            found.setdefault(fetch.tp, []).append(fetch)
        for key, at in checkpoints.items():
            for fetch in found.get(key[1], ()):
                if 0 <= (ahead := at.next_offset - fetch.offset) < len(fetch.records):
                    self.waiting[key] = fetch.records[ahead].timestamp / 1000

    def report(self, key: Key, at: Checkpoint, end: int, now: float) -> None:
        """Sets the gauges of one consumer. `end`: the offset after the last known record; `now`: Unix seconds.

        The lag in seconds of a halted consumer keeps growing.
        """
        consumer, partition = key
        behind = max(0, end - at.next_offset)
        if not behind:
            self.waiting[key] = now
            if key in self.none:
                return
            self.none.add(key)
        else:
            self.none.discard(key)
        # A record that is not fetched yet is new, or came soon after the one that the consumer waited for before.
        since = self.waiting.setdefault(key, now)
        labels = consumer, partition.topic, str(partition.partition)
        LAG_EVENTS.labels(*labels).set(behind)
        LAG_SECONDS.labels(*labels).set(max(0.0, now - since))

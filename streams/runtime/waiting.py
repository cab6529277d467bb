"""Fetches that wait for a transaction: what somebody waits for goes before what comes in bulk."""

import time
from collections import deque
from collections.abc import Collection, Sequence

from streams.runtime.worker import Fetch

SOME = 16  # records of a transaction that shows that there is much to do
ENOUGH = 500  # records after which a transaction takes no further fetches
BITE = 200  # of a patient topic after which a transaction takes no further fetches, as long as others come too
RECENTLY = 1.0  # seconds
MOST = 32_000_000  # bytes of patient topics that are held here
ROOM = 4_000_000  # bytes of all others: many transactions; what comes after them waits in Kafka
OVERHEAD = 600  # bytes of a record in addition to its value


def rest(fetches: Sequence[Fetch], took: float, pace: float) -> float:
    """Returns the seconds until the next transaction, after one that took so many: so that it has more records. None
    where little is to do, and none where a whole batch waits anyway."""
    return max(0.0, pace - took) if SOME <= sum(len(one.records) for one in fetches) < ENOUGH else 0.0


class Waiting:
    """Keeps the order of each topic, and no more than there is room for: the rest waits in Kafka. `patient`: topics
    that have every other transaction, and let all others pass as long as no more than MOST of them waits."""

    def __init__(self, patient: Collection[str] = ()) -> None:
        self.patient = patient
        self.first, self.later = deque[tuple[Fetch, int]](), deque[tuple[Fetch, int]]()  # with their bytes
        self.held = {True: 0, False: 0}  # bytes of patient topics, and of all others
        self.passed = False  # the last transaction was not of a patient topic
        self.seen_at = float("-inf")  # when something came that is not patient

    def __bool__(self) -> bool:
        return bool(self.first or self.later)

    @property
    def has_room(self) -> bool:
        return self.held[True] < MOST and self.held[False] < ROOM

    def add(self, fetch: Fetch) -> None:
        patient, size = fetch.topic in self.patient, size_of(fetch)
        self.held[patient] += size
        if patient:
            self.later.append((fetch, size))
        else:
            self.first.append((fetch, size))
            self.seen_at = time.monotonic()

    def take(self) -> list[Fetch]:
        """Returns the fetches of the next transaction: of patient topics, or of all others."""
        patient = bool(self.later) and (self.passed or not self.first)
        self.passed = not patient
        enough = BITE if patient and time.monotonic() - self.seen_at < RECENTLY else ENOUGH
        taken, count, queue = list[Fetch](), 0, self.later if patient else self.first
        while queue and count < enough:
            fetch, size = queue.popleft()
            taken.append(fetch)
            count += len(fetch.records)
            self.held[patient] -= size
        return taken


def size_of(fetch: Fetch) -> int:
    return sum(OVERHEAD + len(record.value or b"") for record in fetch.records)

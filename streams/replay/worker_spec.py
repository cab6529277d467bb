"""What a worker process of a replay gets: what to read, what to fold, where to write."""

import msgspec

from streams.replay.options import EventFilter

MEMORY = 1 << 30  # bytes of rows that later events may change, of all processes together


class ReplaySpec(msgspec.Struct):
    """A replay's streams.rebuild.workers.WorkerSpec."""

    file: str  # that declares the projections
    folder: str  # for the parts
    names: tuple[str, ...]  # of the projections to fold
    until: dict[int, int]  # by partition: the position to stop before
    topic: str
    bootstrap: str = ""  # of Kafka; empty: read only the archive
    archive: str = ""
    events: EventFilter = EventFilter()
    everything: bool = False  # decode all fields, also those that no fold reads
    skip_unknown: bool = False
    budget: int = MEMORY  # of one process
    worker: str = "streams.replay.worker"
    kept: str = "Nothing was written."

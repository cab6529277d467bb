"""What a worker process of a rebuild gets: where to read, what to fold, where to write."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import msgspec

from crm.errors import Malformed
from crm.projection import Projection
from projections import PROJECTIONS
from streams.rebuild.projection_file import projections_in


class RebuildSpec(msgspec.Struct):
    """A rebuild's workers.WorkerSpec. Offsets are of the topic, positions of the journal."""

    bootstrap: str
    topic: str
    dsn: str
    schema: str  # in Postgres
    projections: tuple[str, ...]
    until: dict[int, int]  # by partition: the position to stop before
    file: str = ""  # that declares the projections; empty: the built-in ones
    archive: str = ""  # a folder: what it holds is not read from Kafka
    budget: int = 1 << 30  # bytes of rows in memory
    everything: bool = False  # decode all fields, also those that no fold reads
    worker: str = "streams.rebuild.worker"  # the module to run
    kept: str = "Nothing was swapped."


def load_projections(names: Sequence[str], file: str = "", schema: str = "read") -> list[Projection[Any]]:
    """Returns these projections with tables in `schema`. Raises Malformed for a bad file or an unknown name."""
    known = projections_in(file) if file else PROJECTIONS
    if missing := [name for name in names if name not in known]:
        raise Malformed(f"There is no projection {', '.join(missing)}. There are: {', '.join(known)}.")
    return [replace(known[name], schema=schema) for name in names]

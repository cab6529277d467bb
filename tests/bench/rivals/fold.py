"""The same work for every rival: decode an event and fold it into deal and contact, in memory."""

import json
import os
import time

from crm.contract.codec import decode
from crm.envelope import Row
from projections import PROJECTIONS

FOLDS = [PROJECTIONS["deal"], PROJECTIONS["contact"]]


class FoldCounter:
    """Folds and counts; `print_figures` prints the figures from the first event to the last."""

    def __init__(self, wanted: int) -> None:
        self.wanted, self.count = wanted, 0
        self.rows: list[dict[tuple[str, str], Row | None]] = [{} for _ in FOLDS]
        self.began = time.perf_counter()

    def take(self, value: bytes) -> bool:
        """Folds one event. Returns whether it was the last."""
        event = decode(value)
        for rows, projection in zip(self.rows, FOLDS, strict=True):
            if type(event) in projection.handles:
                key = event.meta.workspace, projection.key_of(event)
                rows[key] = projection.fold(rows.get(key), event)
        self.count += 1
        return self.count >= self.wanted

    def print_figures(self) -> None:
        seconds = time.perf_counter() - self.began
        rows = sum(map(len, self.rows))
        found = {"events": self.count, "rows": rows, "seconds": seconds, "events_per_second": self.count / seconds}
        os.write(1, json.dumps(found).encode() + b"\n")  # Faust takes sys.stdout for its log

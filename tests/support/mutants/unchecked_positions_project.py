"""A project role with an injected duplicate: it folds every record, not only `position = last + 1`."""

import runpy
from collections.abc import Sequence

from streams.runtime import checkpoints
from streams.runtime.checkpoints import Checkpoint, Record


def position_in(record: Record) -> int:
    return int(dict(record.headers)["position"])


def unchecked(records: Sequence[Record], at: Checkpoint, positioned: bool) -> tuple[list[Record], Checkpoint]:
    todo = [record for record in records if record.offset >= at.next_offset]
    if not todo:
        return [], at
    return todo, Checkpoint(todo[-1].offset + 1, max(at.position, *map(position_in, todo)))


if __name__ == "__main__":
    checkpoints.select_new = unchecked
    runpy.run_module("streams.project", run_name="__main__")

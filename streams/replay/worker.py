"""`python -m streams.replay.worker`: folds partitions into parts. Speaks the protocol of streams.rebuild.worker."""

import asyncio
import gc
from collections.abc import Sequence
from typing import Any

import msgspec
from aiokafka.errors import KafkaError

from crm.errors import CrmError
from streams.rebuild.fold.field_pruning import UnreadField
from streams.rebuild.projection_file import projections_in
from streams.rebuild.worker import FoldGroup, GroupDone, send, serve
from streams.replay.fold_partition import fold_partition
from streams.replay.worker_spec import ReplaySpec


def failure(error: BaseException) -> dict[str, Any]:
    """Returns the last message of the process."""
    match error:
        case UnreadField():
            return {"failed": "a fold reads a field that was not found in its code", "everything": True}
        case CrmError():
            return {"failed": str(error)}
        case KafkaError():
            return {"failed": f"Kafka: {error!r}. Nothing was written. Run it again."}
    return {"failed": f"{error!r}. Nothing was written. This is a bug: please report it."}


async def prepare(line: bytes) -> FoldGroup:
    """Imports the projections of the file that the spec names."""
    spec = msgspec.json.decode(line, type=ReplaySpec)
    known = projections_in(spec.file, "Nothing was read.")
    projections = [known[name] for name in spec.names]

    async def group(partitions: Sequence[int]) -> GroupDone:
        (partition,) = partitions
        rows, unknown = await fold_partition(spec, projections, partition, lambda count: send({"read": count}))
        return GroupDone((partition,), {}, rows, unknown)

    return group


if __name__ == "__main__":
    gc.disable()  # rows and events have no reference cycles, and there are millions
    asyncio.run(serve(prepare, failure))

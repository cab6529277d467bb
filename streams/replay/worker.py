"""`python -m streams.replay.worker`: folds partitions into parts; it is ordered about as streams.rebuild.worker is."""

import asyncio
import gc
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import msgspec
from aiokafka.errors import KafkaError

from crm.errors import CrmError
from streams.rebuild.fold.field_pruning import UnreadField
from streams.rebuild.worker import Done, Group, obey, tell
from streams.replay.file import declared
from streams.replay.order import Order, fold_partition


def failure(error: BaseException) -> dict[str, Any]:
    match error:
        case UnreadField():
            return {"failed": "a fold reads a field that was not found in its code", "everything": True}
        case CrmError():
            return {"failed": str(error)}
        case KafkaError():
            return {"failed": f"Kafka: {error!r}. Nothing was written. Run it again."}
    return {"failed": f"{error!r}. Nothing was written; this should not happen."}


async def prepared(told: bytes) -> Group:
    order = msgspec.json.decode(told, type=Order)
    known = declared(Path(order.file))
    projections = [known[name] for name in order.names]

    async def group(partitions: Sequence[int]) -> Done:
        (partition,) = partitions
        rows, unknown = await fold_partition(order, projections, partition, lambda count: tell({"read": count}))
        return Done((partition,), {}, rows, unknown)

    return group


if __name__ == "__main__":
    gc.disable()  # rows and events hold no cycles, and there are millions
    asyncio.run(obey(prepared, failure))

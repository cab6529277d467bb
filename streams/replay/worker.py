"""`python -m streams.replay.worker`: folds partitions into parts; it is ordered about as streams.rebuild.worker is."""

import asyncio
import gc
import os
import threading
from pathlib import Path
from typing import Any

import msgspec
from aiokafka.errors import KafkaError

from crm.errors import CrmError
from streams.rebuild.reads import UnreadField
from streams.rebuild.worker import Done, end_with_parent, tell
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


async def main() -> None:
    lines: asyncio.Queue[bytes] = asyncio.Queue()
    threading.Thread(target=end_with_parent, args=(lines, asyncio.get_running_loop()), daemon=True).start()
    try:
        order = msgspec.json.decode(await lines.get(), type=Order)
        known = declared(Path(order.file))
        projections = [known[name] for name in order.names]
        while True:
            (partition,) = msgspec.json.decode(await lines.get(), type=list[int])
            rows, unknown = await fold_partition(order, projections, partition, lambda count: tell({"read": count}))
            tell({"done": msgspec.to_builtins(Done((partition,), {}, rows, unknown))})
    except Exception as error:
        tell(failure(error))
        os._exit(1)


if __name__ == "__main__":
    gc.disable()  # rows and events hold no cycles, and there are millions
    asyncio.run(main())

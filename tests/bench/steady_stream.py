"""`python -m tests.bench.steady_stream BOOTSTRAP WORKSPACE RATE`: sends mixed facts to Kafka until it is ended.

They are always about new customers, so that no contact grows without end.
"""

import asyncio
import sys

from crm.scalars import Id
from tests.bench.overload import in_parts
from tests.bench.streaming import send
from tests.support.workload.facts import kafka_record, mixed_facts

PART = 10  # seconds of facts that one producer sends
ENDLESS = 1 << 31


async def stream(bootstrap: str, workspace: Id, rate: int) -> None:
    for part in in_parts(map(kafka_record, mixed_facts(workspace, ENDLESS)), rate * PART):
        await send(bootstrap, part, rate, lambda _: None)


if __name__ == "__main__":
    asyncio.run(stream(sys.argv[1], Id(sys.argv[2]), int(sys.argv[3])))

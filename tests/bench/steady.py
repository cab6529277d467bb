"""`python -m tests.bench.steady BOOTSTRAP WORKSPACE RATE`: mixed facts straight to Kafka, until it is ended."""

import asyncio
import sys
from collections.abc import Iterator
from zlib import crc32

from crm.contract.codec import encode
from crm.scalars import Id
from crm.topics import FAMILIES, TOPICS
from tests.bench.mixture import mixed
from tests.bench.overload import Ready, parts
from tests.bench.streamed import send

PART = 10  # seconds of facts that one producer sends
ENDLESS = 1 << 31


def facts(workspace: Id) -> Iterator[Ready]:
    """Always of new people: nobody's card grows without end."""
    for fact in mixed(workspace, ENDLESS):
        topic, key = TOPICS[FAMILIES[type(fact)]], fact.meta.stream.encode()
        yield topic.name, crc32(key) % topic.partitions, key, encode(fact)


async def stream(bootstrap: str, workspace: Id, rate: int) -> None:
    for part in parts(facts(workspace), rate * PART):
        await send(bootstrap, part, rate, lambda _: None)


if __name__ == "__main__":
    asyncio.run(stream(sys.argv[1], Id(sys.argv[2]), int(sys.argv[3])))

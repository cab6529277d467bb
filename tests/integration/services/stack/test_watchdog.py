"""Where Faust stops without saying so: each such place is made to happen, and the role ends or mends itself.

docs/reliability.md lists them. A role that ends is started again by its supervisor, here by the test.
"""

import asyncio
from collections import Counter

from services.stack.process import ended
from tests.support.counted_topic import CHUNK, CountedTopic
from tests.support.timeouts import TIMEOUT

ALL = Counter({str(n): 1 for n in range(CHUNK)})


async def exit_code(counted: CountedTopic) -> int:
    async with asyncio.timeout(TIMEOUT):
        return await ended(counted.workers[1])


def goes_on(counted: CountedTopic, plant: str, why: str) -> None:
    """The planted worker ends with that sentence; the one that is started in its place takes every record once."""

    async def run() -> int:
        await counted.create_topic()
        counted.start(1, plant)
        await counted.produce(0)
        code = await exit_code(counted)
        counted.start(1)
        await counted.wait_for_count(CHUNK)
        return code

    assert asyncio.run(run()) == 1
    assert why in counted.log(1).read_text()
    assert counted.effects() == ALL


def test_a_transaction_that_hangs_ends_the_role(counted: CountedTopic) -> None:
    """Both servers answer and records wait, but nothing is tried."""
    goes_on(counted, "hang", "has tried nothing for 3 s though records wait")


def test_a_first_seek_that_takes_too_long_ends_the_role(counted: CountedTopic) -> None:
    """Faust's recovery took it for a stop, and the worker idled forever."""
    goes_on(counted, "slow-seek", "crashed")


def test_an_error_of_the_group_ends_the_role(counted: CountedTopic) -> None:
    """A member with another assignor holds the group: aiokafka keeps the error until asked, and Faust never asks."""

    async def run() -> int:
        await counted.create_topic()
        await counted.produce(0)
        counted.start(2, module="tests.support.group_member")
        await counted.wait_for_output(2, "it holds the group")
        counted.start(1)
        code = await exit_code(counted)
        counted.kill(2)
        del counted.workers[2]
        counted.start(1)
        await counted.wait_for_count(CHUNK)
        return code

    assert asyncio.run(run()) == 1
    assert "InconsistentGroupProtocolError" in counted.log(1).read_text()
    assert counted.effects() == ALL


def test_fetches_that_were_lost_on_the_way_are_read_again(counted: CountedTopic) -> None:
    """A later record shows the gap; after the last one nothing does, so an idle worker checks its checkpoints."""

    async def run() -> None:
        await counted.create_topic()
        counted.start(1, "skip")
        await counted.produce(0)
        await counted.wait_for_count(CHUNK)

    asyncio.run(run())
    assert counted.effects() == ALL

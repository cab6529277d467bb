"""The merged journal is complete, or the simulation is refused."""

import asyncio
from typing import Any

import pytest

from crm.adapters.archive.container import ArchivedRecord
from crm.contract.codec import encode
from crm.errors import Broken
from services.operations.whatif.merge_order import in_recorded_order
from tests.support.scenarios import RULES


class OnePartition:
    """Records of partition 0, read as by a PartitionReader."""

    def __init__(self, *positions: int) -> None:
        headers = [[("position", str(position).encode())] for position in positions]
        self.records = [ArchivedRecord(n, 0, b"", encode(RULES[0]), header) for n, header in enumerate(headers)]

    async def next(self, topic: str, partition: int) -> ArchivedRecord | None:
        return self.records.pop(0) if partition == 0 and self.records else None


async def read(reader: Any) -> int:
    return len([event async for event in in_recorded_order(reader, lambda _: None)])


def test_what_the_relay_repeated_is_left_out() -> None:
    assert asyncio.run(read(OnePartition(0, 1, 0, 1, 2))) == 3


@pytest.mark.parametrize(("positions", "missing"), [((7, 8), 0), ((0, 1, 3), 2)])
def test_a_journal_without_its_beginning_or_with_a_hole_is_refused(positions: tuple[int, ...], missing: int) -> None:
    """The bug: a trial on a Kafka whose oldest events were gone said that there were no deals."""
    with pytest.raises(Broken, match=rf"does not have position {missing} of journal partition 0\. Nothing was tried"):
        asyncio.run(read(OnePartition(*positions)))

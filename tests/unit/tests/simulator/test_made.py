"""What a vendor's deliveries become is counted the same in each order that topics and partitions may be read in."""

from collections import defaultdict
from dataclasses import replace
from itertools import product
from random import Random

import pytest

from crm.envelope import Event, Fact
from tests.simulator.runs import facts_of, made
from tests.simulator.samples import groups
from tests.support.reference_run import TENANTS, events, opened

ORDERS = 4
SHOP = TENANTS[0].workspace


def decided(vendor: str, seed: int) -> list[Event]:
    """Decides all its samples, of connections of one workspace, in an order that keeps that of each stream."""
    streams: dict[str, list[Fact]] = defaultdict(list)
    for sample in (sample for group in groups()[vendor] for sample in group.samples):
        for fact in facts_of(sample.sent(), replace(sample.connection, workspace=SHOP)):
            streams[fact.meta.stream].append(fact)
    turns = [stream for stream, of in streams.items() for _ in of]
    Random(seed).shuffle(turns)
    memory = opened()
    before = len(memory.journal)
    for stream in turns:
        memory.take(streams[stream].pop(0))
    return memory.journal[before:]


@pytest.mark.parametrize("vendor", groups())
def test_no_order_of_streams_changes_it(vendor: str) -> None:
    assert len({made(decided(vendor, seed)) for seed in range(ORDERS)}) == 1


def test_two_vendors_show_that_the_order_changes_the_events_themselves() -> None:
    """Else the test above would say nothing."""
    orders = product(("ring", "jivo"), range(ORDERS))
    assert len({(vendor, len(decided(vendor, seed))) for vendor, seed in orders}) > 2


def test_an_event_that_is_lost_is_missed() -> None:
    assert made(events()[1:]) == made(events()) - 1

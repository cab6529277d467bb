"""Merges the journal's partitions into one order: that in which facts were decided, as far as it is recorded."""

import heapq
from collections import defaultdict
from collections.abc import AsyncIterator, Callable, Iterable
from graphlib import TopologicalSorter
from itertools import pairwise

from crm.adapters.kafka.journal_log import position_of
from crm.contract.codec import decode, type_of
from crm.envelope import Event
from crm.errors import Broken
from crm.events import DealOpened
from crm.scalars import Id
from crm.topics import JOURNAL
from services.operations.whatif.partition_reader import PartitionReader

Advance = Callable[[int], None]
Placed = tuple[int, Event]  # with its journal partition


async def in_recorded_order(journal: PartitionReader, advance: Advance) -> AsyncIterator[Event]:
    """Yields events by time of recording. Those of one time were decided in one batch and come fact by fact."""
    moment: list[Placed] = []
    async for placed in merged(journal, advance):
        if moment and moment[0][1].meta.recorded_at != placed[1].meta.recorded_at:
            for event in in_causal_order(moment):
                yield event
            moment = []
        moment.append(placed)
    for event in in_causal_order(moment):
        yield event


async def merged(journal: PartitionReader, advance: Advance) -> AsyncIterator[Placed]:
    """Yields events by time of recording, in order per partition. Skips repeats of the relay and unknown schemas.

    Raises Broken when Kafka does not have the whole journal.
    """
    at = dict.fromkeys(range(JOURNAL.partitions), 0)

    async def following(partition: int) -> Event | None:
        while (record := await journal.next(JOURNAL.name, partition)) is not None:
            advance(1)
            if position_of(record) > at[partition]:
                raise Broken(
                    f"Kafka does not have position {at[partition]} of journal partition {partition}. "
                    "Nothing was tried. Load a complete archive into another Kafka (`crm archive load`) "
                    "and try it there."
                )
            if position_of(record) == at[partition]:
                at[partition] += 1
                if type_of(record.value):
                    event: Event = decode(record.value)
                    return event
        return None

    heap = [(e.meta.recorded_at, p, e) for p in at if (e := await following(p)) is not None]
    heapq.heapify(heap)
    while heap:
        _, partition, event = heap[0]
        yield partition, event
        if (next_event := await following(partition)) is not None:
            heapq.heapreplace(heap, (next_event.meta.recorded_at, partition, next_event))
        else:
            heapq.heappop(heap)


def in_causal_order(moment: Iterable[Placed]) -> list[Event]:
    """Orders one batch by journal partition, by intake partition and by the numbers of deals."""
    sequences: defaultdict[object, list[tuple[int, Id]]] = defaultdict(list)
    events: defaultdict[Id, list[Event]] = defaultdict(list)
    for number, (partition, event) in enumerate(moment):
        cause = event.meta.cause
        events[cause].append(event)
        sequences[partition].append((number, cause))
        sequences[event.meta.cause_topic, event.meta.cause_partition].append((event.meta.cause_offset, cause))
        if isinstance(event, DealOpened):
            sequences["deals", event.meta.workspace].append((event.number, cause))
    if len(events) == 1:
        return [event for some in events.values() for event in some]
    before: TopologicalSorter[Id] = TopologicalSorter({cause: () for cause in events})
    for sequence in sequences.values():
        ordered = [cause for _, cause in sorted(sequence, key=lambda item: item[0])]
        for earlier, later in pairwise(ordered):
            if earlier != later:
                before.add(later, earlier)
    return [event for cause in before.static_order() for event in events[cause]]

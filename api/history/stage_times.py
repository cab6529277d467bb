"""How long deals stood in each stage, from the events that moved them: a funnel with its times."""

import time
from collections import defaultdict
from collections.abc import Iterable, Sequence
from datetime import datetime
from statistics import median, quantiles
from typing import Any

import strawberry
from msgspec import Struct

from api.context import Info
from api.errors import TooSlow
from api.history.past_rows import SNAPSHOT
from api.schema.scalars import Long
from api.sql.database import translate_errors
from crm.adapters.postgres import history
from crm.envelope import now
from crm.events import DealOpened, DealStageMoved
from crm.moments import micros
from crm.scalars import Id, Micros

PATIENCE = 15.0  # seconds that one operation may read
SECOND = 1_000_000
TOO_SLOW = (
    "After {:g} s more of the history is left, so nothing was answered. `crm replay` makes a table of any length."
)
ABOUT = (
    "The stages through which the deals went that were opened in a span of time, and how long they stood in each. "
    "Read from the events, so it is exact also for deals that went back and forth."
)


@strawberry.type(description="A stage, over the deals that were opened in a span of time.")
class StageTime:
    stage: str = strawberry.field(description="Key of the stage.")
    deals: Long = strawberry.field(description="Deals that were in it at least once.")
    there: Long = strawberry.field(description="Of these, those that are in it now.")
    stays: Long = strawberry.field(description="Stays that ended: a deal that came back stayed twice.")
    median_s: float | None = strawberry.field(description="Median seconds of the stays that ended; null without one.")
    longest_tenth_s: float | None = strawberry.field(
        description="A tenth of the stays that ended took at least so many seconds; null without one."
    )
    waiting_s: float | None = strawberry.field(
        description="Median seconds for which those that are in it now have been there; null without one."
    )


class Stay(Struct, gc=False):
    """Where a deal stands, and since when."""

    stage: str
    since: Micros


class StageTimes:
    """Collects stays from events, each deal's in their order. `begin` and `end`: of when deals were opened."""

    def __init__(self, begin: Micros | None, end: Micros | None) -> None:
        self.begin, self.end = begin, end
        self.at: dict[Id, Stay] = {}
        self.deals: defaultdict[str, set[Id]] = defaultdict(set)
        self.stays: defaultdict[str, list[float]] = defaultdict(list)

    def take(self, events: Iterable[Any]) -> None:
        for event in events:
            at, id = event.meta.occurred_at, event.deal_id
            match event:
                case DealOpened() if self.within(at) and id not in self.at:
                    self.enter(id, event.stage, at)
                case DealStageMoved() if id in self.at:
                    before = self.at[id]
                    self.stays[before.stage].append(max(0, at - before.since) / SECOND)  # a report may come late
                    self.enter(id, event.stage, at)

    def within(self, at: Micros) -> bool:
        return (self.begin is None or at >= self.begin) and (self.end is None or at < self.end)

    def enter(self, id: Id, stage: str, at: Micros) -> None:
        self.deals[stage].add(id)
        self.at[id] = Stay(stage, at)

    def found(self, at: Micros) -> list[StageTime]:
        """Returns every stage that a deal was in, in alphabetical order. `at`: this moment."""
        there: defaultdict[str, list[float]] = defaultdict(list)
        for one in self.at.values():
            there[one.stage].append(max(0, at - one.since) / SECOND)
        return [
            StageTime(
                stage=stage,
                deals=Long(len(ids)),
                there=Long(len(there[stage])),
                stays=Long(len(self.stays[stage])),
                median_s=middle(self.stays[stage]),
                longest_tenth_s=longest_tenth(self.stays[stage]),
                waiting_s=middle(there[stage]),
            )
            for stage, ids in sorted(self.deals.items())
        ]


def middle(seconds: Sequence[float]) -> float | None:
    return round(median(seconds), 3) if seconds else None


def longest_tenth(seconds: Sequence[float]) -> float | None:
    if not seconds:
        return None
    return round(quantiles(seconds, n=10, method="inclusive")[-1] if len(seconds) > 1 else seconds[0], 3)


async def stage_times(_: Any, info: Info, from_: datetime | None = None, to: datetime | None = None) -> list[StageTime]:
    """Raises TooSlow."""
    reads = info.context.reads
    times = StageTimes(micros(from_) if from_ else None, micros(to) if to else None)
    ends = time.monotonic() + PATIENCE
    async with reads.one_by_one, reads.pool.folding:
        with translate_errors():
            async with reads.pool.reading(reads.workspace) as connection, connection.transaction():
                await connection.execute(SNAPSHOT)
                pages = history.pages(connection, (DealOpened, DealStageMoved), Id(reads.workspace))
                async for events in pages:
                    if time.monotonic() > ends:
                        raise TooSlow(TOO_SLOW.format(PATIENCE))
                    times.take(events)
    return times.found(now())

"""The scene of a fault: it is injected again and again, and each recovery is timed."""

import asyncio
import random
from collections.abc import Callable, Sequence

from crm.decisions.delivery import NOBODY
from crm.envelope import named_id
from tests.chaos.deliveries import Shop
from tests.chaos.faults import Fault
from tests.chaos.ledger import Kind
from tests.chaos.load import Load
from tests.chaos.pulse import Look, Pulse, recovered
from tests.chaos.stand import Stand

CALM = 1.0, 3.0  # seconds between a recovery and the next injection
PATIENCE = 120.0  # seconds for one recovery


class Acts:
    """What has been done to a stand. Injections get it as their Scene."""

    def __init__(
        self, fault: Fault, stand: Stand, shops: Sequence[Shop], load: Load, pulse: Pulse, choices: random.Random
    ) -> None:
        self.fault, self.stand, self.shops, self.load = fault, stand, shops, load
        self.pulse, self.choices = pulse, choices
        self.recoveries: list[float] = []  # seconds
        self.broken: list[str] = []
        self.slowest = ""  # what was the last to move in the slowest recovery
        self.recovering: asyncio.Task[tuple[float, str, str]] | None = None

    @property
    def acked(self) -> int:
        return self.load.acked

    @property
    def over(self) -> bool:
        return self.acked >= self.load.facts

    async def struck(self, at: float) -> None:
        before = await self.pulse.look()
        everywhere = self.fault.everywhere
        watching = recovered(self.pulse, before, at, self.unready, lambda: self.over, PATIENCE, everywhere)
        self.recovering = asyncio.create_task(watching)

    async def look(self) -> Look:
        return await self.pulse.look()

    def poisoned(self, topic: str, partition: int, offset: int) -> None:
        id = named_id(NOBODY, f"{topic}/{partition}/{offset}")
        self.load.ledger.take(id, Kind("DeliveryQuarantined", NOBODY))

    def expect(self, held: bool, sentence: str) -> None:
        if not held and sentence not in self.broken:
            self.broken.append(sentence)

    async def unready(self) -> str | None:
        """None when one api answers that it is ready."""
        said = [await part.ready() for part in self.stand.replicas("api")]
        return None if None in said else f"api: {said[0]}"

    async def inject(self) -> None:
        """Once, and until everything moves again."""
        self.recovering = None
        await self.fault.inject(self)
        if self.recovering is None:
            assert self.over, f"{self.fault.name} did not strike while there was load"
            return
        seconds, missing, last = await self.recovering
        if seconds >= max(self.recoveries, default=0.0):
            self.slowest = last
        self.recoveries.append(seconds)
        self.expect(not missing, f"not recovered after {seconds:.0f} s: {missing}")

    async def while_loaded(self, loading: asyncio.Task[None], told: Callable[[str], None]) -> None:
        """Again and again, until the load is over. Raises what the load raises."""
        told(f"loads {self.load.rate:,} facts/s")
        while True:
            await asyncio.wait([loading], timeout=self.choices.uniform(*CALM))
            if loading.done():
                return loading.result()
            await self.inject()
            told(f"{self.acked:,} facts, {len(self.recoveries)} injections, recovered in {self.recoveries[-1:]} s")

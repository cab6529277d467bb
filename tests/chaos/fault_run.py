"""Runs a fault: it is injected again and again, and each recovery is timed."""

import asyncio
import random
import time
from collections.abc import Callable, Sequence

from crm.decisions.delivery import NOBODY
from crm.envelope import named_id
from tests.chaos.cluster import Cluster
from tests.chaos.faults import Fault
from tests.chaos.load import Load
from tests.chaos.progress_probe import ProgressProbe, Snapshot, time_to_recovery
from tests.support.workload.deliveries import Tenant
from tests.support.workload.ledger import FactKind

CALM = 1.0, 3.0  # seconds between a recovery and the next injection
PATIENCE = 120.0  # seconds for one recovery
MOST = 15  # injections; then the load ends undisturbed, which it would not on a machine that recovers slowly
TIMES = 2  # what the load takes undisturbed; then too, as nothing is acknowledged while a server is away for a minute


class FaultRun:
    """One fault on one cluster. Injections get it as their FaultContext."""

    def __init__(
        self,
        fault: Fault,
        cluster: Cluster,
        tenants: Sequence[Tenant],
        load: Load,
        probe: ProgressProbe,
        choices: random.Random,
    ) -> None:
        self.fault, self.cluster, self.tenants, self.load = fault, cluster, tenants, load
        self.probe, self.choices = probe, choices
        self.recoveries: list[float] = []  # seconds
        self.broken: list[str] = []
        self.slowest = ""  # who was waited for, and how long, in the slowest recovery
        self.recovering: asyncio.Task[tuple[float, str, str]] | None = None

    @property
    def acked(self) -> int:
        return self.load.acked

    @property
    def over(self) -> bool:
        return self.acked >= self.load.facts

    async def injected(self, at: float) -> None:
        before = await self.probe.snapshot()
        everywhere = self.fault.everywhere
        watching = time_to_recovery(self.probe, before, at, self.unready, lambda: self.over, PATIENCE, everywhere)
        self.recovering = asyncio.create_task(watching)

    async def snapshot(self) -> Snapshot:
        return await self.probe.snapshot()

    def expect_quarantined(self, topic: str, partition: int, offset: int) -> None:
        id = named_id(NOBODY, f"{topic}/{partition}/{offset}")
        self.load.ledger.take(id, FactKind("DeliveryQuarantined", NOBODY))

    def expect(self, held: bool, sentence: str) -> None:
        if not held and sentence not in self.broken:
            self.broken.append(sentence)

    async def unready(self) -> str | None:
        """Returns None when at least one API is ready."""
        said = [await part.ready() for part in self.cluster.replicas("api")]
        return None if None in said else f"api: {said[0]}"

    async def inject(self) -> None:
        """Injects the fault once and waits for the recovery."""
        self.recovering = None
        await self.fault.inject(self)
        if self.recovering is None:
            assert self.over, f"{self.fault.name} did not strike while there was load"
            return
        seconds, missing, waits = await self.recovering
        if seconds >= max(self.recoveries, default=0.0):
            self.slowest = waits
        self.recoveries.append(seconds)
        self.expect(not missing, f"not recovered after {seconds:.0f} s: {missing}")

    async def while_loaded(self, loading: asyncio.Task[None], report: Callable[[str], None]) -> None:
        """Injects the fault repeatedly until the load ends, MOST times at most. Raises what the load raises."""
        report(f"loads {self.load.rate:,} facts/s")
        until = time.monotonic() + TIMES * self.load.facts / self.load.rate
        while True:
            await asyncio.wait([loading], timeout=self.choices.uniform(*CALM))
            if loading.done():
                return loading.result()
            if not self.recoveries or (len(self.recoveries) < MOST and time.monotonic() < until):
                await self.inject()
            report(f"{self.acked:,} facts, {len(self.recoveries)} injections, recovered in {self.recoveries[-1:]} s")

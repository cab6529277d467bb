"""The vendors: send deliveries at a steady rate over a few connections and retry until acknowledged."""

import asyncio
import contextlib
from collections.abc import Sequence

from crm.errors import Broken
from tests.support.workload.batches import Batch, batches, ids_of
from tests.support.workload.deliveries import Delivery, Tenant
from tests.support.workload.delivery_stream import delivery_stream
from tests.support.workload.http_client import HttpConnection
from tests.support.workload.ledger import Ledger

TICK = 0.05  # seconds between bursts
UNACKED = 3.0  # seconds of load that may wait for an acknowledgement; then nothing new is sent
CONNECTIONS = 8
AGAIN = 0.2  # seconds before what was not acknowledged is sent again


class Load:
    """Sends `rate` distinct facts a second until `facts` are acknowledged. `ledger` has the acknowledged ones."""

    def __init__(self, intake_urls: Sequence[str], tenants: Sequence[Tenant], rate: int, facts: int, seed: str) -> None:
        self.urls, self.tenants, self.rate, self.facts, self.seed = intake_urls, tenants, rate, facts, seed
        self.ledger = Ledger()
        self.refused = 0  # answers of 503
        self.cut = 0  # requests without an answer
        self.waiting = 0  # deliveries that are sent or queued, and not acknowledged yet
        self.queue: asyncio.Queue[Batch] = asyncio.Queue()
        self.moved = asyncio.Event()

    @property
    def acked(self) -> int:
        """Distinct facts."""
        return len(self.ledger.facts)

    async def run(self) -> None:
        """Returns when all is acknowledged; waits for the stack as long as it takes. Raises Broken on a refusal."""
        connections = [
            HttpConnection([*self.urls[n % len(self.urls) :], *self.urls[: n % len(self.urls)]])
            for n in range(CONNECTIONS)
        ]
        try:
            async with asyncio.TaskGroup() as group:
                posting = [group.create_task(self.post(connection)) for connection in connections]
                await self.send_bursts()
                await self.queue.join()
                for task in posting:
                    task.cancel()
        except* Broken as broken:
            raise broken.exceptions[0] from None
        finally:
            for connection in connections:
                connection.close()

    async def send_bursts(self) -> None:
        """Sends a burst each tick. Time lost to backpressure is not made up for."""
        deliveries, fresh, owed = delivery_stream(self.tenants, self.seed), 0, 0.0
        loop = asyncio.get_running_loop()
        due = loop.time()
        while fresh < self.facts:
            while self.waiting >= max(self.rate * UNACKED, CONNECTIONS):
                self.moved.clear()
                await self.moved.wait()
            owed += self.rate * TICK
            burst: list[Delivery] = []
            duplicated: list[Delivery] = []
            while owed >= 1 and fresh < self.facts:
                scheduled = next(deliveries)
                burst.append(scheduled.delivery)
                if scheduled.duplicated:
                    duplicated.append(scheduled.delivery)
                fresh += scheduled.fresh
                owed -= scheduled.fresh
            for batch in (*batches(burst), *batches(duplicated)):
                self.waiting += len(batch.deliveries)
                self.queue.put_nowait(batch)
            due = max(due + TICK, loop.time())
            await asyncio.sleep(due - loop.time())

    async def post(self, connection: HttpConnection) -> None:
        """Sends batches over one connection; repeats each until it is acknowledged."""
        while True:
            batch = await self.queue.get()
            while not await self.acknowledged(connection, batch):
                await asyncio.sleep(AGAIN)
            self.waiting -= len(batch.deliveries)
            self.moved.set()
            self.queue.task_done()

    async def acknowledged(self, connection: HttpConnection, batch: Batch) -> bool:
        answer = None
        with contextlib.suppress(OSError, EOFError, TimeoutError):
            answer = await connection.post(batch.path, batch.headers, batch.body)
        if answer is None or answer.status != 200:
            connection.use_next_address()
            self.cut += answer is None
            self.refused += answer is not None and answer.status == 503
            if answer and 400 <= answer.status < 500 and answer.status != 408:
                raise Broken(f"Intake answered {answer.status} to a good delivery: {answer.body[:300]!r}.")
            return False
        for id, delivery in zip(ids_of(batch, answer.body), batch.deliveries, strict=True):
            self.ledger.take(id, delivery.kind, delivery.money)
        return True

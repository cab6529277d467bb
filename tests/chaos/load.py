"""The vendors: posts stories at a steady rate over a few connections, each again until it is acknowledged."""

import asyncio
import contextlib
from collections.abc import Sequence

from crm.errors import Broken
from tests.chaos.deliveries import Delivery
from tests.chaos.deliveries import Shop as Shop
from tests.chaos.door import Door
from tests.chaos.ledger import Ledger
from tests.chaos.parcels import Parcel, ids_of, parcels
from tests.chaos.stories import stories

TICK = 0.05  # seconds between bursts
UNACKED = 3.0  # seconds of load that may wait for an acknowledgement; then nothing new is sent
CONNECTIONS = 8
AGAIN = 0.2  # seconds before what was not acknowledged is sent again


class Load:
    """`rate` distinct facts a second until `facts` of them are acknowledged. `ledger` has what was."""

    def __init__(self, intake_urls: Sequence[str], shops: Sequence[Shop], rate: int, facts: int, seed: str) -> None:
        self.urls, self.shops, self.rate, self.facts, self.seed = intake_urls, shops, rate, facts, seed
        self.ledger = Ledger()
        self.refused = 0  # answers of 503
        self.cut = 0  # requests without an answer
        self.waiting = 0  # deliveries that are sent or queued, and not acknowledged yet
        self.parcels: asyncio.Queue[Parcel] = asyncio.Queue()
        self.moved = asyncio.Event()

    @property
    def acked(self) -> int:
        """Distinct facts."""
        return len(self.ledger.facts)

    async def run(self) -> None:
        """Returns when all is acknowledged; waits for the stack as long as it takes. Raises Broken on a refusal."""
        doors = [Door([*self.urls[n % len(self.urls) :], *self.urls[: n % len(self.urls)]]) for n in range(CONNECTIONS)]
        try:
            async with asyncio.TaskGroup() as group:
                posting = [group.create_task(self.post(door)) for door in doors]
                await self.tell()
                await self.parcels.join()
                for task in posting:
                    task.cancel()
        except* Broken as broken:
            raise broken.exceptions[0] from None
        finally:
            for door in doors:
                door.close()

    async def tell(self) -> None:
        """A burst a tick. What the stack did not take in time is not made up for: nobody is run over afterwards."""
        told, fresh, owed = stories(self.shops, self.seed), 0, 0.0
        loop = asyncio.get_running_loop()
        due = loop.time()
        while fresh < self.facts:
            while self.waiting >= max(self.rate * UNACKED, CONNECTIONS):
                self.moved.clear()
                await self.moved.wait()
            owed += self.rate * TICK
            burst: list[Delivery] = []
            twice: list[Delivery] = []
            while owed >= 1 and fresh < self.facts:
                telling = next(told)
                burst.append(telling.delivery)
                if telling.twice:
                    twice.append(telling.delivery)
                fresh += telling.fresh
                owed -= telling.fresh
            for parcel in (*parcels(burst), *parcels(twice)):
                self.waiting += len(parcel.deliveries)
                self.parcels.put_nowait(parcel)
            due = max(due + TICK, loop.time())
            await asyncio.sleep(due - loop.time())

    async def post(self, door: Door) -> None:
        """One connection's work: a parcel, again and again until it is acknowledged, then the next."""
        while True:
            parcel = await self.parcels.get()
            while not await self.acknowledged(door, parcel):
                await asyncio.sleep(AGAIN)
            self.waiting -= len(parcel.deliveries)
            self.moved.set()
            self.parcels.task_done()

    async def acknowledged(self, door: Door, parcel: Parcel) -> bool:
        answer = None
        with contextlib.suppress(OSError, EOFError, TimeoutError):
            answer = await door.post(parcel.path, parcel.headers, parcel.body)
        if answer is None or answer.status != 200:
            door.turn()
            self.cut += answer is None
            self.refused += answer is not None and answer.status == 503
            if answer and 400 <= answer.status < 500 and answer.status != 408:
                raise Broken(f"Intake answered {answer.status} to a good delivery: {answer.body[:300]!r}.")
            return False
        for id, delivery in zip(ids_of(parcel, answer.body), parcel.deliveries, strict=True):
            self.ledger.take(id, delivery.kind, delivery.money)
        return True

"""Which journal partitions this replica sends for. A lease ends by itself, should its owner freeze or die."""

import asyncio
import time
from collections import defaultdict
from collections.abc import Callable, Collection, Iterable

import structlog
from psycopg import AsyncConnection

from crm.envelope import now
from crm.scalars import Id
from crm.topics import JOURNAL
from services.outbound import store
from services.outbound.delivery import Delivery
from services.outbound.queues import Queues
from services.outbound.session import Session

SECONDS = 10.0  # of a lease
RENEW = 2.0
MARGIN = 2.0  # seconds before its end when no further attempt is begun
WOKEN = 0.5  # seconds between two looks at what was changed from outside
MOST_EARLY = 5_000  # deliveries of a partition whose events are kept until it is loaded; those of others are read
logger = structlog.get_logger()


class Leases:
    """Keeps the leases of the partitions that Kafka assigned to this replica, and the queues as they are."""

    def __init__(self, dsn: str, owner: str, queues: Queues, assigned: Callable[[], Iterable[int]]) -> None:
        self.dsn, self.owner, self.queues, self.assigned = dsn, owner, queues, assigned
        self.until: dict[int, float] = {}  # monotonic, of partitions whose deliveries are in the queues
        self.terms: dict[int, int] = {}
        self.early: dict[int, list[Delivery]] = defaultdict(list)  # planned before the partition was loaded
        self.changed: Callable[[], None] = lambda: None
        self.at_work: Callable[[], Collection[int]] = lambda: ()  # partitions of attempts that are under way
        self.unstored: Callable[[], Collection[Id]] = lambda: ()  # deliveries whose outcome is not stored yet
        self.leaving: set[int] = set()  # taken away by Kafka, and not released yet

    def holds(self, partition: int) -> bool:
        return self.until.get(partition, 0.0) > time.monotonic() + MARGIN

    def add(self, deliveries: Iterable[Delivery]) -> None:
        """Queues what was planned just now, where its partition is ours; what is not will be loaded."""
        ours = []
        for one in deliveries:
            if one.partition in self.until:
                ours.append(one)
            else:
                self.early[one.partition].append(one)
        self.queues.add(ours, now())
        self.changed()

    async def run(self) -> None:
        """Runs until it is cancelled; then another replica may take over at once."""
        renewed, is_lost = 0.0, False
        async with Session(self.dsn) as session:
            try:
                while True:
                    try:
                        conn = await session.get()
                        if time.monotonic() - renewed >= RENEW or set(self.assigned()) != self.until.keys():
                            await self.renew(conn)
                            renewed = time.monotonic()
                        await self.wake(conn)
                        if is_lost:
                            await self.look_again(conn)
                            is_lost = False
                    except Exception as error:
                        is_lost = True
                        logger.warning("leases are not renewed; trying again", error=repr(error))
                    await asyncio.sleep(WOKEN)
            finally:
                if session.conn and not session.conn.closed:
                    await store.release(session.conn, self.owner, range(JOURNAL.partitions))

    async def renew(self, conn: AsyncConnection) -> None:
        """A partition that Kafka took away stays leased while an attempt in it is under way: so no two replicas send
        what is of one card."""
        wanted, began = set(self.assigned()), time.monotonic()
        if busy := set(self.at_work()) - wanted:
            await store.lease(conn, self.owner, busy, SECONDS)
        held = await store.lease(conn, self.owner, wanted, SECONDS) if wanted else {}
        kept = {p for p in self.until if held.get(p) == self.terms[p]}
        lost = {p for p in self.until.keys() - kept if p in held or p not in wanted or self.until[p] < began}
        for partition in lost:
            del self.until[partition], self.terms[partition]
        self.queues.drop(lost)
        self.leaving = (self.leaving | lost) - wanted
        if free := self.leaving - set(self.at_work()):
            await store.release(conn, self.owner, free)
            self.leaving -= free
        new = held.keys() - kept
        self.until |= dict.fromkeys(kept, began + SECONDS)
        for partition in self.early.keys() - new:
            if partition in wanted:  # another replica has it still, and may send what this one planned before
                self.early[partition] = self.early[partition][-MOST_EARLY:]
            else:
                del self.early[partition]
        if new:
            await self.load(conn, new, began + SECONDS)
            self.terms |= {partition: held[partition] for partition in new}
        self.changed()

    async def load(self, conn: AsyncConnection, new: set[int], until: float) -> None:
        """Queues what waits in these partitions, and what is planned meanwhile."""
        before = {one.id: one.event for partition in new for one in self.early.pop(partition, ())}
        found = await store.load(conn, new)
        for one in found:
            one.event = before.get(one.id)  # else it is read from core.history
        self.queues.add(found, now())
        self.until |= dict.fromkeys(new, until)
        self.queues.add((one for partition in new for one in self.early.pop(partition, ())), now())
        logger.info("sends for these partitions", partitions=sorted(self.until), waiting=len(found))

    async def look_again(self, conn: AsyncConnection) -> None:
        """A Postgres that crashed may have forgotten outcomes: they are stored without waiting for the disk. What waits
        there, and is neither queued here nor about to be stored, is attempted again."""
        here = set(self.queues.known) | set(self.unstored())
        found = [one for one in await store.load(conn, self.until.keys()) if one.id not in here]
        self.queues.add(found, now())
        if found:
            logger.warning("outcomes were lost with Postgres; these deliveries are repeated", count=len(found))
            self.changed()

    async def wake(self, conn: AsyncConnection) -> None:
        """Takes what a person sent again or discarded."""
        if not self.until or not (found := await store.woken(conn, self.until.keys())):
            return
        self.queues.remove(known for one in found if (known := self.queues.known.get(one.id)))
        self.queues.add((one for one in found if one.state == "waiting"), now())
        self.changed()

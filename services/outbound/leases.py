"""Which journal partitions this replica sends for. A lease ends by itself, should its owner freeze or die."""

import asyncio
import time
from collections.abc import Callable, Iterable

import structlog
from psycopg import AsyncConnection

from crm.envelope import now
from services.outbound import store
from services.outbound.delivery import Delivery
from services.outbound.queues import Queues
from services.outbound.session import Session

SECONDS = 10.0  # of a lease
RENEW = 2.0
MARGIN = 2.0  # seconds before its end when no further attempt is begun
WOKEN = 0.5  # seconds between two looks at what was changed from outside
logger = structlog.get_logger()


class Leases:
    """Keeps the leases of the partitions that Kafka assigned to this replica, and the queues as they are."""

    def __init__(self, dsn: str, owner: str, queues: Queues, assigned: Callable[[], Iterable[int]]) -> None:
        self.dsn, self.owner, self.queues, self.assigned = dsn, owner, queues, assigned
        self.until: dict[int, float] = {}  # monotonic, of partitions whose deliveries are in the queues
        self.early: dict[int, list[Delivery]] = {}  # planned before the partition was loaded
        self.changed: Callable[[], None] = lambda: None
        self.begun: Callable[[], Iterable[int]] = lambda: ()  # partitions of what must not be sent twice, in flight

    def holds(self, partition: int) -> bool:
        return self.until.get(partition, 0.0) > time.monotonic() + MARGIN

    def add(self, deliveries: Iterable[Delivery]) -> None:
        """Queues what was planned just now, where its partition is ours; what is not will be loaded."""
        ours = []
        for one in deliveries:
            if one.partition in self.until:
                ours.append(one)
            elif one.partition in self.early:
                self.early[one.partition].append(one)
        self.queues.add(ours, now())
        self.changed()

    async def run(self) -> None:
        """Runs until it is cancelled; then another replica may take over at once."""
        renewed = 0.0
        async with Session(self.dsn) as session:
            try:
                while True:
                    try:
                        conn = await session.get()
                        if time.monotonic() - renewed >= RENEW or set(self.assigned()) != self.until.keys():
                            await self.renew(conn)
                            renewed = time.monotonic()
                        await self.wake(conn)
                    except Exception as error:
                        logger.warning("leases are not renewed; trying again", error=repr(error))
                    await asyncio.sleep(WOKEN)
            finally:
                if session.conn and not session.conn.closed:
                    await store.release(session.conn, self.owner)

    async def renew(self, conn: AsyncConnection) -> None:
        """A partition that Kafka took away stays leased while an attempt in it is under way."""
        wanted, began = set(self.assigned()), time.monotonic()
        if busy := set(self.begun()) - wanted:
            await store.lease(conn, self.owner, busy, SECONDS)
        held = await store.lease(conn, self.owner, wanted, SECONDS) if wanted else set()
        lost = {p for p, until in self.until.items() if p not in held and (p not in wanted or until < time.monotonic())}
        for partition in lost:
            del self.until[partition]
        self.queues.drop(lost)
        new = held - self.until.keys()
        self.until |= dict.fromkeys(held - new, began + SECONDS)
        if new:
            self.early = {partition: [] for partition in new}
            try:
                found = await store.load(conn, new)
                self.queues.add(found, now())
                self.until |= dict.fromkeys(new, began + SECONDS)
                early, self.early = [one for some in self.early.values() for one in some], {}
                self.queues.add(early, now())
            finally:
                self.early = {}
            logger.info("sends for these partitions", partitions=sorted(self.until), waiting=len(found))
        self.changed()

    async def wake(self, conn: AsyncConnection) -> None:
        """Takes what a person sent again or discarded."""
        if not self.until or not (found := await store.woken(conn, self.until.keys())):
            return
        self.queues.remove(known for one in found if (known := self.queues.known.get(one.id)))
        self.queues.add((one for one in found if one.state == "waiting"), now())
        self.changed()

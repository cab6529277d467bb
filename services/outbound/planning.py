"""Plans deliveries: the handler of the journal. Rows and checkpoint are one transaction; what it planned is sent after
the commit, from memory."""

from collections.abc import Sequence

from psycopg import AsyncConnection

from crm.adapters.kafka.journal_log import position_of
from services.outbound import store
from services.outbound.delivery import Delivery, Follower, Recorded, Waiting
from streams.runtime.loop import NewRecords

CONSUMER = "outbound_v1"  # its checkpoints' name


class Planning:
    """Lets each follower plan. `planned` holds what the last transaction planned, until `committed` hands it over."""

    consumers = (CONSUMER,)
    positioned = True
    durable = False  # a power cut takes rows and checkpoint together, and both are made again from the journal

    def __init__(self, followers: Sequence[Follower], waiting: Waiting) -> None:
        self.followers, self.waiting = followers, waiting
        self.planned: list[Delivery] = []

    async def handle(self, conn: AsyncConnection, todo: NewRecords, isolate: bool) -> set[str]:
        records = [Recorded(r.partition, position_of(r), r.value) for r in todo.get(CONSUMER, ())]
        planned: list[Delivery] = []
        for follower in self.followers:
            planned += await follower.plan(conn, records, self.waiting)
        await store.plan(conn, planned)
        self.planned = planned
        return set()

    def take(self) -> list[Delivery]:
        """Returns what was committed. If the answer to a commit was lost, what it planned is still here."""
        planned, self.planned = self.planned, []
        return planned

"""The role outbound: the loop over the journal, the leases, the sender, and what each follower does alongside."""

import asyncio
from collections.abc import Callable, Sequence

from crm.settings import Settings
from crm.topics import JOURNAL
from services.outbound import pruning
from services.outbound.delivery import Follower
from services.outbound.leases import Leases
from services.outbound.planning import Planning
from services.outbound.queues import Queues
from services.outbound.sender import Sender
from streams.runtime.loop import ConsumerLoop

PACE = 0.05  # seconds from one transaction of many events to the next: a webhook that is so late is in time


class Outbound:
    """One replica. `make` gives the followers, which may look at this role's queues and leases."""

    def __init__(
        self,
        settings: Settings,
        make: Callable[["Outbound"], Sequence[Follower]],
        topic: str = JOURNAL.name,
        group: str = "outbound",
    ) -> None:
        self.settings, self.topic = settings, topic
        self.queues = Queues()
        self.leases = Leases(settings.database_url, settings.instance, self.queues, self.assigned)
        self.followers = make(self)
        self.planning = Planning(self.followers, self.queues.waiting)
        by_kind = {follower.kind: follower for follower in self.followers}
        self.sender = Sender(settings.database_url, self.queues, self.leases, by_kind)
        self.loop = ConsumerLoop(
            group, [topic], self.planning, settings, background=self.background, committed=self.committed, pace=PACE
        )

    def assigned(self) -> list[int]:
        return [partition.partition for partition in self.loop.worker.assigned()]

    def committed(self) -> None:
        for follower in self.followers:
            follower.committed()
        self.leases.add(self.planning.take())

    def missing(self) -> str | None:
        """Returns why this role is not ready, or None."""
        return next(filter(None, [self.loop.missing(), *(one.missing() for one in self.followers)]), None)

    async def run(self) -> None:
        await self.loop.run()

    async def background(self) -> None:
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(self.leases.run())
            tasks.create_task(pruning.run(self.settings.database_url))
            for follower in self.followers:
                if work := follower.background():
                    tasks.create_task(work)
            await self.sender.run()  # the others outlast it

"""The role outbound on real servers: planned in the transaction of the checkpoint, sent in order, taken over."""

import asyncio
from collections.abc import Sequence
from contextlib import asynccontextmanager
from dataclasses import replace as with_
from typing import Any

from msgspec.structs import replace as changed
from psycopg import AsyncConnection

from crm.envelope import named_id
from crm.events import NoteAdded
from crm.scalars import Id
from services.outbound.delivery import Delivery, Follower, Outcome, Recorded, Settled, State, Waiting, delivery_of
from services.outbound.role import Outbound
from services.stack.process import until
from tests.support.intake_server import meta
from tests.support.isolated_journal import IsolatedJournal
from tests.support.outbound_world import settled, states
from tests.support.running_role import while_running
from tests.support.scenarios import SHOP
from tests.support.timeouts import TIMEOUT

TARGET = named_id(SHOP, "target")


class Echo(Follower):
    """Sends each note to one target, and remembers what it sent. `answers`: what it says in place of DELIVERED."""

    kind = "echo"

    def __init__(self, once: bool = False) -> None:
        self.once = once
        self.sent: list[tuple[Id, str]] = []
        self.answers: list[Outcome] = []
        self.stored: list[Settled] = []
        self.hang = asyncio.Event()
        self.hang.set()

    async def plan(self, conn: AsyncConnection, records: Sequence[Recorded], waiting: Waiting) -> list[Delivery]:
        return [
            delivery_of(record, self.kind, named_id(TARGET, record.event.meta.id), TARGET, record.event.meta.stream)
            for record in records
            if record.kind is NoteAdded
        ]

    async def idle(self) -> str | None:
        return None if self.sent else "nothing was sent"

    async def send(self, delivery: Delivery) -> Outcome:
        assert isinstance(delivery.event, NoteAdded)
        self.sent.append((delivery.key, delivery.event.text))
        await self.hang.wait()
        return self.answers.pop(0) if self.answers else Outcome(State.DELIVERED, status=204)

    async def settled(self, conn: AsyncConnection, settled: Sequence[Settled]) -> None:
        self.stored += settled


def note(number: int, card: int) -> NoteAdded:
    stream = named_id(SHOP, f"card {card}")
    own = changed(meta(named_id(stream, str(number))), workspace=SHOP, stream=stream)
    return NoteAdded(own, named_id(stream, f"note {number}"), stream, f"{card}/{number}")


@asynccontextmanager
async def running(journal: IsolatedJournal, follower: Echo, instance: str = "1") -> Any:
    role = Outbound(with_(journal.settings, instance=instance), lambda _: [follower], journal.topic, journal.topic)
    async with while_running(role):
        yield role


def test_all_is_sent_in_order_and_again_after_a_takeover(kafka_bootstrap: str, fresh_database_url: str) -> None:
    async def run() -> None:
        journal = IsolatedJournal(kafka_bootstrap, fresh_database_url)
        await journal.create_topics()
        follower = Echo()
        async with journal.relaying() as relay, running(journal, follower):
            for number in range(20):
                await journal.commit(*(note(number, card) for card in range(5)))
            await journal.published(relay)
            await settled(journal, {"delivered": 100})
        for card in range(5):
            key = named_id(SHOP, f"card {card}")
            assert [text for k, text in follower.sent if k == key] == [f"{card}/{n}" for n in range(20)]
        assert {one.outcome.status for one in follower.stored} == {204}
        # One that is being sent when its replica ends is sent by the next one, with the same id.
        hanging = Echo()
        hanging.hang.clear()
        async with journal.relaying(), running(journal, hanging):
            await journal.commit(note(20, 1), note(21, 1))
            await until(hanging.idle, TIMEOUT)
        await journal.keep_history()
        follower.sent.clear()
        async with running(journal, follower, instance="2"):
            await settled(journal, {"delivered": 102})
        assert [text for _, text in follower.sent] == ["1/20", "1/21"]

    asyncio.run(run())


def test_what_must_not_be_sent_twice_is_uncertain_after_a_death(kafka_bootstrap: str, fresh_database_url: str) -> None:
    async def run() -> None:
        journal = IsolatedJournal(kafka_bootstrap, fresh_database_url)
        await journal.create_topics()
        hanging = Echo(once=True)
        hanging.hang.clear()
        async with journal.relaying(), running(journal, hanging):
            await journal.commit(note(1, 1), note(2, 1))
            await until(hanging.idle, TIMEOUT)
        assert await states(journal) == {"sending": 1, "waiting": 1}
        await journal.keep_history()
        follower = Echo(once=True)
        async with running(journal, follower):
            await settled(journal, {"uncertain": 1, "delivered": 1})
        assert [text for _, text in follower.sent] == ["1/2"]

    asyncio.run(run())

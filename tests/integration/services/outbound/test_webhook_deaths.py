"""What becomes of webhooks when a process or the database is lost: all arrives, in order by card, and what comes twice
has the webhook-id that it had."""

import asyncio
from collections import Counter
from dataclasses import replace as with_

from aiohttp import web

from crm.envelope import named_id
from crm.events import WebhookChanged, WebhookRemoved
from crm.topics import JOURNAL
from services.outbound.queues import FIRST
from services.stack.process import until
from tests.conftest import new_database
from tests.support.isolated_journal import IsolatedJournal
from tests.support.outbound_world import (
    HOOK,
    add,
    all_of,
    by_card,
    hook,
    in_order,
    kill,
    note,
    own,
    process,
    running,
    settings_of,
    settled,
    world,
)
from tests.support.records import open_connection
from tests.support.scenarios import SHOP
from tests.support.timeouts import TIMEOUT
from tests.support.webhook_receiver import Received, WebhookReceiver

CARDS, NOTES = 40, 8
ALL = CARDS * NOTES


class Gate:
    """Answers so many deliveries, and none after that until it is opened."""

    def __init__(self, answers: int) -> None:
        self.answers, self.open = answers, asyncio.Event()
        self.hanging: list[str] = []

    async def __call__(self, received: Received) -> web.Response:
        self.answers -= 1
        if self.answers < 0 and not self.open.is_set():
            self.hanging.append(received.id)
            await self.open.wait()
        return web.Response(status=204)

    async def missing(self) -> str | None:
        return None if len(self.hanging) >= FIRST else f"{len(self.hanging)} of {FIRST} hang"


async def commit_all(journal: IsolatedJournal, first: int = 0) -> None:
    for number in range(first, first + NOTES):
        await journal.commit(*(note(number, card) for card in range(CARDS)))


def complete(receiver: WebhookReceiver, notes: int = NOTES) -> None:
    """Checks that all arrived, in order by card, and that what came twice had the same id."""
    assert by_card(receiver.accepted) == in_order(CARDS, notes)
    assert len({one.place for one in receiver.accepted}) == len({one.id for one in receiver.accepted}) == CARDS * notes
    receiver.chained()


def test_a_process_that_is_killed_repeats_what_it_had_begun_and_nothing_else(
    kafka_bootstrap: str, fresh_database_url: str
) -> None:
    async def run() -> None:
        async with world(kafka_bootstrap, fresh_database_url) as (journal, receiver):
            receiver.behave = gate = Gate(100)
            await add(journal, hook(receiver.url))
            async with process(journal) as first:
                await commit_all(journal)
                await until(gate.missing, TIMEOUT)
                await journal.keep_history()
                await settled(journal, {"delivered": 100, "waiting": ALL - 100})
                await kill(first)
            gate.open.set()
            async with process(journal):
                await settled(journal, {"delivered": ALL})
        complete(receiver)
        tried = Counter(one.id for one in receiver.tried)
        assert {id for id, times in tried.items() if times > 1} == set(gate.hanging)
        assert sum(tried.values()) == ALL + len(gate.hanging)

    asyncio.run(run())


def test_two_replicas_share_the_partitions_and_one_takes_over(kafka_bootstrap: str, fresh_database_url: str) -> None:
    async def run() -> None:
        async with world(kafka_bootstrap, fresh_database_url) as (journal, receiver):
            await add(journal, hook(receiver.url))

            async def shared() -> str | None:
                found = await owners(journal)
                return None if found.keys() == {"1", "2"} and sum(found.values()) == JOURNAL.partitions else f"{found}"

            async with process(journal) as first, process(journal, "2"):
                await until(shared, TIMEOUT)
                await commit_all(journal)
                await settled(journal, {"delivered": ALL})
                assert len(receiver.tried) == ALL, "two replicas sent one delivery"
                complete(receiver)
                receiver.behave = gate = Gate(0)
                await commit_all(journal, NOTES)

                async def hangs() -> str | None:
                    found = await owners_of(journal, gate.hanging)
                    return None if found == {"1", "2"} else f"only deliveries of {found} hang"

                await until(hangs, TIMEOUT)
                await journal.keep_history()
                await kill(first)
                gate.open.set()
                await settled(journal, {"delivered": 2 * ALL})
                assert (await owners(journal)) == {"2": JOURNAL.partitions}
        complete(receiver, 2 * NOTES)
        tried = Counter(one.id for one in receiver.tried)
        assert {id for id, times in tried.items() if times > 1} <= set(gate.hanging)
        assert max(tried.values()) == 2

    asyncio.run(run())


async def owners(journal: IsolatedJournal) -> dict[str, int]:
    """Returns how many partitions each replica has leased."""
    async with await open_connection(journal.dsn) as conn:
        rows = await conn.execute("SELECT owner, count(*) FROM outbound.lease WHERE until > now() GROUP BY 1")
        return dict(await rows.fetchall())


async def owners_of(journal: IsolatedJournal, ids: list[str]) -> set[str]:
    async with await open_connection(journal.dsn) as conn:
        of_ids = "outbound.delivery USING (partition) WHERE id = ANY (%s::uuid[])"
        rows = await conn.execute(f"SELECT DISTINCT owner FROM outbound.lease JOIN {of_ids}".encode(), [ids])
        return {owner for (owner,) in await rows.fetchall()}


def test_without_its_database_it_sends_all_once_more_with_the_same_ids(
    postgres: str, kafka_bootstrap: str, fresh_database_url: str
) -> None:
    """Cursors are not in the journal: those of a new database stand where the webhook, or its last replay, began. What
    a webhook was before its last change is sent nothing."""

    async def run(other: str) -> None:
        async with world(kafka_bootstrap, fresh_database_url) as (journal, receiver), WebhookReceiver() as old:
            await commit_all(journal)
            removed = hook(old.url, id=named_id(SHOP, "removed"))
            await add(journal, hook(old.url), removed)
            await journal.commit(
                WebhookChanged(own("moved", HOOK), HOOK, url=receiver.url),
                WebhookRemoved(own("removed", removed.webhook_id), removed.webhook_id, "Receiver"),
            )
            await journal.all_published()
            async with running(journal):
                await settled(journal, {"delivered": ALL})
            first, receiver.accepted = list(receiver.accepted), []
            async with running(journal, with_(settings_of(journal), database_url=other)):
                await all_of(receiver, ALL)
            complete(receiver)
            assert {one.id for one in receiver.accepted} == {one.id for one in first}
            assert old.tried == []

    for other in new_database(postgres):
        asyncio.run(run(other))

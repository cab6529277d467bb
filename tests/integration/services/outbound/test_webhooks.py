"""Webhooks on real servers: everything arrives in order by card, replays start anywhere, a dead one is caught up."""

import asyncio
from collections import defaultdict
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace as with_
from typing import Any

from aiohttp import web
from aiokafka import AIOKafkaProducer
from msgspec.structs import replace as changed

from crm.connection_secrets import sealed, webhook_declared
from crm.contract.codec import encode
from crm.envelope import Event, named_id
from crm.events import NoteAdded, WebhookAdded, WebhookChanged, WebhookReplayed, WebhookTested
from crm.scalars import Id, Micros
from crm.shared import Meta
from crm.topics import CONNECTIONS
from services.outbound.followers import FOLLOWERS
from services.outbound.role import Outbound
from services.stack.process import until
from tests.support.intake_server import meta
from tests.support.isolated_journal import IsolatedJournal
from tests.support.records import open_connection
from tests.support.scenarios import SHOP
from tests.support.secret_keys import KEYS, SECRETS_KEY
from tests.support.timeouts import TIMEOUT
from tests.support.webhook_receiver import SECRET, Received, WebhookReceiver

HOOK = named_id(SHOP, "webhook")
NOTES = ("NoteAdded",)


def own(name: str, stream: Id) -> Meta:
    return changed(meta(named_id(stream, name)), workspace=SHOP, stream=stream)


def note(number: int, card: int) -> NoteAdded:
    stream = named_id(SHOP, f"card {card}")
    return NoteAdded(own(f"note {number}", stream), named_id(stream, f"note {number}"), stream, f"{card}/{number}")


def hook(url: str, since: int = 0, types: tuple[str, ...] = NOTES) -> WebhookAdded:
    return WebhookAdded(own("added", HOOK), HOOK, "Receiver", url, Micros(since), types)


async def declare(journal: IsolatedJournal, event: WebhookAdded) -> None:
    """Writes its secret, as the API does before the event."""
    async with AIOKafkaProducer(bootstrap_servers=journal.bootstrap) as producer:
        fact = sealed(webhook_declared(event, SECRET), KEYS)
        await producer.send_and_wait(CONNECTIONS.name, encode(fact), key=HOOK.encode())


@asynccontextmanager
async def running(journal: IsolatedJournal, instance: str = "1") -> AsyncIterator[Outbound]:
    settings = with_(journal.settings, secrets_key=SECRETS_KEY, webhook_hosts="127.0.0.1", instance=instance)
    role = Outbound(settings, lambda outbound: [make(outbound) for make in FOLLOWERS], journal.topic, journal.topic)
    task = asyncio.create_task(role.run())
    try:
        yield role
    finally:
        task.cancel()
        await asyncio.wait([task])
        if not task.cancelled() and (error := task.exception()):
            raise error


@asynccontextmanager
async def world(kafka: str, dsn: str) -> AsyncIterator[tuple[IsolatedJournal, WebhookReceiver]]:
    journal = IsolatedJournal(kafka, dsn)
    await journal.create_topics()
    async with WebhookReceiver() as receiver, journal.relaying():
        yield journal, receiver


async def all_of(receiver: WebhookReceiver, count: int) -> None:
    receiver.wanted = count
    await until(receiver.missing, TIMEOUT)


def by_card(deliveries: list[Received]) -> dict[str, list[str]]:
    found: dict[str, list[str]] = defaultdict(list)
    for one in deliveries:
        found[one.event["subject"]].append(one.event["data"]["text"])
    return found


async def commit(journal: IsolatedJournal, *events: Event) -> None:
    await journal.commit(*events)


def test_all_arrives_also_what_is_older_and_is_replayed(kafka_bootstrap: str, fresh_database_url: str) -> None:
    async def run() -> None:
        async with world(kafka_bootstrap, fresh_database_url) as (journal, receiver):
            for number in range(10):
                await commit(journal, *(note(number, card) for card in range(6)))
            added = hook(receiver.url)
            await declare(journal, added)
            await commit(journal, added)
            async with running(journal):
                for number in range(10, 20):
                    await commit(journal, *(note(number, card) for card in range(6)))
                await all_of(receiver, 120)
                receiver.chained()
                found = by_card(receiver.accepted)
                assert found == {
                    named_id(SHOP, f"card {card}"): [f"{card}/{n}" for n in range(20)] for card in range(6)
                }
                assert len({one.id for one in receiver.accepted}) == 120
                first, receiver.accepted = list(receiver.accepted), []
                await commit(journal, WebhookReplayed(own("replay", HOOK), HOOK, Micros(0)))
                await all_of(receiver, 120)
                receiver.chained()
                assert by_card(receiver.accepted) == found
                assert {one.id for one in receiver.accepted} == {one.id for one in first}
                await commit(journal, WebhookTested(own("test", HOOK), HOOK, "Hello"))
                await all_of(receiver, 121)
                assert receiver.accepted[-1].event["data"] == {"webhook_id": HOOK, "text": "Hello"}

    asyncio.run(run())


def test_a_stuck_card_holds_no_other_and_410_switches_off(kafka_bootstrap: str, fresh_database_url: str) -> None:
    async def run() -> None:
        async with world(kafka_bootstrap, fresh_database_url) as (journal, receiver):
            stuck, gone = named_id(SHOP, "card 0"), False

            async def behave(received: Received) -> web.Response:
                if gone:
                    return web.Response(status=410)
                return web.Response(status=500 if received.event["subject"] == stuck else 200, text="Thanks\0")

            receiver.behave = behave
            added = hook(receiver.url)
            await declare(journal, added)
            async with running(journal):
                await commit(journal, added)
                for number in range(5):
                    await commit(journal, *(note(number, card) for card in range(4)))
                await all_of(receiver, 15)
                assert stuck not in by_card(receiver.accepted)
                assert {one.event["data"]["text"] for one in receiver.tried if one.event["subject"] == stuck} == {"0/0"}
                gone = True
                await commit(journal, note(5, 1))
                await until(lambda: switched_off(journal), TIMEOUT)
                gone = False
                stuck = named_id(SHOP, "no card")
                await commit(journal, *(note(6, card) for card in range(4)))
                await journal.keep_history()
                await commit(journal, WebhookChanged(own("on", HOOK), HOOK, enabled=True))
                await all_of(receiver, 25)
                receiver.chained()
                assert by_card(receiver.accepted)[named_id(SHOP, "card 0")] == [f"0/{n}" for n in (0, 1, 2, 3, 4, 6)]

    asyncio.run(run())


async def switched_off(journal: IsolatedJournal) -> str | None:
    async with await open_connection(journal.dsn) as conn:
        rows: Any = await conn.execute("SELECT value ->> 'enabled' FROM outbound.webhook")
        found = await rows.fetchall()
    return None if found == [("false",)] else f"it is not off: {found}"

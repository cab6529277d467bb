"""Webhooks on real servers for a test: a journal, receivers with a ledger, and the role in this process or its own."""

import contextlib
import os
import signal
import sys
from collections import defaultdict
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import replace as with_
from subprocess import DEVNULL
from typing import Any

from aiokafka import AIOKafkaProducer
from msgspec.structs import replace as changed

from crm.connection_secrets import sealed, webhook_declared
from crm.contract.codec import encode
from crm.engine.workspaces import create_workspace
from crm.envelope import named_id
from crm.events import NoteAdded, WebhookAdded
from crm.facts import ConnectionDeclared
from crm.scalars import Id, Micros
from crm.settings import Settings
from crm.shared import Meta
from crm.topics import CONNECTIONS
from services.operations.webhooks import carry_out_one
from services.outbound.followers import FOLLOWERS
from services.outbound.role import Outbound
from services.stack.process import Process, ended, spawn, until
from tests.support.intake_server import meta
from tests.support.isolated_journal import IsolatedJournal
from tests.support.records import open_connection
from tests.support.running_role import while_running
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


def hook(url: str, since: int = 0, types: tuple[str, ...] = NOTES, id: Id = HOOK, **more: Any) -> WebhookAdded:
    return WebhookAdded(own("added", id), id, "Receiver", url, Micros(since), types, **more)


async def declare(journal: IsolatedJournal, *facts: ConnectionDeclared) -> None:
    """Writes secrets, as the API does before the event."""
    async with AIOKafkaProducer(bootstrap_servers=journal.bootstrap) as producer:
        for fact in facts:
            await producer.send_and_wait(CONNECTIONS.name, encode(sealed(fact, KEYS)), key=fact.connection.encode())


async def add(journal: IsolatedJournal, *hooks: WebhookAdded) -> None:
    await declare(journal, *(webhook_declared(event, SECRET) for event in hooks))
    await journal.commit(*hooks)


async def add_by_command(journal: IsolatedJournal, url: str) -> Id:
    """Adds a webhook as a person does, so that commands know it: from the beginning, of notes. Returns its id."""
    await create_workspace(journal.dsn, SHOP, "Shop", owners=("olena",))
    given = {"url": url, "types": NOTES, "since": 0, "secret": SECRET, "private_hosts": ("127.0.0.1",)}
    return (await carry_out_one(journal.dsn, journal.bootstrap, KEYS, SHOP, "webhook_add", given)).webhook_id


async def change(journal: IsolatedJournal, webhook_id: Id, **given: Any) -> None:
    said = {"webhook_id": webhook_id, **given}
    await carry_out_one(journal.dsn, journal.bootstrap, KEYS, SHOP, "webhook_change", said)


def settings_of(journal: IsolatedJournal, instance: str = "1") -> Settings:
    return with_(journal.settings, secrets_key=SECRETS_KEY, webhook_hosts="127.0.0.1", instance=instance)


@asynccontextmanager
async def running(journal: IsolatedJournal, settings: Settings | None = None) -> AsyncIterator[Outbound]:
    """Runs the role in this process."""
    found = settings or settings_of(journal)
    role = Outbound(found, lambda outbound: [make(outbound) for make in FOLLOWERS], journal.topic, journal.topic)
    async with while_running(role):
        yield role


@asynccontextmanager
async def process(journal: IsolatedJournal, instance: str = "1") -> AsyncIterator[Process]:
    """Runs the role in a process of its own, which may be killed; ends it by kill -9."""
    environment = {
        **os.environ,
        "KAFKA_BOOTSTRAP": journal.bootstrap,
        "DATABASE_URL": journal.dsn,
        "CRM_SECRETS_KEY": SECRETS_KEY,
        "CRM_WEBHOOK_HOSTS": "127.0.0.1",
        "CRM_INSTANCE": instance,
        "CRM_LOG_LEVEL": "error",
        "CRM_HEALTH_PORT": "0",
    }
    words = (sys.executable, "-m", "tests.support.isolated_outbound", journal.topic)
    running = spawn(words, DEVNULL, environment=environment)
    try:
        yield running
    finally:
        await kill(running)


async def kill(running: Process) -> None:
    with contextlib.suppress(ProcessLookupError):
        running.send_signal(signal.SIGKILL)
    await ended(running)


@asynccontextmanager
async def world(kafka: str, dsn: str) -> AsyncIterator[tuple[IsolatedJournal, WebhookReceiver]]:
    journal = IsolatedJournal(kafka, dsn)
    await journal.create_topics()
    async with WebhookReceiver() as receiver, journal.relaying():
        yield journal, receiver


async def all_of(receiver: WebhookReceiver, count: int) -> None:
    receiver.wanted = count
    await until(receiver.missing, TIMEOUT)


def by_card(deliveries: Sequence[Received]) -> dict[str, list[str]]:
    """Returns the texts of each card's deliveries in order of arrival; what was repeated at once counts once."""
    found: dict[str, list[str]] = defaultdict(list)
    for one in deliveries:
        texts = found[one.event["subject"]]
        if texts[-1:] != [one.event["data"]["text"]]:
            texts.append(one.event["data"]["text"])
    return found


def in_order(cards: int, notes: int) -> dict[str, list[str]]:
    return {named_id(SHOP, f"card {card}"): [f"{card}/{n}" for n in range(notes)] for card in range(cards)}


async def states(journal: IsolatedJournal) -> dict[str, int]:
    async with await open_connection(journal.dsn) as conn:
        rows = await conn.execute("SELECT state, count(*) FROM outbound.delivery GROUP BY 1")
        return dict(await rows.fetchall())


async def settled(journal: IsolatedJournal, wanted: dict[str, int]) -> None:
    """Waits until so many deliveries are in each state."""

    async def missing() -> str | None:
        found = await states(journal)
        return None if found == wanted else f"{found}, not {wanted}"

    await until(missing, TIMEOUT)


async def is_off(journal: IsolatedJournal) -> str | None:
    """Returns None once the only webhook is switched off."""
    async with await open_connection(journal.dsn) as conn:
        rows = await conn.execute("SELECT value ->> 'enabled' FROM outbound.webhook")
        found = await rows.fetchall()
    return None if found == [("false",)] else f"it is not off: {found}"

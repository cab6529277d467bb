"""The role polling once there is a connection to poll: producer, cursors, schedule."""

import asyncio
import contextlib
import logging
from collections.abc import Callable

import structlog

from crm.adapters.kafka.directory import Access
from crm.adapters.kafka.producer import KafkaLog
from crm.adapters.telemetry import tracing
from crm.envelope import now
from crm.public_address import intake_url, warning
from crm.secret_keys import SecretKeys
from crm.settings import Settings
from crm.topics import CURSORS, INTAKE, QUARANTINE
from services.connectors import CONNECTORS
from services.polling.accounts import Accounts
from services.polling.cursors import Cursors
from services.polling.schedule import Schedule
from services.polling.sealed import SealedKeys
from services.polling.turns import Turns
from services.polling.vendor import Vendors
from services.stack.activation import watch

LOOK_SECONDS = 2.0  # between two looks at what is connected
KAFKA_SECONDS = 30.0  # that a page may wait for Kafka: nobody waits for the answer
logger = structlog.get_logger()
Missing = Callable[[], str | None]


async def run(settings: Settings, keys: SecretKeys, access: Access, report_missing: Callable[[Missing], None]) -> None:
    """Polls until cancelled."""
    logging.getLogger("httpx").setLevel(logging.WARNING)  # it would name every URL
    topics = [topic.name for topic in (*INTAKE.values(), QUARANTINE, CURSORS)]
    looking = asyncio.Event()
    async with KafkaLog(settings.kafka_bootstrap, topics, timeout=KAFKA_SECONDS) as log:
        vendors, seal = Vendors(now), SealedKeys(keys) if keys else None
        traced = tracing.spans.log(log) if tracing.spans else log
        url, most = settings.database_url, settings.max_body
        turns = Turns(vendors, traced, now, seal=seal, database_url=url, max_body=most)
        schedule = Schedule(turns, now)
        accounts = Accounts(CONNECTORS, schedule, now, seal)

        async def settled() -> None:
            update(accounts, access, cursors)
            await turns.log_ins.settled()

        cursors = Cursors(looking.set, accounts.hear, settled)
        report_missing(lambda: log.missing() or cursors.missing())
        tasks = [
            asyncio.create_task(cursors.follow(settings.kafka_bootstrap)),
            asyncio.create_task(schedule.run()),
            asyncio.create_task(look(accounts, access, cursors, looking, vendors)),
        ]
        if not warning(base := intake_url(settings)):  # vendors can call us, so what they switched off is set again
            tasks.append(asyncio.create_task(watch(settings.kafka_bootstrap, base, keys)))
        try:
            done, _ = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
            for task in done:
                task.result()
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)
            await turns.log_ins.settled()
            await vendors.close()


async def look(accounts: Accounts, access: Access, cursors: Cursors, looking: asyncio.Event, vendors: Vendors) -> None:
    """Keeps the accounts as the connections and the cursors are."""
    while True:
        looking.clear()
        update(accounts, access, cursors)
        vendors.drop_gone()
        accounts.measure()
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(LOOK_SECONDS):
                await looking.wait()


def update(accounts: Accounts, access: Access, cursors: Cursors) -> None:
    own = {id: connection for id, connection in access.connections.items() if cursors.is_own(id)}
    accounts.update(own, cursors.states)

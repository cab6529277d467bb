"""The follower of webhooks: keeps who asks for what, plans, signs, posts, and switches off what is dead."""

import asyncio
import time
from collections.abc import Coroutine, Sequence
from typing import Any

import structlog
from psycopg import AsyncConnection

from crm.adapters.kafka.directory import Access
from crm.adapters.pinned_http import PinnedHttp
from crm.adapters.safe_http import NotReached
from crm.connection_secrets import BOTH_UNTIL, PREVIOUS
from crm.delivery import Connection
from crm.envelope import Event, now
from crm.events import (
    WebhookAdded,
    WebhookChanged,
    WebhookDeliveriesSettled,
    WebhookRemoved,
    WebhookReplayed,
)
from crm.scalars import Micros
from crm.secret_keys import SecretKeys
from crm.topics import JOURNAL
from crm.webhook_urls import webhook_hosts
from services.outbound.delivery import SECOND, Delivery, Follower, Outcome, Recorded, Settled, State, Waiting
from services.outbound.role import Outbound
from services.outbound.webhooks import answers, cursors, switch_off
from services.outbound.webhooks.callers import Callers
from services.outbound.webhooks.catch_up import CatchUp
from services.outbound.webhooks.cursors import NOT_FOUND, Cursor, Key
from services.outbound.webhooks.known import Known
from services.outbound.webhooks.payload import Rendered, body_of, headers_of, key_of
from services.outbound.webhooks.plan import KIND, plan_live
from services.outbound.webhooks.subscription import added, changed, replayed

SECRET_SECONDS = 1.0  # until a secret is looked for again that has not been read from Kafka yet
LOCKED_SECONDS = 60.0  # or that this process cannot decrypt
OWN = (WebhookAdded, WebhookChanged, WebhookRemoved, WebhookReplayed, WebhookDeliveriesSettled)
FROM_THE_MOMENT = [NOT_FOUND] * JOURNAL.partitions
logger = structlog.get_logger()


class Webhooks(Follower):
    """`known` is as committed; `moved` are the cursors that the last plan moved, `ends` how far it came."""

    kind = KIND

    def __init__(self, role: Outbound, http: PinnedHttp | None = None) -> None:
        self.role, settings = role, role.settings
        self.access = Access(SecretKeys.of(settings))
        self.http = http or PinnedHttp(webhook_hosts(settings.webhook_hosts))
        self.known = Known(role)
        self.moved: dict[Key, Cursor] = {}
        self.ends: dict[int, int] = {}
        self.rendered, self.callers = Rendered(), Callers(settings.database_url)
        self.catch_up = CatchUp(self.known)

    async def plan(self, conn: AsyncConnection, records: Sequence[Recorded], waiting: Waiting) -> list[Delivery]:
        self.moved, self.ends = {}, {one.partition: one.position + 1 for one in records}
        own = [record.event for record in records if record.kind in OWN]
        await self.known.refresh(conn, {one.partition: one.position for one in reversed(records)})
        planned, self.moved = plan_live(records, self.known.by_workspace, self.known.types, self.known.cursors, waiting)
        await cursors.move(conn, self.moved)
        if own or any(not cursor.live for cursor in self.moved.values()):
            for event in own:
                await self.take(conn, event)
            await cursors.changed(conn)
        return planned

    async def take(self, conn: AsyncConnection, event: Event) -> None:
        """Stores what a command on a webhook changes."""
        match event:
            case WebhookAdded():
                await cursors.put(conn, added(event))
                await cursors.reset(conn, event.webhook_id, FROM_THE_MOMENT)
            case WebhookChanged():
                if before := await cursors.webhook(conn, event.webhook_id):
                    await cursors.put(conn, changed(before, event))
            case WebhookRemoved():
                await cursors.remove(conn, event.webhook_id)
            case WebhookReplayed():
                if before := await cursors.webhook(conn, event.webhook_id):
                    await cursors.put(conn, replayed(before, event))
                    await cursors.reset(conn, event.webhook_id, event.positions or FROM_THE_MOMENT)
            case WebhookDeliveriesSettled():
                await cursors.settle(conn, event.webhook_id, event.again, event.deliveries)

    def committed(self) -> None:
        self.known.cursors |= self.moved
        self.known.planned |= self.ends
        self.moved, self.ends = {}, {}

    async def send(self, delivery: Delivery) -> Outcome:
        webhook, event = self.known.webhooks.get(delivery.target), delivery.event
        assert event is not None
        if webhook is None:
            return Outcome(State.DISCARDED, error="The webhook was removed.")
        if not webhook.enabled:
            return not_yet(SECRET_SECONDS)
        connection = self.access.connection(delivery.target)
        if connection is None or connection.locked:
            return not_yet(LOCKED_SECONDS if connection else SECRET_SECONDS)
        parts = self.rendered.of(delivery, event, webhook.thin)
        body = body_of(delivery, parts if webhook.thin else await self.callers.with_caller(event, parts))
        at = now()
        headers = headers_of(delivery, body, keys_of(connection, at), at)
        began = time.perf_counter()
        try:
            answer = await self.http.post(webhook.url, headers, body)
        except NotReached as reason:
            return answers.not_reached(delivery, str(reason), now(), 1000 * (time.perf_counter() - began))
        if answer.status == 410:
            self.known.gone[webhook.id] = "Its receiver answered 410: it wants nothing any more."
        return answers.outcome(delivery, answer, now(), 1000 * (time.perf_counter() - began))

    async def settled(self, conn: AsyncConnection, settled: Sequence[Settled]) -> None:
        health = {one.delivery.target: one.outcome.state is State.DELIVERED for one in settled}
        if news := {id: works for id, works in health.items() if not works or id in self.known.failing}:
            await cursors.note_health(conn, news.items())
            self.known.failing = (self.known.failing | {id for id, works in news.items() if not works}) - {
                id for id, works in news.items() if works
            }

    def background(self) -> Coroutine[Any, Any, None]:
        return self.run()

    async def run(self) -> None:
        await self.access.start(self.role.settings.kafka_bootstrap)
        try:
            async with self.http, self.callers.session, asyncio.TaskGroup() as tasks:
                tasks.create_task(self.catch_up.run())
                tasks.create_task(switch_off.run(self.known))
        finally:
            await self.access.stop()

    def missing(self) -> str | None:
        return self.access.missing()


def keys_of(connection: Connection, at: Micros) -> list[bytes]:
    """Returns the keys that sign: the secret's, and for a while that of the one before it."""
    previous, until = connection.settings.get(PREVIOUS, ""), int(connection.settings.get(BOTH_UNTIL, "0"))
    return [key_of(secret) for secret in (connection.secret, previous if at < until else "") if secret]


def not_yet(seconds: float) -> Outcome:
    """Returns the outcome of what was not attempted, as something is not known yet."""
    return Outcome(State.WAITING, Micros(now() + round(seconds * SECOND)), counts=False)

"""A receiver of webhooks with a ledger. Now and then it answers with an error, breaks off, or answers too late."""

import asyncio
import contextlib
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from typing import NamedTuple

from aiohttp import web
from psycopg import AsyncConnection

from crm.scalars import Id
from services.operations.webhooks import carry_out_one
from services.stack.process import until
from tests.chaos.cluster import Cluster
from tests.support.webhook_receiver import Received, WebhookReceiver
from tests.support.workload.deliveries import Tenant

TYPES = ("DealOpened",)
WAITING = """
SELECT (SELECT count(*) FROM outbound.delivery WHERE target = %(id)s AND state IN ('waiting', 'sending')),
  (SELECT count(*) FROM outbound.cursor WHERE target = %(id)s AND NOT live)"""
BAD = 50  # deliveries, of which one is answered badly the first time
TOO_LATE = 16.0  # seconds: the sender waits for 15


class Arrival(NamedTuple):
    """A delivery that was taken. Positions are of its partition; `previous`: of the delivery before it."""

    webhook_id: str
    event: Id
    subject: str
    partition: int
    position: int
    previous: int | None


@dataclass
class ReceivedEvents:
    """What one receiver took, in the order of arrival, repeats too."""

    workspace: Id
    types: tuple[str, ...]
    taken: list[Arrival] = field(default_factory=list)


class WebhookProbe:
    """A webhook of a tenant and its receiver."""

    def __init__(self, cluster: Cluster, tenant: Tenant) -> None:
        self.cluster, self.tenant = cluster, tenant
        self.received = ReceivedEvents(tenant.workspace, TYPES)
        self.tried: set[str] = set()
        self.id = Id("")

    async def answer(self, received: Received) -> web.Response:
        first = received.id not in self.tried
        self.tried.add(received.id)
        if first and not len(self.tried) % BAD:
            match len(self.tried) // BAD % 3:
                case 1:
                    return web.Response(status=500)
                case 2:
                    assert received.request.transport
                    received.request.transport.abort()
                case _:
                    await asyncio.sleep(TOO_LATE)  # and then it is taken: the repeat is one
        event, (partition, position) = received.event, received.place
        previous = int(event["previous"]) if "previous" in event else None
        place = partition, position, previous
        self.received.taken.append(Arrival(received.id, Id(event["id"]), event["subject"], *place))
        return web.Response(status=204)

    async def caught_up(self, patience: float) -> str | None:
        """Waits until nothing waits for the receiver. Returns what does after `patience` seconds."""
        try:
            await until(self.missing, patience)
        except RuntimeError as error:
            return f"{error}, {len(self.received.taken):,} arrived"
        return None

    async def missing(self) -> str | None:
        async with await AsyncConnection.connect(self.cluster.dsn) as conn:
            row = await (await conn.execute(WAITING, {"id": self.id})).fetchone()
        assert row
        return f"{row[0]:,} deliveries wait, in {row[1]} partitions more is to be planned" if any(row) else None


@contextlib.asynccontextmanager
async def webhook_probe(cluster: Cluster, tenant: Tenant) -> AsyncIterator[WebhookProbe]:
    """Adds a webhook from the beginning, which leads to a receiver in this process."""
    probe = WebhookProbe(cluster, tenant)
    async with WebhookReceiver(behave=probe.answer) as receiver:
        given = {"url": receiver.url, "types": TYPES, "since": 0, "private_hosts": ("127.0.0.1",)}
        place = cluster.dsn, cluster.bootstrap, cluster.keys, tenant.workspace
        done = await carry_out_one(*place, "webhook_add", given)
        receiver.sign_with(done.secret)
        probe.id = done.webhook_id
        yield probe

"""Webhooks: deliveries a second, from commit to receiver, what dead and slow receivers do to others, replays."""

import asyncio
import os
import time
from collections import defaultdict
from collections.abc import Callable, Sequence
from typing import Any
from uuid import uuid4

from psycopg import AsyncConnection

from crm.adapters.postgres import outbox as journal
from crm.connection_secrets import new_webhook_secret, sealed, webhook_declared
from crm.envelope import Event, named_id, now
from crm.events import NoteAdded, WebhookAdded, WebhookRemoved, WebhookReplayed
from crm.scalars import Id, Micros
from crm.secret_keys import SecretKeys, new_key
from crm.shared import Meta
from services.stack.access import publish
from services.stack.role import Role
from tests.bench.bench_servers import bench_servers, running, scratch_folder
from tests.bench.machine import machine, percentiles
from tests.bench.processor import per_one, processor_us
from tests.bench.sink import Sink, sink

GROUPS, EACH = 10, 10  # workspaces, and webhooks of each: an event makes EACH deliveries
CARDS = 50  # of a workspace
SIZE = 560  # bytes of a text that make a body of 1 kB
ROUNDS = 3  # with and without bad receivers by turns: the machine's own moods are in both
WARM_SECONDS, SETTLE_SECONDS = 2.0, 2.0
Arrived = dict[str, list[tuple[int, int, str, str]]]


class Bench:
    """Servers, roles and receivers of one run."""

    def __init__(self, dsn: str, bootstrap: str, keys: SecretKeys, sink: Sink, conn: AsyncConnection) -> None:
        self.dsn, self.bootstrap, self.keys, self.sink, self.conn = dsn, bootstrap, keys, sink, conn
        self.scope = Id(str(uuid4()))
        self.number = 0

    def workspace(self, group: int) -> Id:
        return named_id(self.scope, f"workspace {group}")

    def meta(self, stream: Id, workspace: Id, name: str) -> Meta:
        id, at = named_id(stream, name), now()
        return Meta(id, workspace, stream, at, at, "bench", id, actor="benchmark")

    def note(self, group: int) -> NoteAdded:
        self.number += 1
        workspace = self.workspace(group)
        stream = named_id(workspace, f"card {self.number % CARDS}")
        meta = self.meta(stream, workspace, f"note {self.number}")
        return NoteAdded(meta, meta.id, stream, f"{time.time_ns()} {'x' * SIZE}")

    async def commit(self, events: Sequence[Event]) -> None:
        async with self.conn.transaction():
            await journal.append(self.conn, [journal.packed(event) for event in events])

    async def add(self, *places: tuple[int, str]) -> list[Id]:
        """Adds webhooks: the group of each, and its path at the sink."""
        events = []
        for group, path in places:
            workspace = self.workspace(group)
            id = named_id(workspace, f"webhook {path}")
            url = f"http://127.0.0.1:{self.sink.port}/{path}"
            events.append(WebhookAdded(self.meta(id, workspace, "added"), id, path, url, now(), ("NoteAdded",)))
        facts = [sealed(webhook_declared(event, new_webhook_secret()), self.keys) for event in events]
        await publish(self.bootstrap, *((fact.connection, fact) for fact in facts))
        await self.commit(events)
        return [event.webhook_id for event in events]

    async def remove(self, group: int, *hooks: Id) -> None:
        workspace = self.workspace(group)
        await self.commit([WebhookRemoved(self.meta(id, workspace, "removed"), id, "") for id in hooks])

    async def replay(self, hooks: Sequence[Id]) -> None:
        """Replays webhooks, EACH of each workspace, from the beginning."""
        await self.commit(
            [
                WebhookReplayed(self.meta(id, self.workspace(n // EACH), "replay"), id, Micros(0))
                for n, id in enumerate(hooks)
            ]
        )

    async def paced(self, rate: int, seconds: float) -> Arrived:
        """Returns what arrived of so many deliveries a second."""
        count = await self.pace(rate, seconds)
        await self.sink.until(count)
        return await self.sink.take()

    async def pace(self, deliveries: int, seconds: float) -> int:
        """Commits events for so many deliveries a second, ten times a second. Returns how many deliveries."""
        began, sent = time.monotonic(), 0
        while (passed := time.monotonic() - began) < seconds:
            wanted = round(passed * deliveries / EACH)
            if wanted > sent:
                await self.commit([self.note((sent + n) % GROUPS) for n in range(wanted - sent)])
                sent = wanted
            await asyncio.sleep(0.02)
        return sent * EACH


def waits(arrived: Arrived) -> list[float]:
    """Returns the seconds from commit to arrival, of receivers that work."""
    return [(at - committed) / 1e9 for path, some in arrived.items() if path.isdigit() for at, committed, *_ in some]


def count_of(arrived: Arrived) -> int:
    return sum(map(len, arrived.values()))


def in_order(arrived: Arrived) -> bool:
    """Whether each card's deliveries came in the order of their commits, at each receiver that works."""
    for path, rows in arrived.items():
        last: dict[str, int] = defaultdict(int)
        for _, committed, _, card in rows if path.isdigit() else ():
            if committed < last[card]:
                return False
            last[card] = committed
    return True


def per_second(arrived: Arrived, began_ns: int) -> int:
    """Returns how many arrived a second, until the last one did."""
    last = max(rows[-1][0] for rows in arrived.values())
    return round(count_of(arrived) / ((last - began_ns) / 1e9))


async def measure(rate: int, seconds: int, backlog: int, report: Callable[[str], None]) -> dict[str, Any]:
    with scratch_folder() as folder:
        async with bench_servers(folder) as servers, sink("tests.bench.webhook_sink") as receivers:
            key = new_key()
            environment = {
                **os.environ,
                "KAFKA_BOOTSTRAP": servers.bootstrap,
                "DATABASE_URL": servers.dsn,
                "CRM_SECRETS_KEY": key,
                "CRM_WEBHOOK_HOSTS": "127.0.0.1",
                "CRM_LOG_LEVEL": "error",
            }
            parts = [Role(name, module, 1, environment) for name, module in ROLES.items()]
            async with (
                running(*parts),
                await AsyncConnection.connect(servers.dsn, autocommit=True) as conn,
            ):
                await conn.execute("INSERT INTO core.compared VALUES (core.this_server()) ON CONFLICT DO NOTHING")
                bench = Bench(servers.dsn, servers.bootstrap, SecretKeys(key), receivers, conn)
                return await run(bench, rate, seconds, backlog, report)


ROLES = {"relay": "streams.relay", "project": "streams.project", "outbound": "services.outbound"}


async def run(bench: Bench, rate: int, seconds: int, backlog: int, report: Callable[[str], None]) -> dict[str, Any]:
    sink = bench.sink
    report("adding 100 webhooks")
    hooks = await bench.add(*((n // EACH, str(n)) for n in range(GROUPS * EACH)))
    await bench.commit([bench.note(group) for group in range(GROUPS)])
    await sink.until(GROUPS * EACH)
    await bench.pace(rate, WARM_SECONDS)
    await asyncio.sleep(SETTLE_SECONDS)
    everything = [await sink.take()]

    calm: list[Arrived] = []
    troubled: list[Arrived] = []
    for part in range(ROUNDS):
        report(f"{rate} deliveries a second, round {part + 1} of {ROUNDS}")
        calm.append(await bench.paced(rate, seconds / ROUNDS))
        report("the same with one dead and one slow receiver")
        bad = await bench.add((0, f"dead-{part}"), (0, f"slow-{part}"))
        await asyncio.sleep(SETTLE_SECONDS)
        troubled.append(await bench.paced(rate, seconds / ROUNDS))
        await bench.remove(0, *bad)
    everything += [*calm, *troubled]

    report(f"a backlog of {backlog} deliveries")
    began, before = time.time_ns(), processor_us()
    for _ in range(backlog // EACH // GROUPS // 10):
        await bench.commit([bench.note(group) for group in range(GROUPS) for _ in range(10)])
    await sink.until(backlog // EACH // GROUPS // 10 * 10 * GROUPS * EACH)
    drained = await sink.take()
    sustained = per_second(drained, began)
    cost = {"backlog": per_one(before, count_of(drained))}
    everything.append(drained)

    report("a replay of all webhooks from the beginning")
    wanted = sum(len(rows) for arrived in everything for path, rows in arrived.items() if path.isdigit())
    began, before = time.time_ns(), processor_us()
    await bench.replay(hooks)
    await sink.until(wanted)
    again = await sink.take()
    cost["replay"] = per_one(before, count_of(again))
    first, harmed = percentiles(of_all(calm)), percentiles(of_all(troubled))
    return {
        "benchmark": "webhooks",
        "command": f"crm bench webhooks --rate {rate} --seconds {seconds} --backlog {backlog} --json",
        "machine": machine(),
        "settings": {
            "webhooks": len(hooks),
            "body_bytes": 1_000,
            "signed": True,
            "deliveries_per_second": rate,
            "seconds": seconds,
        },
        "committed_to_received": first,
        "with_one_dead_and_one_slow": harmed,
        "p99_moved_percent": round(100 * (harmed["p99_ms"] / first["p99_ms"] - 1), 1),
        "sustained_per_second": sustained,
        "replayed_per_second": per_second(again, began),
        "processor_us_per_delivery": cost,
        "deliveries": {"backlog": count_of(drained), "replay": count_of(again), "paced": sum(map(count_of, calm))},
        "in_order": all(map(in_order, [*everything, again])),
        "repeated": sum(len(rows) - len({id for *_, id, _ in rows}) for rows in [*drained.values(), *again.values()]),
    }


def of_all(arrived: Sequence[Arrived]) -> list[float]:
    return [one for part in arrived for one in waits(part)]

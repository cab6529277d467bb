"""Webhooks: deliveries a second, from commit to receiver, what dead and slow receivers do to others, replays."""

import asyncio
import os
import sys
import time
from collections import defaultdict
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from typing import Any
from uuid import uuid4

import msgspec
from psycopg import AsyncConnection

from crm.adapters.postgres import outbox as journal
from crm.adapters.processes import child
from crm.connection_secrets import new_webhook_secret, sealed, webhook_declared
from crm.envelope import Event, named_id, now
from crm.events import NoteAdded, WebhookAdded, WebhookReplayed
from crm.scalars import Id, Micros
from crm.secret_keys import SecretKeys, new_key
from crm.shared import Meta
from services.stack.access import publish
from services.stack.role import Role
from tests.bench.bench_servers import bench_servers, running, scratch_folder
from tests.bench.machine import machine, percentiles

GROUPS, EACH = 10, 10  # workspaces, and webhooks of each: an event makes EACH deliveries
CARDS = 50  # of a workspace
SIZE = 560  # bytes of a text that make a body of 1 kB
PATIENCE = 120.0  # seconds for what is left to arrive
Arrived = dict[str, list[tuple[int, int, str, str]]]


class Sink:
    """The process of the receivers."""

    def __init__(self, process: asyncio.subprocess.Process, port: int) -> None:
        self.process, self.port = process, port

    async def ask(self, what: str) -> Any:
        assert self.process.stdin
        assert self.process.stdout
        self.process.stdin.write(f"{what}\n".encode())
        await self.process.stdin.drain()
        return msgspec.json.decode(await self.process.stdout.readline())

    async def until(self, count: int) -> float:
        """Waits until so many have arrived; returns when, by the monotonic clock. Raises RuntimeError."""
        end = time.monotonic() + PATIENCE
        while (found := await self.ask("count")) < count:
            if time.monotonic() > end:
                raise RuntimeError(f"{found} of {count} deliveries arrived")
            await asyncio.sleep(0.05)
        return time.monotonic()

    async def take(self) -> Arrived:
        """Returns what arrived since the last call."""
        found: Arrived = await self.ask("take")
        return found


@asynccontextmanager
async def sink() -> AsyncIterator[Sink]:
    pipe = asyncio.subprocess.PIPE
    words = (sys.executable, "-m", "tests.bench.webhook_sink")
    async with child(*words, stdin=pipe, stdout=pipe, limit=1 << 28) as process:
        assert process.stdout
        yield Sink(process, int(await process.stdout.readline()))
        process.kill()


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


def latencies(arrived: Arrived, but: Sequence[str] = ("slow", "dead")) -> dict[str, Any]:
    waits = [(at - committed) / 1e9 for path, some in arrived.items() if path not in but for at, committed, *_ in some]
    return percentiles(waits)


def in_order(arrived: Arrived) -> bool:
    """Whether each card's deliveries came in the order of their commits, at each receiver."""
    for path, rows in arrived.items():
        last: dict[str, int] = defaultdict(int)
        for _, committed, _, card in rows if path != "slow" else ():
            if committed < last[card]:
                return False
            last[card] = committed
    return True


async def measure(rate: int, seconds: int, backlog: int, report: Callable[[str], None]) -> dict[str, Any]:
    with scratch_folder() as folder:
        async with bench_servers(folder) as servers, sink() as receivers:
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
    for group in range(GROUPS):
        await bench.commit([bench.note(group)])
    await sink.until(GROUPS * EACH)
    await sink.take()

    report(f"{rate} deliveries a second for {seconds} s")
    count = await bench.pace(rate, seconds)
    await sink.until(count)
    calm = await sink.take()

    report("the same with one dead and one slow receiver")
    await bench.add((0, "dead"), (0, "slow"))
    await asyncio.sleep(3)
    count = await bench.pace(rate, seconds)
    await sink.until(count)
    troubled = await sink.take()

    report(f"a backlog of {backlog} deliveries")
    began = time.monotonic()
    for _ in range(backlog // EACH // GROUPS // 10):
        await bench.commit([bench.note(group) for group in range(GROUPS) for _ in range(10)])
    count = backlog // EACH // GROUPS // 10 * 10 * GROUPS * EACH
    sustained = count / (await sink.until(count) - began)
    drained = await sink.take()

    report("a replay of one webhook from the beginning")
    events = bench.number // GROUPS
    began = time.monotonic()
    group = 3
    stream = hooks[group * EACH]
    meta = bench.meta(stream, bench.workspace(group), "replay")
    await bench.commit([WebhookReplayed(meta, stream, Micros(0))])
    wanted = sum(len(rows) for name, rows in [*calm.items(), *troubled.items(), *drained.items()] if name == "30") + 1
    replayed = wanted / (await sink.until(wanted) - began)
    again = await sink.take()
    return {
        "benchmark": "webhooks",
        "machine": machine(),
        "settings": {"webhooks": len(hooks), "body_bytes": 1_000, "signed": True, "deliveries_per_second": rate},
        "committed_to_received": latencies(calm),
        "with_one_dead_and_one_slow": latencies(troubled),
        "sustained_per_second": round(sustained),
        "replayed_per_second": round(replayed),
        "replayed": {"deliveries": wanted, "events": events},
        "in_order": all(map(in_order, (calm, troubled, drained, again))),
        "repeated": sum(len(rows) - len({id for *_, id, _ in rows}) for rows in drained.values()),
    }

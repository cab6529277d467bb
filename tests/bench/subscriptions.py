"""Thousands of open subscriptions, each to one deal: how soon each is notified after the commit of a change."""

import asyncio
import sys
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any
from urllib.parse import urlsplit
from uuid import uuid4

import httpx
import msgspec
from psycopg import AsyncConnection

from crm.adapters.processes import child
from crm.envelope import Fact, named_id, now
from crm.facts import FormSubmitted, PaymentReported
from crm.scalars import Id
from crm.shared import Meta
from projections import PROJECTIONS
from tests.bench.machine import machine, percentiles
from tests.bench.streaming import send
from tests.bench.subscription_clients import Plan
from tests.support.workload.facts import RAW, buyer_name, buyer_phone, kafka_record

PATIENCE = 60.0  # seconds for the deals to be there, and for the last notification
FILLING = 2_000  # forms a second that make the deals
DEALS = "SELECT reference, deal_id::text FROM read.deal WHERE workspace = %s AND reference = ANY (%s)"
MEMORY, CPU = "process_resident_memory_bytes", "process_cpu_seconds_total"


def form(workspace: Id, scope: Id, n: int) -> Fact:
    return FormSubmitted(
        meta(workspace, scope, n, "form"), RAW, form="bench", name=buyer_name(n),
        phones=(buyer_phone(n),), amount_minor=100_00, currency="UAH",
        reference=reference(scope, n),
    )  # fmt: skip


def payment(workspace: Id, scope: Id, n: int) -> Fact:
    payment_meta = meta(workspace, scope, n, "payment")
    return PaymentReported(
        payment_meta,
        RAW,
        "monobank",
        f"{scope}-{n}",
        "settled",
        50_00,
        "UAH",
        payment_meta.occurred_at,
        reference=reference(scope, n),
    )


def meta(workspace: Id, scope: Id, n: int, kind: str) -> Meta:
    id, at = named_id(scope, f"{kind}/{n}"), now()
    return Meta(id, workspace, named_id(scope, f"person/{n}"), at, at, scope, id, actor="benchmark")


def reference(scope: Id, n: int) -> str:
    return f"SUB-{scope[:8]}-{n}"


class Committed:
    """When the project role committed each deal's change, by LISTEN/NOTIFY."""

    def __init__(self) -> None:
        self.at: dict[str, float] = {}

    async def listen(self, dsn: str) -> None:
        async with await AsyncConnection.connect(dsn, autocommit=True) as connection:
            await connection.execute("LISTEN changes")
            async for notification in connection.notifies():
                at = time.monotonic()
                notice = msgspec.json.decode(notification.payload)
                if notice.get("projection") == PROJECTIONS["deal"].table:
                    for key in notice["keys"]:
                        self.at.setdefault(key, at)


class Listeners:
    """The process that holds the websockets."""

    def __init__(self, process: asyncio.subprocess.Process) -> None:
        self.process = process
        self.notified: dict[int, float] = {}

    async def ready(self) -> None:
        """Raises RuntimeError when a subscription could not be opened."""
        assert self.process.stdout
        if not (await self.process.stdout.readline()).startswith(b"ready"):
            raise RuntimeError("the subscriptions could not be opened; standard error says why")

    async def follow(self) -> None:
        assert self.process.stdout
        async for line in self.process.stdout:
            number, at = line.split()
            self.notified.setdefault(int(number), float(at))

    async def end(self) -> None:
        assert self.process.stdin
        self.process.stdin.close()
        await self.process.wait()


async def subscriptions(
    graphql_url: str,
    bootstrap: str,
    dsn: str,
    workspace: Id,
    token: str,
    count: int,
    rate: int,
    report: Callable[[str], None],
) -> dict[str, Any]:
    """Opens `count` subscriptions, then pays every deal, `rate` a second. Raises RuntimeError, OSError."""
    scope = Id(str(uuid4()))
    report(f"making {count:,} deals")
    await send(bootstrap, [kafka_record(form(workspace, scope, n)) for n in range(count)], FILLING, lambda _: None)
    deals = await created_deals(dsn, workspace, scope, count)
    before = figures(graphql_url)
    report(f"opening {count:,} subscriptions")
    began = time.monotonic()
    async with open_subscriptions(graphql_url, token, deals) as listeners:
        await listeners.ready()
        opened_in, between = time.monotonic() - began, figures(graphql_url)
        committed = Committed()
        tasks = [asyncio.create_task(committed.listen(dsn)), asyncio.create_task(listeners.follow())]
        report(f"changing each deal, {rate:,} a second")
        began = time.monotonic()
        await send(bootstrap, [kafka_record(payment(workspace, scope, n)) for n in range(count)], rate, lambda _: None)
        end = time.monotonic() + PATIENCE
        while len(listeners.notified) < count and time.monotonic() < end:
            await asyncio.sleep(0.05)
        last, after = time.monotonic(), figures(graphql_url)
        for task in tasks:
            task.cancel()
        await listeners.end()
    waits = [at - committed.at[deals[n]] for n, at in listeners.notified.items() if deals[n] in committed.at]
    return {
        "benchmark": "open subscriptions",
        "machine": machine(),
        "settings": {"subscriptions": count, "changes_per_second": rate},
        "opened_in_s": round(opened_in, 2),
        "report": len(listeners.notified),
        "never_told": count - len(listeners.notified),
        "commit_to_told": percentiles([max(0.0, wait) for wait in waits]),
        "within_1_s": sum(wait <= 1 for wait in waits),
        "told_in_s": round(last - began, 2),
        "api": {
            "memory_mb": round(after[MEMORY] / 1e6),
            "memory_kb_per_subscription": round((between[MEMORY] - before[MEMORY]) / count / 1e3, 1),
            "cpu_ms_to_open_one": round((between[CPU] - before[CPU]) / count * 1e3, 3),
            "cpu_ms_to_notify_one": round((after[CPU] - between[CPU]) / count * 1e3, 3),
        },
    }


async def created_deals(dsn: str, workspace: Id, scope: Id, count: int) -> list[str]:
    """Waits for all deals and returns their ids. Raises RuntimeError."""
    wanted = [reference(scope, n) for n in range(count)]
    end = time.monotonic() + PATIENCE + count / FILLING
    found: dict[str, str] = {}
    async with await AsyncConnection.connect(dsn, autocommit=True) as connection:
        while time.monotonic() < end:
            found = dict(await (await connection.execute(DEALS, [workspace, wanted])).fetchall())
            if len(found) == count:
                return [found[name] for name in wanted]
            await asyncio.sleep(0.5)
    raise RuntimeError(f"{len(found)} of {count} deals were made. Are all roles running?")


@asynccontextmanager
async def open_subscriptions(graphql_url: str, token: str, deals: list[str]) -> AsyncIterator[Listeners]:
    pipe = asyncio.subprocess.PIPE
    parts = urlsplit(graphql_url)
    plan = Plan(parts.hostname or "127.0.0.1", parts.port or 80, token, deals)
    words = (sys.executable, "-m", "tests.bench.subscription_clients")
    async with child(*words, stdin=pipe, stdout=pipe, limit=1 << 20) as process:
        assert process.stdin
        process.stdin.write(msgspec.json.encode(plan) + b"\n")
        await process.stdin.drain()
        yield Listeners(process)


def figures(graphql_url: str) -> dict[str, float]:
    """Returns memory and CPU of the API's process."""
    lines = httpx.get(graphql_url.removesuffix("/graphql") + "/metrics", trust_env=False).text.splitlines()
    pairs = (line.split(" ") for line in lines if line.startswith((MEMORY, CPU)))
    return {name: float(value) for name, value in pairs}

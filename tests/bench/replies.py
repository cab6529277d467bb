"""Replies: from commit to the request at the vendor, replies a second, what a busy and a slow vendor do to others."""

import asyncio
import os
import time
from collections import defaultdict
from collections.abc import Callable, Iterable
from typing import Any
from uuid import uuid4

from psycopg import AsyncConnection

from crm.adapters.postgres import outbox as journal
from crm.connection_secrets import sealed
from crm.envelope import named_id, now
from crm.events import ReplyQueued
from crm.facts import ConnectionDeclared
from crm.scalars import Id
from crm.secret_keys import SecretKeys, new_key
from crm.shared import Meta
from crm.vendor_override import variable
from services.connectors import CONNECTORS
from services.stack.access import publish
from services.stack.role import Role
from tests.bench.bench_servers import bench_servers, running, scratch_folder
from tests.bench.machine import machine, percentiles
from tests.bench.sink import Sink, sink

VENDOR = "whatsapp"
ACCOUNTS, TROUBLED = 100, 10  # connections, and of each sort of bad vendor
TICK = 0.02  # seconds between two commits
Arrived = dict[str, list[tuple[int, int, str, int]]]


class Bench:
    """Servers, roles and the vendor of one run."""

    def __init__(self, bootstrap: str, keys: SecretKeys, vendor: Sink, conn: AsyncConnection):
        self.bootstrap, self.keys, self.vendor, self.conn = bootstrap, keys, vendor, conn
        self.workspace = Id(str(uuid4()))
        self.numbers: dict[tuple[str, int], int] = defaultdict(int)

    def meta(self, id: Id, stream: Id) -> Meta:
        at = now()
        return Meta(id, self.workspace, stream, at, at, "bench", id, actor=VENDOR)

    async def connect(self, accounts: Iterable[str]) -> None:
        facts = []
        for account in accounts:
            id = named_id(self.workspace, account)
            declared = ConnectionDeclared(self.meta(id, id), id, VENDOR, account, "secret", {"token": "TEST-token"})
            facts.append(sealed(declared, self.keys))
        await publish(self.bootstrap, *((fact.connection, fact) for fact in facts))

    def reply(self, account: str, chat: int = 0) -> ReplyQueued:
        """Returns the next reply of a conversation; its text says when it was made."""
        self.numbers[account, chat] += 1
        number = self.numbers[account, chat]
        conversation = named_id(self.workspace, f"{account}/{chat}")
        message = named_id(conversation, str(number))
        where: dict[str, Any] = {
            "connection_id": named_id(self.workspace, account),
            "connector": VENDOR,
            "account": account,
        }
        text, to = f"{time.time_ns()} {number}", f"38050{int(''.join(filter(str.isdecimal, account))):04}{chat:03}"
        about = self.meta(message, conversation)
        return ReplyQueued(about, message, conversation, conversation, text, chat=to, asked_at=now(), **where)

    async def commit(self, places: Iterable[tuple[str, int]]) -> int:
        replies = [self.reply(*place) for place in places]
        async with self.conn.transaction():
            await journal.append(self.conn, [journal.packed(one) for one in replies])
        return sum(one.account.isdecimal() for one in replies)

    async def pace(self, places: list[tuple[str, int]], rate: int, seconds: float) -> int:
        """Commits replies at a steady rate, to each place in turn. Returns how many of them go to good accounts."""
        began, sent, good = time.monotonic(), 0, 0
        while (passed := time.monotonic() - began) < seconds:
            if (wanted := round(passed * rate)) > sent:
                good += await self.commit(places[n % len(places)] for n in range(sent, wanted))
                sent = wanted
            await asyncio.sleep(TICK)
        return good

    async def latency(self, places: list[tuple[str, int]], rate: int, seconds: float) -> dict[str, Any]:
        """Returns the time from commit to the request, of good accounts."""
        await self.vendor.until(await self.pace(places, rate, seconds))
        arrived = await self.take()
        return percentiles([(at - made) / 1e9 for rows in arrived.values() for at, made, *_ in rows])

    async def speed(self, places: list[tuple[str, int]], each: int) -> float:
        """Returns replies a second of a backlog that is committed at once."""
        began = time.monotonic()
        for _ in range(each):
            await self.commit(places)
        found = each * len(places) / (await self.vendor.until(each * len(places)) - began)
        await self.take()
        return round(found, 1)

    async def take(self) -> Arrived:
        """Returns what arrived at good accounts. Raises RuntimeError where an order was broken, or one came twice."""
        arrived: Arrived = await self.vendor.take()
        last: dict[tuple[str, str], int] = defaultdict(int)
        for account, rows in arrived.items():
            for _, _, chat, number in rows:
                if number <= last[account, chat]:
                    raise RuntimeError(f"reply {number} of chat {chat} came twice or out of order")
                last[account, chat] = number
        return {account: rows for account, rows in arrived.items() if account.isdecimal()}


async def measure(rate: int, seconds: int, report: Callable[[str], None]) -> dict[str, Any]:
    with scratch_folder() as folder:
        async with bench_servers(folder) as servers, sink("tests.bench.reply_sink") as vendor:
            environment = {
                **os.environ,
                variable(VENDOR): f"http://127.0.0.1:{vendor.port}",
                "KAFKA_BOOTSTRAP": servers.bootstrap,
                "DATABASE_URL": servers.dsn,
                "CRM_SECRETS_KEY": (key := new_key()),
                "CRM_LOG_LEVEL": "error",
            }
            parts = [Role(name, module, 1, environment) for name, module in ROLES.items()]
            async with running(*parts), await AsyncConnection.connect(servers.dsn, autocommit=True) as conn:
                await conn.execute("INSERT INTO core.compared VALUES (core.this_server()) ON CONFLICT DO NOTHING")
                return await run(Bench(servers.bootstrap, SecretKeys(key), vendor, conn), rate, seconds, report)


ROLES = {"relay": "streams.relay", "project": "streams.project", "outbound": "services.outbound"}


async def run(bench: Bench, rate: int, seconds: int, report: Callable[[str], None]) -> dict[str, Any]:
    own = [(str(n), 0) for n in range(ACCOUNTS)]  # a conversation of each connection
    one, shared = [("0", 0)], [("1", chat) for chat in range(ACCOUNTS)]
    bad = [(f"{sort}{n}", 0) for sort in ("busy", "slow") for n in range(TROUBLED)]
    report(f"connecting {ACCOUNTS + len(bad)} accounts")
    await bench.connect([account for account, _ in own + bad])
    await bench.vendor.until(await bench.commit(own))
    await bench.take()

    report("one conversation")
    alone = await bench.latency(one, 5, seconds)
    one_speed = await bench.speed(one, 300)
    report(f"{ACCOUNTS} conversations of one connection")
    shared_speed = await bench.speed(shared, 8)
    report(f"{ACCOUNTS} connections")
    own_speed = await bench.speed(own, 40)

    report(f"{rate} replies a second by {ACCOUNTS} connections")
    calm = [await bench.latency(own, rate, seconds) for _ in range(2)]
    report("the same, with vendors that are busy or slow")
    mixed = [place for n, place in enumerate(own) for place in ([place, bad[n // 5]] if n % 5 == 0 else [place])]
    mixed_rate = round(rate * len(mixed) / len(own))
    troubled = [await bench.latency(mixed, mixed_rate, seconds) for _ in range(2)]
    limits = CONNECTORS[VENDOR].send
    assert limits
    return {
        "benchmark": "replies",
        "machine": machine(),
        "settings": {
            "connections": ACCOUNTS,
            "replies_per_second": rate,
            "seconds": seconds,
            "most_per_second_of_a_connection": limits.limits.per_second,
            "busy_vendors": TROUBLED,
            "slow_vendors": TROUBLED,
        },
        "committed_to_request": {
            "one conversation, 5/s": alone,
            **{f"{ACCOUNTS} connections, round {n}": round for n, round in enumerate(calm, 1)},
            **{f"the same with bad vendors, round {n}": round for n, round in enumerate(troubled, 1)},
        },
        "per_second": {
            "one conversation": one_speed,
            f"{ACCOUNTS} conversations of one connection": shared_speed,
            f"{ACCOUNTS} connections": own_speed,
        },
        "refused_with_429": await bench.vendor.ask("refused"),
    }

"""`crm bench screen-pop`: from the POST of a telephone system to the screen and to a webhook, at a million contacts.

All roles run, each screen is of one employee, and nobody is known to decide: each call makes a card and a deal, which
is the longest way that a call takes.
"""

import asyncio
import json
import os
import sys
import time
from collections.abc import Iterator
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Any
from urllib.parse import urlencode
from uuid import uuid4

import httpx
import psycopg
from aiohttp import web
from psycopg import AsyncConnection

from crm.adapters.postgres import outbox as journal
from crm.connection_secrets import sealed, webhook_declared
from crm.envelope import named_id, now
from crm.events import WebhookAdded
from crm.scalars import Id
from crm.secret_keys import VARIABLE, SecretKeys, new_key
from crm.shared import Meta
from services.stack.access import declare_connection, publish
from services.stack.ports import LOCAL
from services.stack.role import Role
from services.stack.workspaces import open_workspace, validate
from tests.bench.bench_servers import BenchServers, bench_servers, running, scratch_folder
from tests.bench.lookups import Say, callers
from tests.bench.machine import machine, percentiles
from tests.bench.paced_queries import Post, paced_posts
from tests.bench.processor import per_one, processor_us
from tests.bench.rings import EXCHANGE, HEADERS, Intake
from tests.support.webhook_receiver import SECRET, Received, WebhookReceiver
from tests.support.workload import dataset

GOAL = 100.0  # milliseconds within which 99 of 100 are shown
WARM_UP = 5  # seconds
PATIENCE = 30.0  # seconds for the last one
ROLES = {
    "decide": "streams.decide",
    "relay": "streams.relay",
    "project": "streams.project",
    "outbound": "services.outbound",
}


class Seen:
    """When each call was posted, and when it was seen on a screen and by the webhook, by its number."""

    def __init__(self) -> None:
        self.posted: dict[str, float] = {}
        self.shown: dict[str, float] = {}
        self.hooked: dict[str, float] = {}
        self.wrong = 0

    async def settled(self) -> None:
        """Waits until all that was posted was seen. What is missing then stays so."""
        end = time.monotonic() + PATIENCE
        while time.monotonic() < end and min(len(self.shown), len(self.hooked)) < len(self.posted):
            await asyncio.sleep(0.05)

    def waits(self, seen: dict[str, float], after: float) -> list[float]:
        return [seen[call] - at for call, at in self.posted.items() if at >= after and call in seen]


async def screen_pop(contacts: int, rate: int, seconds: int, screens: int, say: Say) -> dict[str, Any]:
    """Rings; each number is written in a random spelling, and nine of ten are known."""
    with scratch_folder() as folder:
        async with bench_servers(folder) as servers:
            say(f"making {contacts} contacts and {contacts // 5} deals")
            await asyncio.to_thread(fill, servers, contacts, screens)
            return await measure(servers, folder, contacts, rate, seconds, screens, say)


def fill(servers: BenchServers, contacts: int, screens: int) -> None:
    owners = {"owner_id": dataset.id_of("owner"), "key": "'owner' || n", "name": "'Owner ' || n"}
    owners |= {"extension": "(100 + n)::text", "active": "true"}
    with psycopg.connect(servers.dsn, autocommit=True) as conn:
        dataset.fill(conn, servers.workspace, "owner", screens, owners)
        dataset.fill(conn, servers.workspace, "contact", contacts, dataset.contacts(contacts))
        dataset.fill(conn, servers.workspace, "deal", contacts // 5, dataset.deals(contacts // 5))
        dataset.settle(conn)
        conn.execute("INSERT INTO core.compared VALUES (core.this_server()) ON CONFLICT DO NOTHING")


async def measure(
    servers: BenchServers, folder: Path, contacts: int, rate: int, seconds: int, screens: int, say: Say
) -> dict[str, Any]:
    key, seen = new_key(), Seen()
    keys = SecretKeys(key)
    home = validate("Bench", "UA", "UAH", "Europe/Kyiv", ("owner0",))
    await open_workspace(servers.bootstrap, servers.dsn, home, servers.workspace)
    connection = await declare_connection(servers.bootstrap, servers.workspace, EXCHANGE, "exchange", keys=keys)
    environment = {"KAFKA_BOOTSTRAP": servers.bootstrap, "DATABASE_URL": servers.dsn, VARIABLE: key}
    environment |= {"CRM_LOG_LEVEL": "error", "CRM_WEBHOOK_HOSTS": LOCAL}
    api = servers.api(folder, **{VARIABLE: key})
    intake = Intake("intake", [sys.executable, "-m", "services.intake"], folder, environment)
    intake.environment["CRM_API_URL"] = f"http://{LOCAL}:{api.port}"
    parts = [Role(name, module, 1, {**os.environ, **environment}) for name, module in ROLES.items()]

    async def note(received: Received) -> web.Response:
        if received.event["data"].get("caller"):
            seen.hooked.setdefault(received.event["data"]["call"], time.perf_counter())
        return web.Response(status=204)

    async with AsyncExitStack() as stack:
        receiver = await stack.enter_async_context(WebhookReceiver(behave=note))
        await stack.enter_async_context(running(api, intake, *parts))
        await add_webhook(servers, keys, receiver.url)
        http = await stack.enter_async_context(httpx.AsyncClient(trust_env=False, timeout=None))
        tasks = [
            asyncio.create_task(watch(http, f"http://{LOCAL}:{api.port}", servers.token, 100 + n, seen))
            for n in range(screens)
        ]
        try:
            posts = rings(contacts, screens, seen)
            address = f"http://{LOCAL}:{intake.port}/in/{connection}"
            await paced_posts(address, HEADERS, posts, rate, WARM_UP)
            await seen.settled()
            say(f"ringing {rate} times a second for {seconds} s at {screens} screens")
            began, before = time.perf_counter(), processor_us()
            accepted = await paced_posts(address, HEADERS, posts, rate, seconds)
            await seen.settled()
            count = sum(at >= began for at in seen.posted.values())
            cost = per_one(before, count)
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)
    shown, hooked = seen.waits(seen.shown, began), seen.waits(seen.hooked, began)
    found = percentiles(shown)
    return {
        "benchmark": "screen-pop",
        "machine": machine(),
        "settings": {
            "contacts": contacts,
            "deals": contacts // 5,
            "screens": screens,
            "rings_per_second": rate,
            "seconds": seconds,
        },
        "posted_to_accepted": {name: accepted[name] for name in found},
        "posted_to_screen": found,
        "posted_to_webhook": percentiles(hooked),
        "processor_us_per_ring": cost,
        "rings": count,
        "never_shown": count - len(shown),
        "never_at_the_webhook": count - len(hooked),
        "wrong": seen.wrong + accepted["wrong"],
        "goal_p99_ms": GOAL,
        "goals_met": bool(shown) and len(shown) == count and found["p99_ms"] < GOAL and not seen.wrong,
    }


async def add_webhook(servers: BenchServers, keys: SecretKeys, url: str) -> None:
    id, at = Id(str(uuid4())), now()
    meta = Meta(named_id(id, "added"), servers.workspace, id, at, at, "bench", id, actor="benchmark")
    event = WebhookAdded(meta, id, "Receiver", url, at, ("CallUpdated",))
    await publish(servers.bootstrap, (id, sealed(webhook_declared(event, SECRET), keys)))
    async with await AsyncConnection.connect(servers.dsn, autocommit=True) as conn, conn.transaction():
        await journal.append(conn, [journal.packed(event)])


async def watch(http: httpx.AsyncClient, api: str, token: str, employee: int, seen: Seen) -> None:
    """Follows one screen. Each call has to be that of its employee, and to name the contact with the number."""
    headers = {"authorization": f"Bearer {token}"}
    async with http.stream("GET", f"{api}/screen-pop", params={"employee": employee}, headers=headers) as answer:
        async for line in answer.aiter_lines():
            if not line.startswith("data: "):
                continue
            at, said = time.perf_counter(), json.loads(line[6:])
            if "contacts" in said:
                take(said, at, employee, seen)


def take(said: dict[str, Any], at: float, employee: int, seen: Seen) -> None:
    line, phone = said["line"], said["phone"]
    seen.shown.setdefault(str(int(line[-7:])), at)
    named = [one["said"] for one in [said["employee"]] if one]
    known = bool(said["contacts"]) and phone.startswith("+38067")
    seen.wrong += named != [str(employee)] or known != (int(phone[-7:]) < 8_000_000)


def rings(contacts: int, screens: int, seen: Seen) -> Iterator[Post]:
    """The line that was called carries the number of the call, so that a screen can tell it."""
    for number, (variables, _) in enumerate(callers(contacts), 1):
        form = {
            "requestType": "receivedTheCall",
            "callType": "0",
            "generalCallID": str(number),
            "externalNumber": variables["phone"],
            "internalNumber": str(100 + number % screens),
            "didNumber": f"044{number:07d}",
        }
        seen.posted[str(number)] = time.perf_counter()
        yield urlencode(form).encode(), accepted


def accepted(body: bytes) -> str:
    return "" if b"success" in body else body.decode()

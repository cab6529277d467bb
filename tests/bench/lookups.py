"""`crm bench caller` and `crm bench search`: one contact among a million, on servers of their own."""

import asyncio
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from random import Random
from typing import Any

import psycopg

from crm.scalars import Id
from tests.bench.bench_servers import BenchServers, bench_servers, running, scratch_folder
from tests.bench.machine import machine
from tests.bench.paced_queries import Wrong, paced
from tests.support.workload import dataset

CALLER = """query ($phone: String!) {
  caller(phone: $phone) { phone contact { id name phones } openDeals { number title stage } owner } }"""
SEARCH = """query ($text: String!) {
  search(text: $text) { hits { exact why rank node { ... on Contact { id name phones } ... on Deal { number } } } } }"""
SPELLINGS = (
    "+38067{0}",
    "067{0}",
    "38067{0}",
    "0038067{0}",
    "+38 (067) {0:.3}-{1}-{2}",
    "067 {0:.3} {1} {2}",
    "(067) {0:.3}-{1}-{2}",
    "067.{0:.3}.{1}.{2}",
)
GOAL = 10.0  # milliseconds that 99 of 100 callers are known within
WARM_UP = 2  # seconds
Say = Callable[[str], None]
Queries = Iterator[tuple[dict[str, Any], Wrong]]


async def caller(contacts: int, rate: int, seconds: int, say: Say) -> dict[str, Any]:
    """Nine of ten numbers are known; each is written in a random spelling."""
    found = await measure("caller", CALLER, callers(contacts), contacts, rate, seconds, say)
    return found | {"goal_p99_ms": GOAL, "goals_met": found["p99_ms"] < GOAL and not found["wrong"]}


async def search(contacts: int, rate: int, seconds: int, say: Say) -> dict[str, Any]:
    """Searches whole, partial and misspelt names in both alphabets, parts of phones and e-mails, and deal numbers."""
    return await measure("search", SEARCH, texts(contacts), contacts, rate, seconds, say)


async def measure(
    name: str, query: str, queries: Queries, contacts: int, rate: int, seconds: int, say: Say
) -> dict[str, Any]:
    with scratch_folder() as folder:
        async with bench_servers(folder) as servers:
            say(f"making {contacts} contacts and {contacts // 5} deals")
            await asyncio.to_thread(fill_database, servers.dsn, servers.workspace, contacts)
            return await measure_queries(servers, folder, name, query, queries, contacts, rate, seconds, say)


async def measure_queries(
    servers: BenchServers,
    folder: Path,
    name: str,
    query: str,
    queries: Queries,
    contacts: int,
    rate: int,
    seconds: int,
    say: Say,
) -> dict[str, Any]:
    api = servers.api(folder)
    async with running(api):
        await paced(api.url, servers.token, query, queries, rate, WARM_UP)
        say(f"asking {rate} times a second for {seconds} s")
        found = await paced(api.url, servers.token, query, queries, rate, seconds)
    settings = {"contacts": contacts, "deals": contacts // 5, "rate": rate, "seconds": seconds}
    return {"benchmark": name, "machine": machine(), "settings": settings, **found}


def fill_database(dsn: str, workspace: Id, contacts: int) -> None:
    deals = contacts // 5
    with psycopg.connect(dsn, autocommit=True) as conn:
        country = {"pipeline_id": dataset.id_of("pipeline"), "country": "'UA'", "stages": "'{stage 0,stage 1}'"}
        dataset.fill(conn, workspace, "pipeline", 1, country)
        dataset.fill(conn, workspace, "contact", contacts, dataset.contacts(contacts))
        dataset.fill(conn, workspace, "deal", deals, dataset.deals(deals))
        dataset.settle(conn)


def callers(contacts: int) -> Queries:
    """Yields the same numbers in each run."""
    dice = Random(7)
    while True:
        known = dice.random() < 0.9
        digits = f"{dice.randrange(contacts) if known else dice.randrange(8_000_000, 9_000_000):07d}"
        spelt = dice.choice(SPELLINGS).format(digits, digits[3:5], digits[5:])
        yield {"phone": spelt}, partial(is_wrong, f"+38067{digits}", known)


def is_wrong(phone: str, known: bool, data: Any) -> bool:
    caller = data["caller"]
    return caller["phone"] != phone or (
        caller["contact"]["phones"] != [phone] if known else caller["contact"] is not None
    )


def texts(contacts: int) -> Queries:
    dice = Random(7)
    first, surnames = dataset.FIRST.split(), dataset.SURNAMES.split()
    while True:
        n = dice.randrange(contacts)
        name, surname = first[n % len(first)], surnames[n // len(first) % len(surnames)]
        text = dice.choice(
            (
                *(
                    f"{name} {surname}",
                    f"{surname} {name[:2]}",
                    surname[:5],
                    f"067{n:07d}",
                    f"{n:07d}",
                    f"client{n}@exam",
                ),
                *(f"{surname[:2]}{surname[3:]} {name}", f"D-{n // 5 + 1}", f"{surname} {n:07d}"),
            )
        )
        yield {"text": text}, lambda data: not data["search"]["hits"]

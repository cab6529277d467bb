"""`crm bench caller` and `crm bench search`: one person among a million, on servers of their own."""

import asyncio
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from random import Random
from typing import Any

import psycopg

from crm.scalars import Id
from tests.bench import people
from tests.bench.alone import Alone, alone, running, scratch
from tests.bench.machine import machine
from tests.bench.paced import Wrong, paced

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
Questions = Iterator[tuple[dict[str, Any], Wrong]]


async def caller(contacts: int, rate: int, seconds: int, say: Say) -> dict[str, Any]:
    """Of ten numbers nine are somebody's, each in a spelling taken at random."""
    found = await measured("caller", CALLER, callers(contacts), contacts, rate, seconds, say)
    return found | {"goal_p99_ms": GOAL, "goals_met": found["p99_ms"] < GOAL and not found["wrong"]}


async def search(contacts: int, rate: int, seconds: int, say: Say) -> dict[str, Any]:
    """Names in both alphabets, whole, begun and misspelt; parts of phones and e-mails; deals by number."""
    return await measured("search", SEARCH, texts(contacts), contacts, rate, seconds, say)


async def measured(
    name: str, query: str, questions: Questions, contacts: int, rate: int, seconds: int, say: Say
) -> dict[str, Any]:
    with scratch() as folder:
        async with alone(folder) as here:
            say(f"making {contacts} contacts and {contacts // 5} deals")
            await asyncio.to_thread(fill, here.dsn, here.workspace, contacts)
            return await asked(here, folder, name, query, questions, contacts, rate, seconds, say)


async def asked(
    here: Alone,
    folder: Path,
    name: str,
    query: str,
    questions: Questions,
    contacts: int,
    rate: int,
    seconds: int,
    say: Say,
) -> dict[str, Any]:
    api = here.api(folder)
    async with running(api):
        await paced(api.url, here.token, query, questions, rate, WARM_UP)
        say(f"asking {rate} times a second for {seconds} s")
        found = await paced(api.url, here.token, query, questions, rate, seconds)
    settings = {"contacts": contacts, "deals": contacts // 5, "rate": rate, "seconds": seconds}
    return {"benchmark": name, "machine": machine(), "settings": settings, **found}


def fill(dsn: str, workspace: Id, contacts: int) -> None:
    deals = contacts // 5
    with psycopg.connect(dsn, autocommit=True) as conn:
        country = {"pipeline_id": people.id_of("pipeline"), "country": "'UA'", "stages": "'{stage 0,stage 1}'"}
        people.fill(conn, workspace, "pipeline", 1, country)
        people.fill(conn, workspace, "contact", contacts, people.contacts(contacts))
        people.fill(conn, workspace, "deal", deals, people.deals(deals))
        people.settle(conn)


def callers(contacts: int) -> Questions:
    """The same ones in each run."""
    dice = Random(7)
    while True:
        known = dice.random() < 0.9
        digits = f"{dice.randrange(contacts) if known else dice.randrange(8_000_000, 9_000_000):07d}"
        spelt = dice.choice(SPELLINGS).format(digits, digits[3:5], digits[5:])
        yield {"phone": spelt}, partial(is_not, f"+38067{digits}", known)


def is_not(phone: str, known: bool, data: Any) -> bool:
    told = data["caller"]
    return told["phone"] != phone or (told["contact"]["phones"] != [phone] if known else told["contact"] is not None)


def texts(contacts: int) -> Questions:
    dice = Random(7)
    first, surnames = people.FIRST.split(), people.SURNAMES.split()
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

"""The run: fill, start all, compare the answers, then time each question with each server in turn."""

import asyncio
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from importlib.metadata import version
from pathlib import Path
from typing import Any

import psycopg

from tests.bench import people
from tests.bench.alone import Alone, Program, alone, running, scratch
from tests.bench.graphql import rivals, tables, wrk
from tests.bench.graphql.questions import Question, content, questions
from tests.bench.graphql.wrk import Load
from tests.bench.machine import machine

ASKED = 1_000  # contacts that the small question goes round
COMPARED = 20  # answers of each question that are compared before anything is timed
AHEAD = 1.5  # times PostGraphile, on each question
Say = Callable[[str], None]


async def measure(contacts: int, settings: Load, with_postgraphile: bool, say: Say) -> dict[str, Any]:
    """Five deals a contact, a payment a deal, on servers of its own.

    Raises ValueError when a tool is missing, RuntimeError when two answers differ.
    """
    wrk.program()
    with scratch() as folder:
        postgraphile = rivals.install(say) if with_postgraphile else None
        async with alone(folder) as here:
            return await beside(here, contacts, settings, postgraphile, folder, say)


async def beside(
    here: Alone, contacts: int, settings: Load, postgraphile: Path | None, folder: Path, say: Say
) -> dict[str, Any]:
    """On the servers given, whose tables are empty. `postgraphile`: where it is installed, if it is to take part."""
    say(f"making {contacts} contacts and {contacts * people.DEALS_EACH} deals")
    await asyncio.to_thread(fill, here, contacts)
    servers = [here.api(folder), rivals.plain_strawberry(here.dsn, folder)]
    if postgraphile:
        servers.append(rivals.postgraphile(here.dsn, folder, postgraphile))
    async with running(*servers):
        asked = await asyncio.to_thread(some_contacts, here.dsn)
        found = [await one(question, servers, folder, settings, say) for question in questions(asked)]
    return {
        "benchmark": "graphql",
        "machine": machine(),
        "settings": {
            "contacts": contacts,
            "deals": contacts * people.DEALS_EACH,
            "connections": settings.connections,
            "seconds": settings.seconds,
            "processes_each": 1,
            "postgres_connections_each": int(rivals.POOL),
            "load": "wrk, one thread",
        },
        "versions": versions(here.dsn) | (rivals.postgraphile_versions() if postgraphile else {}),
        "questions": found,
        "goals_met": all(row["goals_met"] for row in found),
    }


def versions(dsn: str) -> dict[str, str]:
    with psycopg.connect(dsn) as conn:
        (server,) = conn.execute("SHOW server_version").fetchone() or ("",)
    return {"postgres": server, **{name: version(name) for name in ("strawberry-graphql", "uvicorn", "psycopg")}}


def fill(here: Alone, contacts: int) -> None:
    deals = contacts * people.DEALS_EACH
    with psycopg.connect(here.dsn, autocommit=True) as conn:
        people.fill(conn, here.workspace, "contact", contacts, people.contacts(contacts))
        people.fill(conn, here.workspace, "deal", deals, people.deals(deals))
        people.fill(conn, here.workspace, "payment", deals, people.payments(deals))
        tables.copy(conn)
        people.settle(conn)


def some_contacts(dsn: str) -> Sequence[Any]:
    with psycopg.connect(dsn) as conn:
        found = conn.execute("SELECT contact_id FROM rival.contact ORDER BY contact_id LIMIT %s", [ASKED])
        return [id for (id,) in found]


async def one(question: Question, servers: Sequence[Program], folder: Path, settings: Load, say: Say) -> dict[str, Any]:
    say(f"{question.name}: comparing the answers")
    size = await compared(question, servers)
    rates: dict[str, Any] = {}
    for server in servers:
        say(f"{question.name}: {server.name}")
        bodies = question.bodies(server.name)
        for seconds in filter(None, (settings.warm_up, settings.seconds)):
            load = replace(settings, seconds=seconds)
            rates[server.name] = await wrk.drive(server.url, server.token, bodies, folder, load)
    return {"question": question.name, "about": question.about, "bytes": size, **rates, **judged(question, rates)}


def judged(question: Question, rates: Mapping[str, Any]) -> dict[str, Any]:
    ours = rates["potik"]["requests_per_s"]
    ratios = {
        f"times_{name.replace(' ', '_')}": round(ours / rate["requests_per_s"], 2)
        for name, rate in rates.items()
        if name != "potik" and rate["requests_per_s"]
    }
    enough = ours >= (question.goal or 0) and ratios.get("times_postgraphile", AHEAD) >= AHEAD
    clean = not any(rate["errors"] for rate in rates.values())
    return {"goal_per_s": question.goal, **ratios, "goals_met": enough and clean}


async def compared(question: Question, servers: Sequence[Program]) -> int:
    """Bytes of our answer. Raises RuntimeError when somebody answers something else."""
    size = 0
    for number in range(min(COMPARED, len(question.variables))):
        answers = {s.name: await s.ask(question.bodies(s.name)[number]) for s in servers}
        told = {name: answer.json() for name, answer in answers.items()}
        for name, answer in told.items():
            if "errors" in answer or not answer.get("data"):
                raise RuntimeError(f"{name} cannot answer {question.name!r}: {str(answer)[:600]}")
            if content(answer["data"]) != content(told["potik"]["data"]):
                mine, theirs = str(content(told["potik"]["data"])), str(content(answer["data"]))
                raise RuntimeError(f"{name} answers {question.name!r} otherwise.\n{mine[:900]}\n{theirs[:900]}")
        size = len(answers["potik"].content)
    return size

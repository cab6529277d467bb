"""Fills the tables, starts the servers, compares their answers, then measures each query on each server."""

import asyncio
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from importlib.metadata import version
from pathlib import Path
from typing import Any

import psycopg

from tests.bench.bench_servers import BenchServers, Program, bench_servers, running, scratch_folder
from tests.bench.graphql import rivals, tables, wrk
from tests.bench.graphql.queries import Query, content, queries
from tests.bench.graphql.wrk import Load
from tests.bench.machine import machine
from tests.support.workload import dataset

SMALL_QUERY_CONTACTS = 1_000  # contacts that the small question goes round
COMPARED = 20  # answers of each question that are compared before anything is timed
AHEAD = 1.5  # times PostGraphile, on each question
Say = Callable[[str], None]


async def measure(contacts: int, settings: Load, with_postgraphile: bool, say: Say) -> dict[str, Any]:
    """Measures with five deals per contact and one payment per deal, on servers of its own.

    Raises ValueError when a tool is missing, RuntimeError when two answers differ.
    """
    wrk.program()
    with scratch_folder() as folder:
        postgraphile = rivals.install(say) if with_postgraphile else None
        async with bench_servers(folder) as bench:
            return await compare_servers(bench, contacts, settings, postgraphile, folder, say)


async def compare_servers(
    bench: BenchServers, contacts: int, settings: Load, postgraphile: Sequence[str] | None, folder: Path, say: Say
) -> dict[str, Any]:
    """Measures on the given servers, whose tables are empty. `postgraphile`: its command, if it takes part."""
    say(f"making {contacts} contacts and {contacts * dataset.DEALS_EACH} deals")
    await asyncio.to_thread(fill, bench, contacts)
    servers = [bench.api(folder), rivals.plain_strawberry(bench.dsn, folder)]
    if postgraphile:
        servers.append(rivals.postgraphile(bench.dsn, folder, postgraphile))
    async with running(*servers):
        contact_ids = await asyncio.to_thread(some_contacts, bench.dsn)
        found = [await one(query, servers, folder, settings, say) for query in queries(contact_ids)]
    return {
        "benchmark": "graphql",
        "machine": machine(),
        "settings": {
            "contacts": contacts,
            "deals": contacts * dataset.DEALS_EACH,
            "connections": settings.connections,
            "seconds": settings.seconds,
            "processes_each": 1,
            "postgres_connections_each": int(rivals.POOL),
            "load": "wrk, one thread",
        },
        "versions": versions(bench.dsn) | (rivals.postgraphile_versions() if postgraphile else {}),
        "questions": found,
        "goals_met": all(row["goals_met"] for row in found),
    }


def versions(dsn: str) -> dict[str, str]:
    with psycopg.connect(dsn) as conn:
        (server,) = conn.execute("SHOW server_version").fetchone() or ("",)
    return {"postgres": server, **{name: version(name) for name in ("strawberry-graphql", "uvicorn", "psycopg")}}


def fill(bench: BenchServers, contacts: int) -> None:
    deals = contacts * dataset.DEALS_EACH
    with psycopg.connect(bench.dsn, autocommit=True) as conn:
        dataset.fill(conn, bench.workspace, "contact", contacts, dataset.contacts(contacts))
        dataset.fill(conn, bench.workspace, "deal", deals, dataset.deals(deals))
        dataset.fill(conn, bench.workspace, "payment", deals, dataset.payments(deals))
        tables.copy(conn)
        dataset.settle(conn)


def some_contacts(dsn: str) -> Sequence[Any]:
    with psycopg.connect(dsn) as conn:
        found = conn.execute(
            "SELECT contact_id FROM rival.contact ORDER BY contact_id LIMIT %s", [SMALL_QUERY_CONTACTS]
        )
        return [id for (id,) in found]


async def one(query: Query, servers: Sequence[Program], folder: Path, settings: Load, say: Say) -> dict[str, Any]:
    say(f"{query.name}: comparing the answers")
    size = await compare_answers(query, servers)
    rates: dict[str, Any] = {}
    for server in servers:
        say(f"{query.name}: {server.name}")
        bodies = query.bodies(server.name)
        for seconds in filter(None, (settings.warm_up, settings.seconds)):
            load = replace(settings, seconds=seconds)
            rates[server.name] = await wrk.drive(server.url, server.token, bodies, folder, load)
    return {
        "question": query.name,
        "about": query.about,
        "bytes": size,
        **rates,
        **compare_rates(query, rates),
    }


def compare_rates(query: Query, rates: Mapping[str, Any]) -> dict[str, Any]:
    ours = rates["potik"]["requests_per_s"]
    ratios = {
        f"times_{name.replace(' ', '_')}": round(ours / rate["requests_per_s"], 2)
        for name, rate in rates.items()
        if name != "potik" and rate["requests_per_s"]
    }
    enough = ours >= (query.goal or 0) and ratios.get("times_postgraphile", AHEAD) >= AHEAD
    clean = not any(rate["errors"] for rate in rates.values())
    return {"goal_per_s": query.goal, **ratios, "goals_met": enough and clean}


async def compare_answers(query: Query, servers: Sequence[Program]) -> int:
    """Returns the size of our answer in bytes. Raises RuntimeError when another server's answer differs."""
    size = 0
    for number in range(min(COMPARED, len(query.variables))):
        answers = {s.name: await s.ask(query.bodies(s.name)[number]) for s in servers}
        answered = {name: answer.json() for name, answer in answers.items()}
        for name, answer in answered.items():
            if "errors" in answer or not answer.get("data"):
                raise RuntimeError(f"{name} cannot answer {query.name!r}: {str(answer)[:600]}")
            if content(answer["data"]) != content(answered["potik"]["data"]):
                mine, theirs = str(content(answered["potik"]["data"])), str(content(answer["data"]))
                raise RuntimeError(f"{name} answers {query.name!r} otherwise.\n{mine[:900]}\n{theirs[:900]}")
        size = len(answers["potik"].content)
    return size

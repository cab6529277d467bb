"""Runs the chosen parts, on servers of their own, and compares what they found with the goals."""

import asyncio
from collections.abc import Callable, Collection, Sequence
from pathlib import Path
from typing import Any

import psycopg

from tests.bench.bench_servers import BenchServers, bench_servers, running, scratch_folder
from tests.bench.graphql import rivals, wrk
from tests.bench.machine import machine
from tests.bench.open_api import deals, pages, rival, streaming_in
from tests.bench.open_api.posting import CONNECTIONS, OpenApi, own_stack

STREAMED = ("intake", "upserts", "forms", "batch")  # on a stack
READ = ("pages", "totals", "postgraphile")  # on an API whose tables are filled
PARTS = (*STREAMED, *READ)
Say = Callable[[str], None]
Found = dict[str, Any]


async def bench(parts: Collection[str], seconds: int, deals: int, questions: int, say: Say) -> Found:
    """Raises ValueError when a tool is missing, RuntimeError when an answer is wrong."""
    installed = None
    if "postgraphile" in parts:
        wrk.program()
        installed = rivals.install(say)
    found: Found = {}
    if any(part in parts for part in STREAMED):
        with scratch_folder() as folder:
            async with running(own_stack(folder)):
                found |= await streamed(folder, parts, seconds, say)
    if any(part in parts for part in READ):
        with scratch_folder() as folder:
            async with bench_servers(folder) as servers:
                found |= await read(servers, folder, parts, seconds, deals, questions, installed, say)
    goals = list(compared(found))
    settings = {"parts": [part for part in PARTS if part in parts], "seconds": seconds}
    settings |= {"deals": deals, "questions_each": questions, "page": pages.FIRST, "facts_connections": CONNECTIONS}
    settings |= {"facts_a_body": streaming_in.LINES, "forms_per_s": streaming_in.FORMS}
    head = {"benchmark": "the open API", "command": "crm bench open-api --json", "machine": machine()}
    return {**head, "settings": settings, "goals": goals, **found, "goals_met": all(row["met"] for row in goals)}


async def streamed(folder: Path, parts: Collection[str], seconds: int, say: Say) -> Found:
    """Measures on a running stack whose data is in the folder."""
    found: Found = {}
    async with OpenApi(folder, say) as api:
        await streaming_in.define_type(api)
        if "intake" in parts:
            say("POST /facts")
            found["post_facts"] = await streaming_in.intake(api, seconds)
        if "upserts" in parts or "batch" in parts:
            kinds = ("product", "deal") if "upserts" in parts else ("deal",)
            found["upserts"] = {kind: await streaming_in.upserts(api, kind, seconds) for kind in kinds}
        if "forms" in parts:
            say("forms during updates")
            found["forms_during_updates"] = await streaming_in.forms_during_updates(api, 3 * seconds)
        if "batch" in parts:
            say("a loop of batch mutations")
            loop = await streaming_in.batch_loop(api, seconds)
            times = found["upserts"]["deal"]["facts_per_s"] / max(1, loop["facts_per_s"])
            found["batch_loop"] = {**loop, "times_upserts_of_deals": round(times, 1)}
    return found


async def read(
    servers: BenchServers,
    folder: Path,
    parts: Collection[str],
    seconds: int,
    count: int,
    questions: int,
    installed: Sequence[str] | None,
    say: Say,
) -> Found:
    """Fills the tables, then measures each kind of question."""
    say(f"making {count:,} deals")
    await asyncio.to_thread(fill, servers, count, installed is not None)
    found: Found = {}
    api = servers.api(folder)
    async with running(api):
        if "pages" in parts:
            found |= await pages.pages(api, count, questions, say)
        if "totals" in parts:
            say("totals")
            found["totals"] = await pages.totals(api, count, questions)
    if installed:
        both = servers.api(folder), rivals.postgraphile(servers.dsn, folder, installed, filters=True)
        async with running(*both):
            rows = await rival.compare(servers, both, folder, count, max(1, seconds // 5), say)
        found |= {"side_by_side": rows, "ratios_to_postgraphile": rival.summary(rows)}
    return found


def fill(servers: BenchServers, count: int, rival_too: bool) -> None:
    with psycopg.connect(servers.dsn, autocommit=True) as conn:
        deals.fill(conn, servers.workspace, count)
        if rival_too:
            rival.copy(conn)


def compared(found: Found) -> Any:
    """Yields a row for each goal of a part that was run."""
    for kind, row in found.get("post_facts", {}).items():
        yield at_least(f"POST /facts, {kind}s accepted and answered a second", row["facts_per_s"], 15_000)
    for kind, row in found.get("upserts", {}).items():
        yield at_least(f"upserts of {kind}s decided and projected a second", row["facts_per_s"], streaming_in.UPSERTS)
    if row := found.get("forms_during_updates"):
        yield below("p99 of forms with updates, times that without", row["p99_with_to_without"], 1.3)
    if row := found.get("worst_pages"):
        yield below("worst p99 of a page of deals, ms", row["p99_ms"], 15)
    if rows := found.get("totals"):
        yield below("worst p99 of totals, ms", max(row["p99_ms"] for row in rows), 20)
    if row := found.get("ratios_to_postgraphile"):
        yield at_least("questions a second, times PostGraphile's, the lowest", row["times_lowest"], row["goal"])
    if row := found.get("batch_loop"):
        yield at_least("upserts, times a batch REST loop", row["times_upserts_of_deals"], 20)


def at_least(what: str, value: float, goal: float) -> Found:
    return {"what": what, "found": value, "goal": f"at least {goal:,}", "met": value >= goal}


def below(what: str, value: float, goal: float) -> Found:
    return {"what": what, "found": value, "goal": f"below {goal:,}", "met": value < goal}

"""`crm bench growth`: what a fact costs in a database that already holds millions, next to an empty one.

One process decides and projects, on a Postgres of its own with the settings of `crm up`. What is measured and what
fills the database are the same facts, by the same code. The empty one is on a second server, so that a machine that
becomes slower meanwhile slows both down.
"""

import asyncio
import contextlib
import time
from collections.abc import AsyncIterator, Callable, Sequence
from itertools import islice
from random import Random
from typing import Annotated, Any
from uuid import uuid4

import psycopg
import typer

from crm.adapters.postgres.callers import LOOK_UP
from crm.adapters.postgres.migrations import migrate
from crm.scalars import Id
from projections import PROJECTIONS
from services.cli import output as show
from services.cli.options import Json
from tests.bench.bench_servers import bench_servers, scratch_folder
from tests.bench.decide_and_project import SIZE, Offsets, Role, collect_seldom, mixture, published, roles
from tests.bench.machine import machine, percentiles
from tests.bench.progress import progress_printer
from tests.support.workload.facts import buyer_phone

EVERY = 10  # facts of one customer
CALLS = 500  # callers that are looked up at each size
PARTS = ("decide: Python", "decide: Postgres", "project: Python", "project: Postgres")
SIZES = "SELECT pg_database_size(current_database()), pg_current_wal_lsn() - '0/0'::pg_lsn"
Report = Callable[[str], None]


class Loop:
    """Decides and projects one stream of facts, batch after batch."""

    def __init__(self, decide: Role, view: Role, workspace: Id, facts: int) -> None:
        self.decide, self.view = decide, view
        self.records, self.facts = mixture(workspace, facts, Offsets()), 0

    async def go(self, until: int) -> float:
        """Goes on until so many facts are projected. Returns the seconds that deciding and projecting took."""
        spent = 0.0
        while self.facts < until:
            batch = list(islice(self.records, SIZE))
            self.facts += len(batch)
            began = time.perf_counter()
            await self.decide.pipelined(batch)
            spent += time.perf_counter() - began
            events = await published(self.view.conn)
            began = time.perf_counter()
            await self.view.pipelined(events)
            spent += time.perf_counter() - began
        return spent

    async def window(self, facts: int) -> dict[str, float]:
        """Takes so many more. Returns facts a second, and microseconds of processor time a fact by part."""
        self.decide.spent.clear()
        self.view.spent.clear()
        seconds = await self.go(self.facts + facts)
        spent = self.decide.spent + self.view.spent
        return {"facts_per_s": round(facts / seconds)} | {name: round(spent[name] / facts / 1000, 1) for name in PARTS}


def callers(dsn: str, workspace: Id, customers: int) -> dict[str, float]:
    """Looks customers up by their numbers. Returns percentiles in milliseconds."""
    dice, took = Random(7), []
    with psycopg.connect(dsn, autocommit=True) as conn:
        for _ in range(CALLS if customers else 0):
            phone = buyer_phone(dice.randrange(customers)).e164
            began = time.perf_counter()
            conn.execute(LOOK_UP, {"workspace": workspace, "call": None, "phone": phone}).fetchone()
            took.append(time.perf_counter() - began)
    return percentiles(took)


@contextlib.asynccontextmanager
async def loop_on(dsn: str, workspace: Id, facts: int) -> AsyncIterator[Loop]:
    """Yields a loop that can take so many facts, in a new workspace."""
    async with roles(dsn, workspace) as (decide, view):
        collect_seldom()
        yield Loop(decide, view, workspace, facts)


async def grow(dsn: str, control: str, sizes: Sequence[int], window: int, report: Report) -> list[dict[str, Any]]:
    """Returns a row for each size: what the next `window` facts took here, and just before in a new database of the
    server `control`."""
    workspace = Id(str(uuid4()))
    async with (
        loop_on(dsn, workspace, sizes[-1] + window) as loop,
        await psycopg.AsyncConnection.connect(dsn, autocommit=True) as watching,
    ):
        rows: list[dict[str, Any]] = []
        for size in sizes:
            await loop.go(size)
            lookups = await asyncio.to_thread(callers, dsn, workspace, size // EVERY)
            empty = await next_to(control, f"empty_{len(rows)}", window)
            before, done = await measures(watching), loop.facts
            here = await loop.window(window)
            after, speeds = await measures(watching), (here["facts_per_s"], empty["facts_per_s"])
            rows.append(
                {
                    "facts_before": done,
                    "facts_per_s": speeds[0],
                    "empty facts_per_s": speeds[1],
                    "ratio": round(speeds[0] / speeds[1], 2),
                    **{
                        f"{name} us{of}": found[name]
                        for name in PARTS
                        for of, found in (("", here), (", empty", empty))
                    },
                    "caller_p50_ms": lookups.get("p50_ms"),
                    "caller_p99_ms": lookups.get("p99_ms"),
                    "database_mb": after[0] >> 20,
                    "wal_bytes_per_fact": round((after[1] - before[1]) / window),
                }
            )
            report(str(rows[-1]))
    return rows


async def next_to(control: str, name: str, window: int) -> dict[str, float]:
    """Measures as many facts in a new database, which is dropped."""
    dsn = made_database(control, name)
    async with loop_on(dsn, Id(str(uuid4())), window) as loop:
        found = await loop.window(window)
    with psycopg.connect(control, autocommit=True) as conn:
        conn.execute(f"DROP DATABASE {name} WITH (FORCE)".encode())
    return found


def bare_database(dsn: str, name: str) -> str:
    """Makes an empty database on the same server. Returns its DSN."""
    with psycopg.connect(dsn, autocommit=True) as conn:
        conn.execute(f"CREATE DATABASE {name}".encode())
    return f"{dsn.rpartition('/')[0]}/{name}"


def made_database(dsn: str, name: str) -> str:
    """Makes a database with all tables. Returns its DSN."""
    made = bare_database(dsn, name)
    migrate(made, PROJECTIONS.values())
    return made


async def measures(conn: psycopg.AsyncConnection[Any]) -> tuple[int, int]:
    """Returns the bytes of the database and of its write-ahead log so far."""
    found = await (await conn.execute(SIZES)).fetchone()
    return (int(found[0]), int(found[1])) if found else (0, 0)


def growth(
    sizes: Annotated[str, typer.Option(help="Facts in the database, ascending.")] = "0,1000000,3000000",
    window: Annotated[int, typer.Option(min=SIZE, help="Facts that are measured at each size.")] = 100_000,
    json: Json = False,
) -> None:
    """What a fact costs in a database that holds millions of facts: decided and projected, on servers of its own."""

    async def run() -> list[dict[str, Any]]:
        report = progress_printer(json)
        with scratch_folder() as one, scratch_folder() as other:
            async with bench_servers(one) as servers, bench_servers(other) as control:
                return await grow(servers.dsn, control.dsn, [*map(int, sizes.split(","))], window, report)

    show.print_json(
        {
            "command": f"crm bench growth --sizes {sizes} --window {window}",
            "machine": machine(),
            "settings": {"batch": SIZE, "mixture": "2 forms, 1 payment, 3 call reports, 4 messages of 10"},
            "sizes": asyncio.run(run()),
        }
    )

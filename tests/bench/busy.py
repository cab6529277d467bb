"""`crm bench rebuild-beside`: what a rebuild does to those who work: form to GraphQL before it, during it and after.

A stack of its own with a long journal: everything `crm up` runs, and `crm rebuild` as anybody would run it.
"""

import asyncio
import json
import os
import signal
import sys
import time
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

from psycopg import AsyncConnection

from crm.adapters.kafka.journal_log import next_positions
from crm.adapters.postgres import history
from crm.adapters.processes import child
from crm.engine import recovery as recall
from crm.topics import JOURNAL
from projections import PROJECTIONS
from services.stack import demo_workspace, state
from services.stack.process import Process, last_lines, spawn
from streams.rebuild import swap as swapping
from streams.rebuild.read.kafka_source import Begin
from streams.rebuild.rebuild import Plan, rebuild
from streams.rebuild.write import tables
from tests.bench.alone import Alone, alone, running, scratch
from tests.bench.histories import EVENTS_OF_A_CARD
from tests.bench.machine import machine
from tests.bench.rebuild import PAIR, filled, program
from tests.bench.streamed import progress
from tests.bench.visible import Forms
from tests.chaos.stand import SERVERS_GIVEN

GOAL = 1.5  # times the p99 without a rebuild
AHEAD = "UPDATE core.journal_head SET next = %s WHERE partition = %s"
Tell = Callable[[str], None]


class Stack:
    """`crm up` on a folder."""

    stop_by, patience = signal.SIGTERM, 60.0

    def __init__(self, folder: Path) -> None:
        self.folder, self.log = folder, folder / "stack.log"
        self.environment = {name: value for name, value in os.environ.items() if name not in SERVERS_GIVEN}

    def start(self) -> Process:
        words = ("up", "--data", str(self.folder), "--kafka-port", "0", "--postgres-port", "0")
        with self.log.open("ab") as log:
            return spawn([sys.executable, "-m", "services.cli", *words], log, environment=self.environment)

    async def ready(self) -> str | None:
        known = state.read(self.folder)
        return None if known and known.ready else f"The stack is not ready. {last_lines(self.log, 5)}"


async def bench(events: int, rate: int, forms: int, seconds: int, options: Sequence[str], tell: Tell) -> dict[str, Any]:
    """`rate` facts a second, of which `forms` are posted and looked for; `options` are those of `crm rebuild`."""
    with scratch() as folder:
        async with alone(folder) as here:
            tell(f"Writing {events:,} events to Kafka, and their deals and contacts to Postgres")
            await lived(here, max(1, events // EVENTS_OF_A_CARD))
        stack = Stack(folder)
        async with running(stack):
            found = await measured(folder, rate, forms, seconds, options, tell)
    settings = {"history": events, "rate": rate, "forms": forms, "seconds": seconds, "options": list(options)}
    return {"benchmark": "rebuild beside live traffic", "machine": machine(), "settings": settings, **found}


async def lived(here: Alone, cards: int) -> None:
    """Leaves the servers as if this journal had been decided and projected there."""
    await recall.ensure(here.bootstrap, here.dsn)
    await filled(here.bootstrap, cards, os.cpu_count() or 1)
    ends = await next_positions(here.bootstrap, JOURNAL.name, dict.fromkeys(range(JOURNAL.partitions), 0))
    with tables.connected(here.dsn) as conn, conn.cursor() as cursor:
        cursor.executemany(AHEAD, [(end, partition) for partition, end in ends.items()])
        at = {partition: Begin(end, end) for partition, end in ends.items()}
        for consumer in (history.CONSUMER, *(p.table for p in PROJECTIONS.values())):
            swapping.hand_over(conn, consumer, JOURNAL.name, at)
    await rebuild(Plan(here.bootstrap, here.dsn, PAIR, compare=False))


async def measured(
    folder: Path, rate: int, forms: int, seconds: int, options: Sequence[str], tell: Tell
) -> dict[str, Any]:
    stack, demo = state.running(folder), demo_workspace.read(folder)
    assert demo  # `crm up` has made it
    address = f"{stack.intake_url}/in/{demo.form}"
    periods = Periods(stack.database_url, tell)
    async with (
        Forms(address, stack.graphql_url, demo.token) as posting,
        streaming(stack.kafka_bootstrap, demo.workspace, rate - forms),
    ):
        over = asyncio.Event()
        steady = asyncio.create_task(posting.keep_posting(forms, lambda _: over.is_set()))
        await asyncio.sleep(WARM_UP)
        await periods.run("before", asyncio.sleep(seconds))
        servers = {"KAFKA_BOOTSTRAP": stack.kafka_bootstrap, "DATABASE_URL": stack.database_url}
        work = program("services.cli", "rebuild", *PAIR, "--json", *options, **servers)
        outcome = json.loads(await periods.run("during", work))
        await periods.run("after", asyncio.sleep(seconds))
        over.set()
        await steady
        await posting.settled()
    told = {name: figures | posting.figures(begin, end) for name, (begin, end, figures) in periods.found.items()}
    _, ended, _ = periods.found["during"]
    ratio = told["during"]["visible_ms"]["p99_ms"] / told["before"]["visible_ms"]["p99_ms"]
    return {
        "periods": told,
        "rebuild": {name: outcome[name] for name in ("events", "seconds", "projections", "gentle", "tries")},
        "visible_ms_by_step": by_step(posting, ended, outcome["seconds"]),
        "p99_during_to_before": round(ratio, 2),
        "goal": GOAL,
        "kept_up": kept_up(told["before"], rate),
        "goal_met": ratio < GOAL and kept_up(told["before"], rate),
    }


def by_step(posting: Forms, ended: float, seconds: dict[str, float]) -> dict[str, Any]:
    """Of what was posted in each step of the rebuild. The last step ends with the process."""
    found = {}
    for name in reversed([name for name in seconds if name != "total"]):
        began = ended - seconds[name]
        found[name] = posting.figures(began, ended)["visible_ms"]
        ended = began
    return dict(reversed(found.items()))


def kept_up(before: dict[str, Any], rate: int) -> bool:
    """Whether this machine carries the load at all: where each form waits longer than the last a ratio says nothing."""
    return bool(before["facts_per_s"] >= 0.95 * rate and before["visible_ms"]["p99_ms"] < BACKLOG)


WARM_UP, BACKLOG = 15.0, 2_000.0  # seconds; milliseconds


class Periods:
    """When each began and ended, and what the roles did in it."""

    def __init__(self, dsn: str, tell: Tell) -> None:
        self.dsn, self.tell = dsn, tell
        self.found: dict[str, tuple[float, float, dict[str, Any]]] = {}

    async def run(self, name: str, work: Any) -> Any:
        self.tell(f"{name} the rebuild")
        async with await AsyncConnection.connect(self.dsn, autocommit=True) as conn:
            was, began = await progress(conn), time.perf_counter()
            done = await work
            now, ended = await progress(conn), time.perf_counter()
        lasted = ended - began
        self.found[name] = (
            began,
            ended,
            {
                "seconds": round(lasted, 1),
                "facts_per_s": round((now.decided - was.decided) / lasted),
                "events_per_s": round((now.journaled - was.journaled) / lasted),
                "events_behind": now.journaled - now.projected,
            },
        )
        return done


@asynccontextmanager
async def streaming(bootstrap: str, workspace: str, rate: int) -> AsyncIterator[None]:
    """In a process of its own."""
    words = ("-m", "tests.bench.steady", bootstrap, workspace, str(rate))
    async with child(sys.executable, *words):
        yield

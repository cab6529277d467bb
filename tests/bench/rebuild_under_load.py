"""`crm bench rebuild-under-load`: form to GraphQL before, during and after a rebuild.

It uses a stack of its own with a long journal: all that `crm up` runs, and the command `crm rebuild`.
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
from crm.engine import recovery
from crm.topics import JOURNAL
from projections import PROJECTIONS
from services.stack import demo_workspace, state
from services.stack.process import Process, last_lines, spawn
from streams.rebuild import swap as swapping
from streams.rebuild.read.kafka_source import ReadPosition
from streams.rebuild.rebuild import RebuildPlan, rebuild
from streams.rebuild.write import tables
from tests.bench.bench_servers import BenchServers, bench_servers, running, scratch_folder
from tests.bench.end_to_end import Forms
from tests.bench.machine import machine
from tests.bench.rebuild import PAIR, fill_journal, run_module
from tests.bench.streaming import progress
from tests.chaos.cluster import SERVER_VARIABLES
from tests.support.workload.journal import EVENTS_OF_A_CARD

GOAL = 1.5  # times the p99 without a rebuild
AHEAD = "UPDATE core.journal_head SET next = %s WHERE partition = %s"
Report = Callable[[str], None]


class Stack:
    """`crm up` on a folder."""

    stop_by, patience = signal.SIGTERM, 60.0

    def __init__(self, folder: Path) -> None:
        self.folder, self.log = folder, folder / "stack.log"
        self.environment = {name: value for name, value in os.environ.items() if name not in SERVER_VARIABLES}

    def start(self) -> Process:
        words = ("up", "--data", str(self.folder), "--kafka-port", "0", "--postgres-port", "0")
        with self.log.open("ab") as log:
            return spawn([sys.executable, "-m", "services.cli", *words], log, environment=self.environment)

    async def ready(self) -> str | None:
        known = state.read(self.folder)
        return None if known and known.ready else f"The stack is not ready. {last_lines(self.log, 5)}"


async def bench(
    events: int, rate: int, forms: int, seconds: int, options: Sequence[str], report: Report
) -> dict[str, Any]:
    """Sends `rate` facts a second, of which `forms` are posted and measured; `options` are those of `crm rebuild`."""
    with scratch_folder() as folder:
        async with bench_servers(folder) as servers:
            report(f"Writing {events:,} events to Kafka, and their deals and contacts to Postgres")
            await prepare_servers(servers, max(1, events // EVENTS_OF_A_CARD))
        stack = Stack(folder)
        async with running(stack):
            found = await measured(folder, rate, forms, seconds, options, report)
    settings = {"history": events, "rate": rate, "forms": forms, "seconds": seconds, "options": list(options)}
    return {"benchmark": "rebuild under live traffic", "machine": machine(), "settings": settings, **found}


async def prepare_servers(servers: BenchServers, cards: int) -> None:
    """Sets the servers up as if this journal had been decided and projected there."""
    await recovery.ensure(servers.bootstrap, servers.dsn)
    await fill_journal(servers.bootstrap, cards, os.cpu_count() or 1)
    ends = await next_positions(servers.bootstrap, JOURNAL.name, dict.fromkeys(range(JOURNAL.partitions), 0))
    with tables.connected(servers.dsn) as conn, conn.cursor() as cursor:
        cursor.executemany(AHEAD, [(end, partition) for partition, end in ends.items()])
        at = {partition: ReadPosition(end, end) for partition, end in ends.items()}
        for consumer in (history.CONSUMER, *(p.table for p in PROJECTIONS.values())):
            swapping.set_checkpoints(conn, consumer, JOURNAL.name, at)
    await rebuild(RebuildPlan(servers.bootstrap, servers.dsn, PAIR, compare=False))


async def measured(
    folder: Path, rate: int, forms: int, seconds: int, options: Sequence[str], report: Report
) -> dict[str, Any]:
    stack, demo = state.running(folder), demo_workspace.read(folder)
    assert demo  # `crm up` has made it
    address = f"{stack.intake_url}/in/{demo.form}"
    periods = Periods(stack.database_url, report)
    async with (
        Forms(address, stack.graphql_url, demo.token) as posting,
        stream_facts(stack.kafka_bootstrap, demo.workspace, rate - forms),
    ):
        over = asyncio.Event()
        steady = asyncio.create_task(posting.keep_posting(forms, lambda _: over.is_set()))
        await asyncio.sleep(WARM_UP)
        await periods.run("before", asyncio.sleep(seconds))
        servers = {"KAFKA_BOOTSTRAP": stack.kafka_bootstrap, "DATABASE_URL": stack.database_url}
        work = run_module("services.cli", "rebuild", *PAIR, "--json", *options, environment=servers)
        outcome = json.loads(await periods.run("during", work))
        await periods.run("after", asyncio.sleep(seconds))
        over.set()
        await steady
        await posting.settled()
    periods_found = {
        name: figures | posting.figures(begin, end) for name, (begin, end, figures) in periods.found.items()
    }
    _, ended, _ = periods.found["during"]
    ratio = periods_found["during"]["visible_ms"]["p99_ms"] / periods_found["before"]["visible_ms"]["p99_ms"]
    return {
        "periods": periods_found,
        "rebuild": {name: outcome[name] for name in ("events", "seconds", "projections", "gentle", "tries")},
        "visible_ms_by_step": by_step(posting, ended, outcome["seconds"]),
        "p99_during_to_before": round(ratio, 2),
        "goal": GOAL,
        "kept_up": kept_up(periods_found["before"], rate),
        "goal_met": ratio < GOAL and kept_up(periods_found["before"], rate),
    }


def by_step(posting: Forms, ended: float, seconds: dict[str, float]) -> dict[str, Any]:
    """Returns the figures of each step of the rebuild. The last step ends with the process."""
    found = {}
    for name in reversed([name for name in seconds if name != "total"]):
        began = ended - seconds[name]
        found[name] = posting.figures(began, ended)["visible_ms"]
        ended = began
    return dict(reversed(found.items()))


def kept_up(before: dict[str, Any], rate: int) -> bool:
    """Returns whether this machine carries the load without a rebuild: under a growing backlog, ratios mean nothing."""
    return bool(before["facts_per_s"] >= 0.95 * rate and before["visible_ms"]["p99_ms"] < BACKLOG)


WARM_UP, BACKLOG = 15.0, 2_000.0  # seconds; milliseconds


class Periods:
    """When each period began and ended, and the roles' progress in it."""

    def __init__(self, dsn: str, report: Report) -> None:
        self.dsn, self.report = dsn, report
        self.found: dict[str, tuple[float, float, dict[str, Any]]] = {}

    async def run(self, name: str, work: Any) -> Any:
        self.report(f"{name} the rebuild")
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
async def stream_facts(bootstrap: str, workspace: str, rate: int) -> AsyncIterator[None]:
    """Streams facts in a process of its own."""
    words = ("-m", "tests.bench.steady_stream", bootstrap, workspace, str(rate))
    async with child(sys.executable, *words):
        yield

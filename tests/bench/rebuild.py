"""`crm bench rebuild`: rebuilds a long journal on servers of its own, and compares other libraries."""

import asyncio
import json
import os
import shutil
import sys
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import psutil

from crm.adapters.processes import child
from crm.topics import JOURNAL
from streams.rebuild.rebuild import RebuildPlan, rebuild
from tests.bench.bench_servers import BenchServers, bench_servers, scratch_folder
from tests.bench.machine import machine
from tests.bench.rivals.install import install
from tests.support.workload.journal import EVENTS_OF_A_CARD

PAIR, ENTRIES = ("deal", "contact"), ("timeline",)
MEASURED = {"deal and contact": PAIR, "timeline": ENTRIES}
GOALS = {"deal and contact": 400_000, "timeline": 200_000}
RIVALS = ("eventsourcing_runner", "faust_agent", "quixstreams_dataframe")
PATIENCE = 240.0  # seconds for a rival
SAME = 0.1  # by how much the figure of many more events may differ
BYTES = 1_000  # of an event: in Kafka, in the tables, indexes and WAL that are made of it
PYTHON = Path(sys.executable)
Report = Callable[[str], None]


async def bench(
    events: int, workers: int, budget: int, rivals: bool, scale: int, rivals_events: int, report: Report
) -> dict[str, Any]:
    """Measures one run of each, with whole cards; with `scale`, another run with so many times the events."""
    found = await one(events, workers, budget, rivals_events if rivals else 0, report)
    if scale > 1:
        more = await one(events * scale, workers, budget, 0, report)
        found["scaled"] = {"times": scale, "events": more["settings"]["events"], "rebuild": more["rebuild"]}
        for name, run in found["rebuild"].items():
            rate = more["rebuild"][name]["events_per_second"]
            run["scaled_ratio"] = round(rate / run["events_per_second"], 3)
        ratios = [run["scaled_ratio"] for run in found["rebuild"].values()]
        found["scaled"]["goal_met"] = all(abs(ratio - 1) <= SAME for ratio in ratios)
    return found


async def one(events: int, workers: int, budget: int, rivals_events: int, report: Report) -> dict[str, Any]:
    """Measures on a Kafka and a Postgres of its own."""
    cards = max(1, events // EVENTS_OF_A_CARD)
    settings = {
        "events": cards * EVENTS_OF_A_CARD,
        "contacts": cards,
        "partitions": JOURNAL.partitions,
        "workers": workers,
        "memory_mb": budget >> 20,
    }
    with scratch_folder() as folder:
        require_disk_space(folder, settings["events"])
        async with bench_servers(folder) as servers:
            report(f"Writing {settings['events']:,} events to Kafka")
            await fill_journal(servers.bootstrap, cards, workers)
            found: dict[str, Any] = {"benchmark": "rebuild", "machine": machine(), "settings": settings, "rebuild": {}}
            for name, projections in MEASURED.items():
                report(f"Rebuilding {name}")
                found["rebuild"][name] = await measured(servers, projections, workers, budget) | {"goal": GOALS[name]}
            if rivals_events:
                found["rivals"] = await measure_rivals(servers, min(rivals_events, settings["events"]), report)
    return found


def require_disk_space(folder: Path, events: int) -> None:
    """Raises ValueError when the disk has not enough room."""
    free, wanted = shutil.disk_usage(folder).free, events * BYTES
    if free < wanted:
        raise ValueError(
            f"{events:,} events may take {wanted / 1e9:.0f} GB of {folder.parent}, where {free / 1e9:.0f} GB are free. "
            "Nothing was measured: set TMPDIR to a larger disk, or take fewer events."
        )


async def measure_rivals(servers: BenchServers, events: int, report: Report) -> dict[str, Any]:
    """Measures one after another, each with the first `events` of the same topic."""
    found, python = {}, await asyncio.to_thread(install, report)
    for rival in RIVALS:
        report(f"{rival} folds {events:,} of them")
        found[rival] = await measure_rival(rival, python, servers, events)
    return found


async def fill_journal(bootstrap: str, cards: int, workers: int, begin: float = 0.0, end: float = 1.0) -> None:
    """Writes the journal with as many processes as the rebuild may use. Raises RuntimeError when one fails."""
    every = [json.dumps(list(range(JOURNAL.partitions))[n::workers]) for n in range(workers)]
    module = "tests.support.workload.journal"
    await asyncio.gather(*(run_module(module, bootstrap, cards, part, begin, end) for part in every))


async def measured(servers: BenchServers, projections: Sequence[str], workers: int, budget: int) -> dict[str, Any]:
    """Measures a rebuild from the first byte to the swapped view."""
    memory = Memory()
    watching = asyncio.create_task(memory.watch())
    plan = RebuildPlan(
        servers.bootstrap, servers.dsn, tuple(projections), workers=workers, budget=budget, compare=False
    )
    outcome = await rebuild(plan)
    watching.cancel()
    return {
        "events_per_second": outcome.events_per_second,
        "seconds": outcome.seconds,
        "rows": outcome.projections,
        "memory_peak_mb": memory.peak >> 20,
    }


class Memory:
    """The peak memory of this process and its rebuild workers together, in bytes."""

    peak = 0

    async def watch(self) -> None:
        me = psutil.Process()
        while True:
            held = 0
            for process in (me, *me.children(recursive=True)):
                try:
                    ours = process is me or "streams.rebuild.worker" in process.cmdline()
                    held += process.memory_info().rss if ours else 0
                except psutil.NoSuchProcess:
                    continue
            self.peak = max(self.peak, held)
            await asyncio.sleep(0.2)


async def measure_rival(rival: str, python: Path, servers: BenchServers, events: int) -> dict[str, Any]:
    """Returns the rival's own figures, or why it failed."""
    try:
        words = (servers.bootstrap, JOURNAL.name, events, servers.dsn)
        said = await asyncio.wait_for(run_module(f"tests.bench.rivals.{rival}", *words, python=python), PATIENCE)
        found: dict[str, Any] = json.loads(said.splitlines()[-1])
    except (RuntimeError, TimeoutError) as error:
        return {"events": events, "failed": str(error)[-300:] or f"not done after {PATIENCE:.0f} s"}
    return {name: round(value, 2) for name, value in found.items()}


async def run_module(
    module: str, *words: object, python: Path = PYTHON, environment: Mapping[str, str] | None = None
) -> str:
    """Runs a module and returns its output. Ends it on cancellation."""
    async with child(
        *(str(python), "-m", module, *map(str, words)),
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
        env={**os.environ, "PYTHONWARNINGS": "ignore", **(environment or {})},
    ) as process:
        out, error = await process.communicate()
    if process.returncode:
        raise RuntimeError(f"{module} failed: {error.decode()[-500:]}")
    return out.decode()

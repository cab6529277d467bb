"""`crm bench rebuild`: a long journal in a Kafka of its own into a Postgres of its own, beside other libraries."""

import asyncio
import json
import os
import shutil
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import psutil

from crm.adapters.processes import child
from crm.topics import JOURNAL
from streams.rebuild.rebuild import Plan, rebuild
from tests.bench.alone import Alone, alone, scratch
from tests.bench.histories import EVENTS_OF_A_CARD
from tests.bench.machine import machine

PAIR, ENTRIES = ("deal", "contact"), ("timeline",)
MEASURED = {"deal and contact": PAIR, "timeline": ENTRIES}
GOALS = {"deal and contact": 400_000, "timeline": 200_000}
RIVALS = ("eventsourced", "plain_faust", "quix")
PATIENCE = 240.0  # seconds for a rival
SAME = 0.1  # by how much the figure of many more events may differ
BYTES = 1_000  # of an event: in Kafka, in the tables, indexes and WAL that are made of it
Tell = Callable[[str], None]


async def bench(
    events: int, workers: int, budget: int, rivals: bool, scale: int, rivals_events: int, tell: Tell
) -> dict[str, Any]:
    """Events are rounded to whole cards. Figures are of one run each; with `scale` also of so many times the events."""
    found = await one(events, workers, budget, rivals_events if rivals else 0, tell)
    if scale > 1:
        more = await one(events * scale, workers, budget, 0, tell)
        found["scaled"] = {"times": scale, "events": more["settings"]["events"], "rebuild": more["rebuild"]}
        for name, run in found["rebuild"].items():
            rate = more["rebuild"][name]["events_per_second"]
            run["scaled_ratio"] = round(rate / run["events_per_second"], 3)
        ratios = [run["scaled_ratio"] for run in found["rebuild"].values()]
        found["scaled"]["goal_met"] = all(abs(ratio - 1) <= SAME for ratio in ratios)
    return found


async def one(events: int, workers: int, budget: int, rivals_events: int, tell: Tell) -> dict[str, Any]:
    """On a Kafka and a Postgres of its own."""
    cards = max(1, events // EVENTS_OF_A_CARD)
    settings = {
        "events": cards * EVENTS_OF_A_CARD,
        "contacts": cards,
        "partitions": JOURNAL.partitions,
        "workers": workers,
        "memory_mb": budget >> 20,
    }
    with scratch() as folder:
        room(folder, settings["events"])
        async with alone(folder) as here:
            tell(f"Writing {settings['events']:,} events to Kafka")
            await filled(here.bootstrap, cards, workers)
            found: dict[str, Any] = {"benchmark": "rebuild", "machine": machine(), "settings": settings, "rebuild": {}}
            for name, projections in MEASURED.items():
                tell(f"Rebuilding {name}")
                found["rebuild"][name] = await measured(here, projections, workers, budget) | {"goal": GOALS[name]}
            if rivals_events:
                found["beside"] = await all_beside(here, min(rivals_events, settings["events"]), tell)
    return found


def room(folder: Path, events: int) -> None:
    """Raises ValueError when the disk would be full before the end."""
    free, wanted = shutil.disk_usage(folder).free, events * BYTES
    if free < wanted:
        raise ValueError(
            f"{events:,} events may take {wanted / 1e9:.0f} GB of {folder.parent}, where {free / 1e9:.0f} GB are free. "
            "Nothing was measured: set TMPDIR to a larger disk, or take fewer events."
        )


async def all_beside(here: Alone, events: int, tell: Tell) -> dict[str, Any]:
    """One after the other, each the first `events` of the same topic."""
    found = {}
    for rival in RIVALS:
        tell(f"{rival} folds {events:,} of them")
        found[rival] = await beside(rival, here, events)
    return found


async def filled(bootstrap: str, cards: int, workers: int, begin: float = 0.0, end: float = 1.0) -> None:
    """In as many processes as the rebuild may use. Raises RuntimeError when one fails."""
    every = [json.dumps(list(range(JOURNAL.partitions))[n::workers]) for n in range(workers)]
    module = "tests.bench.histories"
    await asyncio.gather(*(program(module, bootstrap, cards, part, begin, end) for part in every))


async def measured(here: Alone, projections: Sequence[str], workers: int, budget: int) -> dict[str, Any]:
    """From the first byte to the swapped view."""
    memory = Memory()
    watching = asyncio.create_task(memory.watch())
    plan = Plan(here.bootstrap, here.dsn, tuple(projections), workers=workers, budget=budget, compare=False)
    outcome = await rebuild(plan)
    watching.cancel()
    return {
        "events_per_second": outcome.events_per_second,
        "seconds": outcome.seconds,
        "rows": outcome.projections,
        "memory_peak_mb": memory.peak >> 20,
    }


class Memory:
    """The most that this process and those that it started held at one time, in bytes."""

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


async def beside(rival: str, here: Alone, events: int) -> dict[str, Any]:
    """What the rival says of itself, or why it did not."""
    try:
        words = (here.bootstrap, JOURNAL.name, events, here.dsn)
        said = await asyncio.wait_for(program(f"tests.bench.rivals.{rival}", *words), PATIENCE)
        found: dict[str, Any] = json.loads(said.splitlines()[-1])
    except (RuntimeError, TimeoutError) as error:
        return {"events": events, "failed": str(error)[-300:] or f"not done after {PATIENCE:.0f} s"}
    return {name: round(value, 2) for name, value in found.items()}


async def program(module: str, *words: object, **environment: str) -> str:
    """What it prints. Ended when this is cancelled."""
    async with child(
        *(sys.executable, "-m", module, *map(str, words)),
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
        env={**os.environ, "PYTHONWARNINGS": "ignore", **environment},
    ) as process:
        out, error = await process.communicate()
    if process.returncode:
        raise RuntimeError(f"{module} failed: {error.decode()[-500:]}")
    return out.decode()

"""`crm bench rebuild`: a long journal in a Kafka of its own into a Postgres of its own, beside other libraries."""

import asyncio
import json
import os
import sys
import tempfile
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import psutil

from crm.topics import JOURNAL
from services.bench.alone import Alone, alone
from services.bench.histories import EVENTS_OF_A_CARD
from services.bench.machine import machine
from streams.rebuild.rebuilding import Plan, rebuild

PAIR, ENTRIES = ("deal", "contact"), ("timeline",)
GOALS = {"deal and contact": 400_000, "timeline": 200_000}
RIVALS = ("eventsourced", "plain_faust", "quix")
RIVALS_EVENTS = 60_000  # each takes so many: they are that much slower
PATIENCE = 240.0  # seconds for a rival
Tell = Callable[[str], None]


async def bench(events: int, workers: int, budget: int, rivals: bool, tell: Tell) -> dict[str, Any]:
    """Events are rounded to whole cards. Figures are of one run each."""
    with tempfile.TemporaryDirectory(prefix="crm-bench-") as folder:
        Path(folder).chmod(0o755)
        async with alone(Path(folder)) as here:
            tell(f"Writing {events:,} events to Kafka")
            cards = max(1, events // EVENTS_OF_A_CARD)
            await filled(here.bootstrap, cards, workers)
            runs = {}
            for name, projections in (("deal and contact", PAIR), ("timeline", ENTRIES)):
                tell(f"Rebuilding {name}")
                runs[name] = await measured(here, projections, workers, budget)
                runs[name]["goal"] = GOALS[name]
            found = {
                "machine": machine(),
                "settings": {
                    "events": cards * EVENTS_OF_A_CARD,
                    "contacts": cards,
                    "partitions": JOURNAL.partitions,
                    "workers": workers,
                    "memory_mb": budget >> 20,
                },
                "rebuild": runs,
            }
            if rivals:
                found["beside"] = {}
                for rival in RIVALS:
                    tell(f"{rival} folds {RIVALS_EVENTS:,} of them")
                    found["beside"][rival] = await beside(rival, here, min(RIVALS_EVENTS, cards * EVENTS_OF_A_CARD))
    return found


async def filled(bootstrap: str, cards: int, workers: int) -> None:
    """In as many processes as the rebuild may use. Raises RuntimeError when one fails."""
    every = list(range(JOURNAL.partitions))
    parts = [every[n::workers] for n in range(workers)]
    await asyncio.gather(*(program("services.bench.histories", bootstrap, cards, json.dumps(part)) for part in parts))


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
        said = await asyncio.wait_for(program(f"services.bench.rivals.{rival}", *words), PATIENCE)
        found: dict[str, Any] = json.loads(said.splitlines()[-1])
    except (RuntimeError, TimeoutError) as error:
        return {"failed": str(error)[-300:] or f"not done after {PATIENCE:.0f} s"}
    return {name: round(value, 2) for name, value in found.items()}


async def program(module: str, *words: object) -> str:
    """What it prints. Ended when this is cancelled."""
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", module, *map(str, words)),
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
        env={**os.environ, "PYTHONWARNINGS": "ignore"},
    )
    try:
        out, error = await process.communicate()
    finally:
        if process.returncode is None:
            process.kill()
    if process.returncode:
        raise RuntimeError(f"{module} failed: {error.decode()[-500:]}")
    return out.decode()

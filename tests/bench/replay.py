"""`crm bench replay`: replays one long journal to Parquet from Kafka, from an archive and from both."""

import json
import os
from collections.abc import Callable, Mapping
from contextlib import nullcontext
from pathlib import Path
from typing import Any

import polars as pl

from crm.topics import JOURNAL
from services.operations.archive.saving import save
from services.stack.state import ROOT
from tests.bench.bench_servers import BenchServers, bench_servers, scratch_folder
from tests.bench.machine import machine
from tests.bench.rebuild import fill_journal, run_module
from tests.support.workload.journal import EVENTS_OF_A_CARD

TEMPLATE = ROOT / "docs" / "replay" / "template.py"
GOAL = 500_000  # events a second
SOURCES: Mapping[str, tuple[str, ...]] = {
    "kafka": (),
    "archive and kafka": ("--archive", "--tail"),
    "archive": ("--archive",),
}
Report = Callable[[str], None]


async def bench(events: int, file: Path, report: Report) -> dict[str, Any]:
    """Measures the projections of `file`. Raises ValueError when it does not exist."""
    if not file.is_file():
        raise ValueError(f"There is no {file}: name a file with a projection by --file.")
    cards = max(1, events // EVENTS_OF_A_CARD)
    with scratch_folder() as folder:
        async with bench_servers(folder) as servers:
            found = await measured(servers, folder, cards, file, report)
    settings = {"events": cards * EVENTS_OF_A_CARD, "cards": cards, "file": file.name, "processes": os.cpu_count()}
    return {"benchmark": "replay into Parquet", "machine": machine(), "settings": settings, **found}


async def measured(servers: BenchServers, folder: Path, cards: int, file: Path, report: Report) -> dict[str, Any]:
    """Archives the older half of each partition first, then the rest."""
    archive, workers = folder / "archive", os.cpu_count() or 1
    archive.mkdir()
    runs = {}
    report("Writing the older half to Kafka, and to an archive")
    await fill_journal(servers.bootstrap, cards, workers, 0, 0.5)
    await archive_journal(servers, archive)
    report("Writing the other half to Kafka")
    await fill_journal(servers.bootstrap, cards, workers, 0.5, 1)
    for source, words in SOURCES.items():
        if source == "archive":
            report("Archiving the rest")
            await archive_journal(servers, archive)
        report(f"Replaying {source}")
        options = [word if word != "--archive" else f"--archive={archive}" for word in words]
        runs[source] = await run_replay(servers, file, folder / "rows" / source, options)
    first, *others = (contents(folder / "rows" / source) for source in SOURCES)
    return {"replay": runs, "goal": GOAL, "equal": all(other == first for other in others)}


async def archive_journal(servers: BenchServers, archive: Path) -> None:
    await save(servers.bootstrap, archive, [JOURNAL.name], lambda *_: nullcontext(lambda _: None))


async def run_replay(servers: BenchServers, file: Path, out: Path, words: list[str]) -> dict[str, Any]:
    """Runs the command `crm replay`."""
    out.mkdir(parents=True)
    command = ("replay", file, "--to", "parquet", "--out", out, "--json", *words)
    found = json.loads(await run_module("services.cli", *command, environment={"KAFKA_BOOTSTRAP": servers.bootstrap}))
    size = sum(written.stat().st_size for written in out.iterdir())
    figures = {"events_per_second": found["rate"], "seconds": found["seconds"], "rows": found["rows"]}
    return {**figures, "parquet_mb": round(size / 1e6, 1)}


def contents(folder: Path) -> list[tuple[str, int, int]]:
    """Returns name, row count and sum of row hashes of each file; the order of rows does not matter."""
    found = []
    for path in sorted(folder.iterdir()):
        rows = pl.read_parquet(path)
        found.append((path.name, rows.height, sum(rows.hash_rows(seed=7).to_list())))
    return found

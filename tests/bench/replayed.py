"""`crm bench replay`: one long journal into Parquet out of Kafka, out of an archive and out of both, compared."""

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
from tests.bench.alone import Alone, alone, scratch
from tests.bench.histories import EVENTS_OF_A_CARD
from tests.bench.machine import machine
from tests.bench.rebuild import filled, program

TEMPLATE = ROOT / "docs" / "replay" / "template.py"
GOAL = 500_000  # events a second
SOURCES: Mapping[str, tuple[str, ...]] = {
    "kafka": (),
    "archive and kafka": ("--archive", "--tail"),
    "archive": ("--archive",),
}
Tell = Callable[[str], None]


async def bench(events: int, file: Path, tell: Tell) -> dict[str, Any]:
    """`file` declares the projections. Raises ValueError when it is not there."""
    if not file.is_file():
        raise ValueError(f"There is no {file}: name a file with a projection by --file.")
    cards = max(1, events // EVENTS_OF_A_CARD)
    with scratch() as folder:
        async with alone(folder) as here:
            found = await measured(here, folder, cards, file, tell)
    settings = {"events": cards * EVENTS_OF_A_CARD, "cards": cards, "file": file.name, "processes": os.cpu_count()}
    return {"benchmark": "replay into Parquet", "machine": machine(), "settings": settings, **found}


async def measured(here: Alone, folder: Path, cards: int, file: Path, tell: Tell) -> dict[str, Any]:
    """The archive gets the older half of each partition first, then the rest."""
    archive, workers = folder / "archive", os.cpu_count() or 1
    archive.mkdir()
    runs = {}
    tell("Writing the older half to Kafka, and to an archive")
    await filled(here.bootstrap, cards, workers, 0, 0.5)
    await kept(here, archive)
    tell("Writing the other half to Kafka")
    await filled(here.bootstrap, cards, workers, 0.5, 1)
    for source, words in SOURCES.items():
        if source == "archive":
            tell("Archiving the rest")
            await kept(here, archive)
        tell(f"Replaying {source}")
        told = [word if word != "--archive" else f"--archive={archive}" for word in words]
        runs[source] = await replayed(here, file, folder / "rows" / source, told)
    first, *others = (contents(folder / "rows" / source) for source in SOURCES)
    return {"replay": runs, "goal": GOAL, "equal": all(other == first for other in others)}


async def kept(here: Alone, archive: Path) -> None:
    await save(here.bootstrap, archive, [JOURNAL.name], lambda *_: nullcontext(lambda _: None))


async def replayed(here: Alone, file: Path, out: Path, words: list[str]) -> dict[str, Any]:
    """As anybody would run it."""
    out.mkdir(parents=True)
    command = ("replay", file, "--to", "parquet", "--out", out, "--json", *words)
    found = json.loads(await program("services.cli", *command, KAFKA_BOOTSTRAP=here.bootstrap))
    size = sum(written.stat().st_size for written in out.iterdir())
    figures = {"events_per_second": found["rate"], "seconds": found["seconds"], "rows": found["rows"]}
    return {**figures, "parquet_mb": round(size / 1e6, 1)}


def contents(folder: Path) -> list[tuple[str, int, int]]:
    """Of each file: its name, how many rows, and a sum of their hashes, so that no order counts."""
    found = []
    for path in sorted(folder.iterdir()):
        rows = pl.read_parquet(path)
        found.append((path.name, rows.height, sum(rows.hash_rows(seed=7).to_list())))
    return found

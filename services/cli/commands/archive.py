"""`crm archive`: saves Kafka's topics as Avro files, verifies them, and loads them into an empty Kafka."""

import asyncio
import contextlib
import logging
import os
import time
from collections.abc import Iterator, Mapping
from contextlib import AbstractContextManager
from functools import partial
from pathlib import Path
from typing import Annotated, Any

import typer
from typer.core import TyperGroup

from crm.adapters.archive import manifest
from crm.adapters.archive.manifest import Partition
from crm.settings import Settings
from crm.topics import CONNECTIONS, CURSORS, DECIDED, JOURNAL, TOPICS
from services.cli import output
from services.cli.options import Data, Json
from services.operations.archive import verifying
from services.operations.archive.progress import Advance, progress
from services.stack import state

PANEL, RANK = "Operate", 3

ARCHIVED = (CURSORS, JOURNAL, *DECIDED, CONNECTIONS)


class SaveUnlessNamed(TyperGroup):
    """`crm archive [FOLDER]` is `crm archive save [FOLDER]`."""

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        named = args and (args[0] in self.commands or args[0] == "--help")
        return super().parse_args(ctx, args if named else ["save", *args])


app = typer.Typer(
    cls=SaveUnlessNamed,
    help="Save Kafka's topics as Avro files, verify them, and load them into an empty Kafka. `crm archive FOLDER` is "
    "`crm archive save FOLDER`.",
)
Folder = Annotated[Path, typer.Argument(help="Folder of the archive.")]


@app.command()
def save(
    folder: Annotated[Path | None, typer.Argument(help="Folder of the archive.", show_default="DATA/archive")] = None,
    topics: Annotated[
        str, typer.Option(help=f"Comma-separated, by default all: {', '.join(t.name for t in ARCHIVED)}.")
    ] = "",
    data: Data = None,
    json: Json = False,
) -> None:
    """Add Kafka's new records to the archive. Safe to interrupt and to repeat at any time."""
    from services.operations.archive import saving

    names = wanted(topics)
    bootstrap = os.environ.get("KAFKA_BOOTSTRAP") or state.running(data or state.data_folder()).kafka_bootstrap
    to = (folder or (data or state.data_folder()) / "archive").absolute()
    silence_aiokafka()
    began = time.monotonic()
    counts = asyncio.run(saving.save(bootstrap, to, names, partial(bar, json)))
    print_counts("archived", "Archived", counts, time.monotonic() - began, to, json)


@app.command()
def verify(folder: Folder, json: Json = False) -> None:
    """Check checksums, offsets and journal positions. Exits with 1 when anything is wrong."""
    known = manifest.read(folder)
    total, began = sum(file.count for file in known.files), time.monotonic()
    with bar(json, "Verifying", total) as advance:
        wrong = verifying.verify(folder, advance)
    if json:
        output.print_json({"files": len(known.files), "records": total, "ok": not wrong, "wrong": wrong})
    else:
        rate = total / max(time.monotonic() - began, 0.001)
        verdict = "\n".join(wrong) or "The archive is intact."
        typer.echo(f"{len(known.files):,} files with {total:,} records read ({rate:,.0f}/s). {verdict}")
    raise typer.Exit(1 if wrong else 0)


@app.command()
def load(folder: Folder, data: Data = None, json: Json = False) -> None:
    """Load an archive into an empty Kafka: KAFKA_BOOTSTRAP's or the embedded one, which it starts. Repeat to resume."""
    from services.operations.archive import loading

    silence_aiokafka()
    began = time.monotonic()
    with kafka_of(data) as bootstrap:
        counts = asyncio.run(loading.load(bootstrap, folder, Settings.read().kafka_replication, partial(bar, json)))
    print_counts("loaded", "Loaded", counts, time.monotonic() - began, folder, json)


@contextlib.contextmanager
def kafka_of(data: Path | None) -> Iterator[str]:
    """Yields the address of the environment's Kafka, else of the embedded one, started without the rest.

    Raises AlreadyRuns when the stack is running.
    """
    if given := os.environ.get("KAFKA_BOOTSTRAP"):
        yield given
    else:
        from services.operations.archive.single_server import single_kafka

        with single_kafka((data or state.data_folder()).absolute()) as bootstrap:
            yield bootstrap


def wanted(given: str) -> list[str]:
    """Returns the names of the given topics, by default of all. Accepts names and their keys in topics.toml."""
    names = {topic.name: topic.name for topic in ARCHIVED}
    names |= {key: topic.name for key, topic in TOPICS.items() if topic.name in names}
    words = [word.strip() for word in given.split(",") if word.strip()] or list(names)
    if unknown := [word for word in words if word not in names]:
        raise ValueError(
            f"There is no topic {', '.join(unknown)} to archive. Choose from {', '.join(t.name for t in ARCHIVED)}."
        )
    return list(dict.fromkeys(names[word] for word in words))


def bar(quiet: bool, doing: str, total: int) -> AbstractContextManager[Advance]:
    return progress(doing, total, "records", quiet)


def silence_aiokafka() -> None:
    """Silences aiokafka's log: our errors say the same in one sentence."""
    logging.getLogger("aiokafka").setLevel(logging.CRITICAL)


def print_counts(
    key: str, done: str, counts: Mapping[Partition, int], seconds: float, folder: Path, json: bool
) -> None:
    total = sum(counts.values())
    rate = round(total / max(seconds, 0.001))
    topics: dict[str, int] = {}
    for (topic, _), count in counts.items():
        topics[topic] = topics.get(topic, 0) + count
    if json:
        figures = {"topics": topics, "seconds": round(seconds, 3), "rate": rate}
        output.print_json({key: total, **figures, "folder": str(folder)})
    else:
        for topic, count in sorted(topics.items()):
            typer.echo(f"{topic:<24} {count:>14,}")
        typer.echo(f"{done} {total:,} records in {seconds:.1f} s ({rate:,}/s); the archive is {folder}.")

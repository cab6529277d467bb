"""`crm archive`: the log as Avro files, checked, and back into an empty Kafka."""

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
from crm.adapters.archive.manifest import Place
from crm.settings import Settings
from crm.topics import CONNECTIONS, DECIDED, JOURNAL, TOPICS
from services.cli import output as show
from services.cli.options import Data, Json
from services.operations.archive.progress import Advance, progress
from services.operations.archive.verifying import verify as find_wrong
from services.stack import state

ARCHIVED = (JOURNAL, *DECIDED, CONNECTIONS)


class SaveUnlessNamed(TyperGroup):
    """`crm archive [FOLDER]` is `crm archive save [FOLDER]`."""

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        named = args and (args[0] in self.commands or args[0] == "--help")
        return super().parse_args(ctx, args if named else ["save", *args])


app = typer.Typer(cls=SaveUnlessNamed, help="Keep the log as Avro files, and put it back into an empty Kafka.")
Folder = Annotated[Path, typer.Argument(help="The archive.")]


@app.command()
def save(
    folder: Annotated[Path | None, typer.Argument(help="The archive.", show_default="archive beside the data")] = None,
    topics: Annotated[str, typer.Option(help=f"Of {', '.join(t.name for t in ARCHIVED)}, with commas.")] = "",
    data: Data = None,
    json: Json = False,
) -> None:
    """Add to the archive what Kafka has and it has not. Safe to end and to repeat at any time."""
    from services.operations.archive.saving import save as run

    names = wanted(topics)
    bootstrap = os.environ.get("KAFKA_BOOTSTRAP") or state.running(data or state.data_folder()).kafka_bootstrap
    to = (folder or (data or state.data_folder()) / "archive").absolute()
    quieten()
    began = time.monotonic()
    counts = asyncio.run(run(bootstrap, to, names, partial(bar, json)))
    tell("archived", "Archived", counts, time.monotonic() - began, to, json)


@app.command()
def verify(folder: Folder, json: Json = False) -> None:
    """Check checksums, offsets and journal positions. Exit code 1 when anything is wrong."""
    known = manifest.read(folder)
    total, began = sum(file.count for file in known.files), time.monotonic()
    with bar(json, "Verifying", total) as advance:
        wrong = find_wrong(folder, advance)
    if json:
        show.as_json({"files": len(known.files), "records": total, "ok": not wrong, "wrong": wrong})
    else:
        rate = total / max(time.monotonic() - began, 0.001)
        verdict = "\n".join(wrong) or "All is whole."
        typer.echo(f"{len(known.files):,} files with {total:,} records read ({rate:,.0f}/s). {verdict}")
    raise typer.Exit(1 if wrong else 0)


@app.command()
def load(folder: Folder, data: Data = None, json: Json = False) -> None:
    """Fill an empty Kafka: KAFKA_BOOTSTRAP's, else the embedded one, which is started for it. Repeat it to go on."""
    from services.operations.archive.loading import load as run

    quieten()
    began = time.monotonic()
    with kafka_of(data) as bootstrap:
        counts = asyncio.run(run(bootstrap, folder, Settings.read().kafka_replication, partial(bar, json)))
    tell("loaded", "Loaded", counts, time.monotonic() - began, folder, json)


@contextlib.contextmanager
def kafka_of(data: Path | None) -> Iterator[str]:
    """What the environment names; else the embedded one, alone. Raises AlreadyRuns when the stack does."""
    if given := os.environ.get("KAFKA_BOOTSTRAP"):
        yield given
    else:
        from services.operations.archive.alone import kafka_alone

        with kafka_alone((data or state.data_folder()).absolute()) as bootstrap:
            yield bootstrap


def wanted(given: str) -> list[str]:
    """Names of topics, told by their names or their keys in topics.toml; all that are archived without any."""
    names = {topic.name: topic.name for topic in ARCHIVED}
    names |= {key: topic.name for key, topic in TOPICS.items() if topic.name in names}
    asked = [word.strip() for word in given.split(",") if word.strip()] or list(names)
    if strange := [word for word in asked if word not in names]:
        raise ValueError(
            f"There is no {', '.join(strange)} to archive; there are {', '.join(t.name for t in ARCHIVED)}."
        )
    return list(dict.fromkeys(names[word] for word in asked))


def bar(quiet: bool, doing: str, total: int) -> AbstractContextManager[Advance]:
    return progress(doing, total, "records", quiet)


def quieten() -> None:
    """What aiokafka says at length, our errors say in a sentence."""
    logging.getLogger("aiokafka").setLevel(logging.CRITICAL)


def tell(key: str, done: str, counts: Mapping[Place, int], seconds: float, folder: Path, json: bool) -> None:
    total = sum(counts.values())
    rate = round(total / max(seconds, 0.001))
    topics: dict[str, int] = {}
    for (topic, _), count in counts.items():
        topics[topic] = topics.get(topic, 0) + count
    if json:
        figures = {"topics": topics, "seconds": round(seconds, 3), "rate": rate}
        show.as_json({key: total, **figures, "folder": str(folder)})
    else:
        for topic, count in sorted(topics.items()):
            typer.echo(f"{topic:<24} {count:>14,}")
        typer.echo(f"{done} {total:,} records in {seconds:.1f} s ({rate:,}/s); the archive is {folder}.")

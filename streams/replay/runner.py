"""Runs a replay from end to end: into a table for Python, into a file or a database for the command line."""

import asyncio
import os
import shutil
import tempfile
from collections.abc import Callable, Coroutine, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import Any, TypeVar

import msgspec
import polars as pl
import psutil

from crm.projection import Projection
from crm.topics import JOURNAL
from streams.rebuild.fold.field_pruning import UnreadField
from streams.rebuild.projection_file import projections_in
from streams.rebuild.workers import WorkerFailed, run_workers
from streams.replay import planning
from streams.replay.disk import WRITE_ERRORS, not_written
from streams.replay.extras import require_package
from streams.replay.fold_partition import fold_partition
from streams.replay.options import EventFilter, ProjectionSource, absolute, event_filter
from streams.replay.parts import check_keys, scan
from streams.replay.targets import Target
from streams.replay.worker_spec import MEMORY, ReplaySpec

T = TypeVar("T")
Advance = Callable[[int], None]
PARTS = ".crm-replay-"  # prefix of a folder's name; the process id and a random word follow


class ReplayResult(msgspec.Struct):
    """Outcome of a replay."""

    events: int  # of the history that was read
    rows: dict[str, int]  # by projection
    unknown: dict[int, int]  # skipped events by schema id
    places: dict[str, str] = {}  # by projection: where its rows are, for people


def to_table(what: ProjectionSource, kind: str, name: str = "", **options: Any) -> Any:
    """Replays into a table of this `kind`. See streams.replay.frame.replay."""
    if kind not in ("polars", "arrow"):
        raise ValueError(f"There is no table {kind!r}; there are polars and arrow.")
    if kind == "arrow":
        require_package("pyarrow")
    projection = single_projection(what, name)
    events = pop_event_filter([projection], options)
    with tempfile.TemporaryDirectory(prefix="crm-replay-") as folder:
        fold(what, [projection], events, Path(folder), lambda _: None, **options)
        found = all_rows(Path(folder), projection).collect()
        return found.to_arrow() if kind == "arrow" else found


def replay_into(
    what: ProjectionSource, targets: Callable[[Sequence[Projection[Any]]], Target], advance: Advance, **options: Any
) -> ReplayResult:
    """Replays into a target, which gets its name when it is complete. Checks file and options before any server.

    Raises CrmError, ValueError, OSError.
    """
    projections = projections_of(what)
    events = pop_event_filter(projections, options)
    target = targets(projections)
    with parts_folder(target.folder) as folder:
        done = fold(what, projections, events, folder, advance, **options)
        try:
            target.write({p.name: (p, all_rows(folder, p)) for p in projections})
        except WRITE_ERRORS as error:
            raise not_written(error, target.folder) from None
    done.places = {p.name: target.place(p.name) for p in projections}
    return done


def fold(
    what: ProjectionSource,
    projections: Sequence[Projection[Any]],
    events: EventFilter,
    folder: Path,
    advance: Advance,
    *,
    archive: str | Path | None = None,
    tail: bool = False,
    kafka: str | Callable[[], str] | None = None,
    workers: int = 0,
    memory: int = MEMORY,
    skip_unknown: bool = False,
    started: Callable[[int], None] = lambda _: None,
    topic: str = JOURNAL.name,
) -> ReplayResult:
    """Folds all partitions into parts in `folder`. `started` gets the total of events, `advance` those just folded."""
    processes = workers or len(os.sched_getaffinity(0))
    bootstrap = "" if archive and not tail else kafka_address(kafka)
    if not archive and not bootstrap:
        raise ValueError("Name a Kafka (KAFKA_BOOTSTRAP, or kafka=…) or an archive: there is nothing to read.")
    archived = absolute(archive) if archive else None
    from_file = not isinstance(what, Projection)
    spec = ReplaySpec(
        file="" if isinstance(what, Projection) else str(absolute(what)),
        folder=str(folder),
        names=tuple(projection.name for projection in projections),
        until=run(lambda: planning.end_positions(bootstrap, archived, topic)),
        topic=topic,
        bootstrap=bootstrap,
        archive=str(archived or ""),
        events=events,
        skip_unknown=skip_unknown,
        budget=memory // (processes if from_file else 1),
    )
    started(sum(spec.until.values()))
    try:
        return run_fold(spec, projections, processes, advance)
    except (UnreadField, WorkerFailed) as error:
        if not (isinstance(error, UnreadField) or error.everything):
            raise
        spec.everything = True
        return run_fold(spec, projections, processes, advance)


def pop_event_filter(projections: Sequence[Projection[Any]], options: dict[str, Any]) -> EventFilter:
    """Removes the options that select events and returns them as a filter. Raises ValueError."""
    names = EventFilter.__struct_fields__
    return event_filter(projections, **{name: options.pop(name) for name in names if name in options})


def kafka_address(kafka: str | Callable[[], str] | None) -> str:
    """Returns the bootstrap address that is given or in the environment, or ""."""
    return (kafka() if callable(kafka) else kafka) or os.environ.get("KAFKA_BOOTSTRAP", "")


def run_fold(spec: ReplaySpec, projections: Sequence[Projection[Any]], workers: int, advance: Advance) -> ReplayResult:
    """Folds in worker processes if the projections are in a file, else in this process."""
    if not spec.file:
        return run(lambda: fold_in_process(spec, projections, advance))
    result = run(lambda: run_workers(spec, workers, advance))
    unknown = {id: number for id, (number, *_) in result.unknown.items()}
    return ReplayResult(sum(spec.until.values()), result.rows, unknown)


def run(work: Callable[[], Coroutine[Any, Any, T]]) -> T:
    """Runs a coroutine to its end. Inside of a running loop, as in a notebook, runs it in a thread.

    Cancels the work when it is interrupted.
    """
    try:
        asyncio.get_running_loop()
    except RuntimeError:
        return asyncio.run(work())
    begun: Future[Callable[[], object]] = Future()

    async def in_thread() -> T:
        loop, task = asyncio.get_running_loop(), asyncio.current_task()
        begun.set_result(lambda: loop.call_soon_threadsafe(task.cancel) if task else None)
        return await work()

    with ThreadPoolExecutor(1) as thread:
        try:
            return thread.submit(lambda: asyncio.run(in_thread())).result()
        except KeyboardInterrupt:
            begun.add_done_callback(lambda cancel: cancel.result()())  # now, or as soon as it has begun
            raise


async def fold_in_process(spec: ReplaySpec, projections: Sequence[Projection[Any]], advance: Advance) -> ReplayResult:
    """Folds one partition after another in this process."""
    done = ReplayResult(sum(spec.until.values()), {p.name: 0 for p in projections}, {})
    for partition, end in spec.until.items():
        if end:
            rows, unknown = await fold_partition(spec, projections, partition, advance)
            done.rows = {name: count + rows[name] for name, count in done.rows.items()}
            done.unknown |= {id: done.unknown.get(id, 0) + number for id, (number, *_) in unknown.items()}
    return done


def projections_of(what: ProjectionSource) -> Sequence[Projection[Any]]:
    """Returns the projection, or those that the file declares. Raises Malformed."""
    return [what] if isinstance(what, Projection) else [*projections_in(what, "Nothing was read.").values()]


def single_projection(what: ProjectionSource, name: str) -> Projection[Any]:
    """Returns the projection of this name, or the only one. Raises ValueError or Malformed."""
    found = projections_of(what)
    named = [projection for projection in found if name in ("", projection.name)]
    if len(named) != 1:
        names = ", ".join(projection.name for projection in found)
        raise ValueError(f"A table has the rows of one projection: pass its name. {what} declares {names}.")
    return named[0]


def all_rows(folder: Path, projection: Projection[Any]) -> pl.LazyFrame:
    """Returns the rows of all parts. Raises Malformed when a key is in several partitions."""
    rows = scan(folder, projection)
    if projection.needs_row:
        check_keys(rows, projection)
    return rows


@contextmanager
def parts_folder(folder: Path) -> Iterator[Path]:
    """Provides a folder for parts on the target's disk and removes it, and those that killed processes left."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
        for left in folder.glob(f"{PARTS}*"):
            if not psutil.pid_exists(int(left.name.removeprefix(PARTS).partition("-")[0])):
                shutil.rmtree(left, ignore_errors=True)
        parts = Path(tempfile.mkdtemp(prefix=f"{PARTS}{os.getpid()}-", dir=folder))
    except OSError as error:
        raise not_written(error, folder) from None
    try:
        yield parts
    finally:
        shutil.rmtree(parts, ignore_errors=True)

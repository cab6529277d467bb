"""A replay from end to end: into a DataFrame for Python, into a file or a database for the command line."""

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
from streams.rebuild.workers import WorkerFailed, build
from streams.replay import planning
from streams.replay.asked import Bounds, What, bounds, path
from streams.replay.disk import ERRORS, no_room
from streams.replay.extras import needed
from streams.replay.file import declared
from streams.replay.order import MEMORY, Order, fold_partition
from streams.replay.parts import check_keys, scan
from streams.replay.targets import Target

T = TypeVar("T")
Advance = Callable[[int], None]
PARTS = ".crm-replay-"  # then the process and a word


class Replayed(msgspec.Struct):
    """What came of it."""

    events: int  # of the history that was read
    rows: dict[str, int]
    unknown: dict[int, int]  # events that were passed over, by schema id
    places: dict[str, str] = {}  # of each projection's rows, for people


def table(what: What, kind: str, name: str = "", **asked: Any) -> Any:
    """See streams.replay.frame.replay."""
    if kind not in ("polars", "arrow"):
        raise ValueError(f"There is no table {kind!r}; there are polars and arrow.")
    if kind == "arrow":
        needed("pyarrow")
    projection = one_of(what, name)
    within = bounded([projection], asked)
    with tempfile.TemporaryDirectory(prefix="crm-replay-") as folder:
        fold(what, [projection], within, Path(folder), lambda _: None, **asked)
        found = whole(Path(folder), projection).collect()
        return found.to_arrow() if kind == "arrow" else found


def write(
    what: What, targets: Callable[[Sequence[Projection[Any]]], Target], advance: Advance, **asked: Any
) -> Replayed:
    """Into a target, which gets its name when all is there. The file and the bounds are looked at before any server is.

    Raises CrmError, ValueError, OSError."""
    projections = projections_of(what)
    within = bounded(projections, asked)
    target = targets(projections)
    with beside(target.folder) as folder:
        done = fold(what, projections, within, folder, advance, **asked)
        try:
            target.write({p.name: (p, whole(folder, p)) for p in projections})
        except ERRORS as error:
            raise no_room(error, target.folder) from None
    done.places = {p.name: target.place(p.name) for p in projections}
    return done


def fold(
    what: What,
    projections: Sequence[Projection[Any]],
    within: Bounds,
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
) -> Replayed:
    """Folds all partitions into parts in `folder`. `started` is told how many events there are."""
    processes = workers or len(os.sched_getaffinity(0))
    bootstrap = "" if archive and not tail else address(kafka)
    if not archive and not bootstrap:
        raise ValueError("Name a Kafka (KAFKA_BOOTSTRAP, or kafka=…) or an archive: there is nothing to read.")
    order = Order(
        file=str(path(what).absolute()) if isinstance(what, str | Path) else "",
        folder=str(folder),
        names=tuple(projection.name for projection in projections),
        until=run(lambda: planning.until(bootstrap, path(archive) if archive else None, topic)),
        topic=topic,
        bootstrap=bootstrap,
        archive=str(path(archive).absolute()) if archive else "",
        bounds=within,
        skip_unknown=skip_unknown,
        budget=memory // (processes if isinstance(what, str | Path) else 1),
    )
    started(sum(order.until.values()))
    try:
        return folded(order, projections, processes, advance)
    except (UnreadField, WorkerFailed) as error:
        if not (isinstance(error, UnreadField) or error.everything):
            raise
        order.everything = True
        return folded(order, projections, processes, advance)


def bounded(projections: Sequence[Projection[Any]], asked: dict[str, Any]) -> Bounds:
    """Takes out of `asked` what says which events count."""
    return bounds(projections, **{name: asked.pop(name) for name in Bounds.__struct_fields__ if name in asked})


def address(kafka: str | Callable[[], str] | None) -> str:
    """Of Kafka; empty when nobody names one."""
    return (kafka() if callable(kafka) else kafka) or os.environ.get("KAFKA_BOOTSTRAP", "")


def folded(order: Order, projections: Sequence[Projection[Any]], workers: int, advance: Advance) -> Replayed:
    """In processes when the projections are in a file; else here, where they are."""
    total = sum(order.until.values())
    if order.file:
        built = run(lambda: build(order, workers, advance))
        return Replayed(total, built.rows, {id: told[0] for id, told in built.unknown.items()})
    return run(lambda: here(order, projections, advance))


def run(work: Callable[[], Coroutine[Any, Any, T]]) -> T:
    """Also in a notebook, whose own loop runs already: then in a thread of its own. Interrupted, it ends its work."""
    try:
        asyncio.get_running_loop()
    except RuntimeError:
        return asyncio.run(work())
    begun: Future[Callable[[], object]] = Future()

    async def there() -> T:
        loop, task = asyncio.get_running_loop(), asyncio.current_task()
        begun.set_result(lambda: loop.call_soon_threadsafe(task.cancel) if task else None)
        return await work()

    with ThreadPoolExecutor(1) as thread:
        try:
            return thread.submit(lambda: asyncio.run(there())).result()
        except KeyboardInterrupt:
            begun.add_done_callback(lambda end: end.result()())  # now, or as soon as it has begun
            raise


async def here(order: Order, projections: Sequence[Projection[Any]], advance: Advance) -> Replayed:
    done = Replayed(sum(order.until.values()), {p.name: 0 for p in projections}, {})
    for partition, end in order.until.items():
        if end:
            rows, unknown = await fold_partition(order, projections, partition, advance)
            done.rows = {name: count + rows[name] for name, count in done.rows.items()}
            done.unknown |= {id: done.unknown.get(id, 0) + told[0] for id, told in unknown.items()}
    return done


def projections_of(what: What) -> Sequence[Projection[Any]]:
    if isinstance(what, Projection):
        return [what]
    return [*declared(path(what)).values()]


def one_of(what: What, name: str) -> Projection[Any]:
    found = projections_of(what)
    named = [projection for projection in found if name in ("", projection.name)]
    if len(named) != 1:
        names = ", ".join(projection.name for projection in found)
        raise ValueError(f"A table is of one projection: give its name. {what} declares {names}.")
    return named[0]


def whole(folder: Path, projection: Projection[Any]) -> pl.LazyFrame:
    """All rows. Raises Malformed when a key is of several partitions."""
    rows = scan(folder, projection)
    if projection.needs_row:
        check_keys(rows, projection)
    return rows


@contextmanager
def beside(folder: Path) -> Iterator[Path]:
    """A folder for the parts, on the target's disk; nothing of it is left, nor of those whose process was killed."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
        for left in folder.glob(f"{PARTS}*"):
            if not psutil.pid_exists(int(left.name.removeprefix(PARTS).partition("-")[0])):
                shutil.rmtree(left, ignore_errors=True)
        parts = Path(tempfile.mkdtemp(prefix=f"{PARTS}{os.getpid()}-", dir=folder))
    except OSError as error:
        raise no_room(error, folder) from None
    try:
        yield parts
    finally:
        shutil.rmtree(parts, ignore_errors=True)

"""Runs several processes that fold the journal, each with its own partitions, for a rebuild or a replay."""

import asyncio
import os
import sys
from asyncio.subprocess import Process
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

import msgspec

from crm.adapters.processes import child
from crm.errors import Broken
from streams.rebuild.priority import lower_priority

# Each response of Kafka takes megabytes. The process keeps that memory, in huge pages where Linux has them: page faults
# of memory that is released and requested again take a tenth of the time.
MEMORY = {
    "GLIBC_TUNABLES": "glibc.malloc.hugetlb=1",
    "MALLOC_MMAP_THRESHOLD_": str(512 << 20),
    "MALLOC_TRIM_THRESHOLD_": str(512 << 20),
}
LINE = 1 << 20  # bytes; the longest line of a worker


class WorkerSpec(Protocol):
    """What every worker process gets as JSON; a spec may have more fields."""

    @property
    def worker(self) -> str:
        """The module to run: see streams.rebuild.worker."""

    @property
    def until(self) -> Mapping[int, int]:
        """By partition: the position to stop before."""

    @property
    def kept(self) -> str:
        """A sentence on what was kept when a process ends unexpectedly."""


@dataclass
class FoldResult:
    """What was folded, up to before which position (`until`) and offset of each partition."""

    until: Mapping[int, int]
    offsets: dict[int, int] = field(default_factory=dict)
    rows: dict[str, int] = field(default_factory=dict)  # by projection
    unknown: dict[int, tuple[int, int, int]] = field(default_factory=dict)  # see streams.rebuild.worker.GroupDone


class WorkerFailed(Broken):
    """A worker failed; the message is its last sentence. `everything`: may work with all fields decoded."""

    def __init__(self, message: str, everything: bool = False) -> None:
        super().__init__(message)
        self.everything = everything


async def run_workers(
    spec: WorkerSpec, workers: int, advance: Callable[[int], None], together: bool = False, gentle: bool = False
) -> FoldResult:
    """Folds the partitions in `workers` processes. Raises WorkerFailed for the first failure and stops the others.

    `together`: one process reads all partitions at once, for rows whose events are in several of them. `gentle`: runs
    the processes at low priority.
    """
    wanted = [p for p, end in sorted(spec.until.items()) if end]
    groups: list[Sequence[int]] = [wanted] if together else [[partition] for partition in wanted]
    built, count = FoldResult(spec.until), min(workers, len(groups))
    waiting = list(reversed(groups))
    tasks = [asyncio.create_task(run_process(spec, waiting, built, advance, gentle)) for _ in range(count)]
    try:
        await asyncio.gather(*tasks)
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
    return built


async def run_process(
    spec: WorkerSpec, waiting: list[Sequence[int]], built: FoldResult, advance: Callable[[int], None], gentle: bool
) -> None:
    """Runs one process, which folds one group of partitions after another."""
    async with child(
        *(sys.executable, "-m", spec.worker),
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        env={**os.environ, **MEMORY, "POLARS_MAX_THREADS": "1"},
        limit=LINE,
        start_new_session=True,  # Ctrl-C reaches only the parent
    ) as process:
        if gentle:
            lower_priority(process.pid)
        await fold_groups(process, spec, waiting, built, advance)


async def fold_groups(
    process: Process, spec: WorkerSpec, waiting: list[Sequence[int]], built: FoldResult, advance: Callable[[int], None]
) -> None:
    """Sends the spec and the groups to a process and collects its results. Raises WorkerFailed."""
    assert process.stdin and process.stdout  # both are pipes
    process.stdin.write(msgspec.json.encode(spec) + b"\n")
    while waiting:
        process.stdin.write(msgspec.json.encode(waiting.pop()) + b"\n")
        async for line in process.stdout:
            message = msgspec.json.decode(line)
            if "read" in message:
                advance(message["read"])
            elif "failed" in message:
                raise WorkerFailed(message["failed"], message.get("everything", False))
            else:
                add_result(built, message["done"])
                break
        else:
            code = await process.wait()
            raise WorkerFailed(
                f"A worker process ended early (exit code {code}); see its output above. {spec.kept} Run it again."
            )


def add_result(built: FoldResult, done: dict[str, Any]) -> None:
    """Adds the JSON of a worker's GroupDone."""
    built.offsets |= {int(p): offset for p, offset in done["offsets"].items()}
    for name, rows in done["rows"].items():
        built.rows[name] = built.rows.get(name, 0) + rows
    for id, (number, partition, first) in done["unknown"].items():
        before, *where = built.unknown.get(int(id), (0, partition, first))
        built.unknown[int(id)] = (before + number, where[0], where[1])

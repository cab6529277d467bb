"""Several processes that fold the journal, each with partitions of its own, for a rebuild or a replay."""

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
from streams.rebuild.priority import give_way

# Megabytes come and go with each answer of Kafka: kept in the process, and in huge pages where Linux has them. Given
# back and asked for again, their page faults take a tenth of the time.
MEMORY = {
    "GLIBC_TUNABLES": "glibc.malloc.hugetlb=1",
    "MALLOC_MMAP_THRESHOLD_": str(512 << 20),
    "MALLOC_TRIM_THRESHOLD_": str(512 << 20),
}
LINE = 1 << 20  # bytes of one line of a worker


class Order(Protocol):
    """What its processes are told, as JSON; a worker may be told more."""

    @property
    def worker(self) -> str:
        """The module that is run: see streams.rebuild.worker."""

    @property
    def until(self) -> Mapping[int, int]:
        """Position by partition that is not folded any more."""

    @property
    def begins(self) -> Mapping[int, tuple[int, int]]:
        """Offset and position by partition; the beginning where it has none."""

    @property
    def kept(self) -> str:
        """What has not happened when a process ends in the middle."""


@dataclass
class Built:
    """What was folded, to before which position and offset of each partition."""

    until: Mapping[int, int]
    offsets: dict[int, int] = field(default_factory=dict)
    rows: dict[str, int] = field(default_factory=dict)
    unknown: dict[int, tuple[int, int, int]] = field(default_factory=dict)  # see streams.rebuild.worker.Done


class WorkerFailed(Broken):
    """What a worker said at its end. `everything`: it may work with all fields decoded."""

    def __init__(self, said: str, everything: bool = False) -> None:
        super().__init__(said)
        self.everything = everything


async def build(
    spec: Order, workers: int, advance: Callable[[int], None], together: bool = False, gentle: bool = False
) -> Built:
    """Raises WorkerFailed with what the first worker that failed said; all others are ended then.

    `together`: one process reads all partitions at once, for rows whose events lie in several of them. `gentle`: the
    processes give way to all others.
    """
    wanted = [p for p, end in sorted(spec.until.items()) if end > spec.begins.get(p, (0, 0))[1]]
    groups: list[Sequence[int]] = [wanted] if together else [[partition] for partition in wanted]
    built = Built(spec.until, {p: begin[0] for p, begin in spec.begins.items()})
    waiting = list(reversed(groups))
    tasks = [asyncio.create_task(work(spec, waiting, built, advance, gentle)) for _ in range(min(workers, len(groups)))]
    try:
        await asyncio.gather(*tasks)
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
    return built


async def work(
    spec: Order, waiting: list[Sequence[int]], built: Built, advance: Callable[[int], None], gentle: bool
) -> None:
    """One process: it is given a group of partitions, and the next when it is done with that."""
    async with child(
        *(sys.executable, "-m", spec.worker),
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        env={**os.environ, **MEMORY, "POLARS_MAX_THREADS": "1"},
        limit=LINE,
        start_new_session=True,  # Ctrl-C reaches the parent alone
    ) as process:
        if gentle:
            give_way(process.pid)
        await told(process, spec, waiting, built, advance)


async def told(
    process: Process, spec: Order, waiting: list[Sequence[int]], built: Built, advance: Callable[[int], None]
) -> None:
    """Raises WorkerFailed."""
    assert process.stdin and process.stdout  # pipes were asked for
    process.stdin.write(msgspec.json.encode(spec) + b"\n")
    while waiting:
        process.stdin.write(msgspec.json.encode(waiting.pop()) + b"\n")
        async for line in process.stdout:
            said = msgspec.json.decode(line)
            if "read" in said:
                advance(said["read"])
            elif "failed" in said:
                raise WorkerFailed(said["failed"], said.get("everything", False))
            else:
                take(built, said["done"])
                break
        else:
            code = await process.wait()
            raise WorkerFailed(
                f"A process ended ({code}) in the middle: its lines above may say why. {spec.kept} Run it again."
            )


def take(built: Built, done: dict[str, Any]) -> None:
    built.offsets |= {int(p): offset for p, offset in done["offsets"].items()}
    for name, rows in done["rows"].items():
        built.rows[name] = built.rows.get(name, 0) + rows
    for id, (number, partition, first) in done["unknown"].items():
        before, *where = built.unknown.get(int(id), (0, partition, first))
        built.unknown[int(id)] = (before + number, where[0], where[1])

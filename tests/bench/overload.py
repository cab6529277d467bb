"""`crm bench overload`: memory of each role, and whether all facts are decided, under far too many facts.

Two processes send as fast as they can: one streams facts straight to Kafka, one posts forms over many connections.
"""

import asyncio
import time
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ProcessPoolExecutor
from multiprocessing import get_context
from pathlib import Path
from typing import Any
from zlib import crc32

import psutil
from psycopg import AsyncConnection

from crm.contract.codec import encode
from crm.decisions import RULES
from crm.scalars import Id
from crm.topics import TOPICS
from services.stack import state
from tests.bench.intake import Driver, Load
from tests.bench.machine import machine
from tests.bench.streaming import progress, send
from tests.support.workload.facts import KafkaRecord, mixed_facts

POOL = 50_000  # facts made beforehand; sent again and again, each time under new ids
LOOK = 0.5  # seconds between two looks at the memory
LATE = 10.0  # seconds after which a vendor gives up
SEEN = "SELECT count(*) FROM core.fact_seen"

Memory = dict[str, dict[str, int]]


class Push(Load):
    """Counts the answers to the POSTs."""

    def __init__(self, address: str, seconds: float) -> None:
        super().__init__(address, seconds, 0)
        self.counts = dict.fromkeys(("accepted", "later", "later_without_retry_after", "other", "late"), 0)
        self.slowest = 0.0

    def answered(self, head: bytes, seconds: float) -> None:
        status = head[9:12]
        self.counts["accepted" if status == b"200" else "later" if status == b"503" else "other"] += 1
        self.counts["later_without_retry_after"] += status == b"503" and b"retry-after:" not in head.lower()
        self.counts["late"] += seconds > LATE
        self.slowest = max(self.slowest, seconds)

    async def push(self, connections: int) -> dict[str, Any]:
        """Counts refused and cut connections as `other`; those without an answer after LATE seconds as `late`."""
        loop = asyncio.get_running_loop()
        self.open = connections
        for _ in range(connections):
            try:
                await loop.create_connection(lambda: Driver(self), self.host, self.port)
            except OSError:
                self.counts["other"] += 1
                self.closed()
        try:
            await asyncio.wait_for(self.over.wait(), max(0.0, self.until - time.perf_counter()) + LATE)
        except TimeoutError:
            self.counts["late"] += self.open
        return self.counts | {"slowest_s": round(self.slowest, 2)}


def push_forms(address: str, seconds: float, connections: int) -> dict[str, Any]:
    return asyncio.run(Push(address, seconds).push(connections))


def stream_facts(bootstrap: str, workspace: Id, rate: int, seconds: float) -> int:
    """Returns the number of facts that Kafka has acknowledged."""
    facts = [
        (f.meta.id, RULES[type(f)].family, f.meta.stream.encode(), encode(f)) for f in mixed_facts(workspace, POOL)
    ]
    until, sent = time.monotonic() + seconds, 0
    for again in range(1 << 31):
        for part in in_parts(with_new_ids(facts, again), max(1, rate // 4)):
            if time.monotonic() > until:
                return sent
            asyncio.run(send(bootstrap, part, rate, lambda _: None))
            sent += len(part)
    return sent


def with_new_ids(facts: list[tuple[Id, str, bytes, bytes]], again: int) -> Iterator[KafkaRecord]:
    """Yields the same facts under new ids."""
    for id, family, key, value in facts:
        new = f"{crc32(id[:8].encode()) ^ again:08x}{id[8:]}"
        topic = TOPICS[family]
        yield topic.name, crc32(key) % topic.partitions, key, value.replace(id.encode(), new.encode())


def in_parts(facts: Iterator[KafkaRecord], size: int) -> Iterator[list[KafkaRecord]]:
    part: list[KafkaRecord] = []
    for fact in facts:
        part.append(fact)
        if len(part) == size:
            yield part
            part = []
    if part:
        yield part


def record_memory(data: Path, memory: Memory) -> dict[str, int]:
    """Records the memory of each process in MB. Returns the restarts of each."""
    stack = state.running(data)
    for part in stack.parts:
        try:
            held = psutil.Process(part.pid).memory_info().rss // 1_000_000 if part.pid else 0
        except psutil.NoSuchProcess:
            continue
        found = memory.setdefault(part.name, {"start": held, "peak": held, "end": held})
        found["peak"], found["end"] = max(found["peak"], held), held
    return {part.name: part.restarts for part in stack.parts}


async def overload(
    data: Path,
    address: str,
    workspace: Id,
    rate: int,
    seconds: int,
    connections: int,
    patience: float,
    report: Callable[[str], None],
) -> dict[str, Any]:
    """Returns figures of one run against the stack on `data`. Raises NotRunning when none runs."""
    memory: Memory = {}
    stack = state.running(data)
    async with await AsyncConnection.connect(stack.database_url, autocommit=True) as conn:
        before, seen = await progress(conn), await count(conn)
        restarts = record_memory(data, memory)
        report(f"streaming {rate:,} facts/s and posting over {connections} connections for {seconds} s")
        with ProcessPoolExecutor(2, get_context("spawn")) as pool:
            began = time.monotonic()
            posting = pool.submit(push_forms, address, seconds, connections)
            streaming = pool.submit(stream_facts, stack.kafka_bootstrap, workspace, rate, seconds)
            await while_running((posting, streaming), data, memory, report)
            lasted = time.monotonic() - began
        posts, facts = posting.result(), streaming.result()
        drained = await drain(conn, facts + posts["accepted"] + seen, data, memory, patience, report)
        now = await progress(conn)
        decided = await count(conn) - seen
        again = record_memory(data, memory)
    return {
        "benchmark": "overload",
        "machine": machine(),
        "settings": {"rate": rate, "seconds": seconds, "connections": connections},
        "streamed": {"acknowledged": facts, "per_s": round(facts / lasted)},
        "posted": posts | {"accepted_per_s": round(posts["accepted"] / lasted)},
        "decided": decided,
        "journal_events": now.journaled - before.journaled,
        "acknowledged_and_not_decided": max(0, facts + posts["accepted"] - decided),
        "drained_s": drained,
        "memory_mb": memory,
        "restarts": {name: again[name] - n for name, n in restarts.items() if again.get(name, n) > n},
    }


async def while_running(
    work: tuple[Future[Any], ...], data: Path, memory: Memory, report: Callable[[str], None]
) -> None:
    while not all(one.done() for one in work):
        record_memory(data, memory)
        report("  ".join(f"{name} {held['end']} MB" for name, held in memory.items()))
        await asyncio.sleep(LOOK)


async def drain(
    conn: AsyncConnection, wanted: int, data: Path, memory: Memory, patience: float, report: Callable[[str], None]
) -> float | None:
    """Returns the seconds until all acknowledged facts are projected; None when that takes longer than `patience`."""
    began = time.monotonic()
    while (waits := time.monotonic() - began) < patience:
        record_memory(data, memory)
        decided, at = await count(conn), await progress(conn)
        report(f"{waits:5.1f} s  {max(0, wanted - decided):,} to decide, {at.journaled - at.projected:,} to project")
        if decided >= wanted and at.projected >= at.journaled:
            return round(waits, 1)
        await asyncio.sleep(LOOK)
    return None


async def count(conn: AsyncConnection) -> int:
    row = await (await conn.execute(SEEN)).fetchone()
    return int(row[0]) if row else 0

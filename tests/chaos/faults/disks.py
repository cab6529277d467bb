"""The disk of a server is slow, or has no space left."""

import asyncio
import time
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial

from tests.chaos.cluster import SERVERS, Cluster
from tests.chaos.faults import FaultContext, fault
from tests.chaos.slow_disk import with_slow_flushes
from tests.chaos.small_disk import SmallDisk

FLUSH = 0.2  # seconds
SIZE = 3_000_000_000  # bytes
SLOW, FULL = 10.0, 8.0  # seconds
WITHIN = 10.0  # seconds to the next commit of everybody once there is space again


@contextmanager
def slow(cluster: Cluster) -> Iterator[None]:
    for server in SERVERS:
        cluster.wraps[server] = partial(with_slow_flushes, seconds=FLUSH, switch=cluster.switch)
    yield


@contextmanager
def small(server: str, cluster: Cluster) -> Iterator[None]:
    with SmallDisk(cluster.plan.data / "small", SIZE) as disk:
        cluster.folders[server], cluster.disk = disk.folder, disk
        yield


@fault("slow-disk", f"Each flush of Kafka and Postgres takes {FLUSH:g} s for {SLOW:.0f} s.", around=slow, lasts=40)
async def slow_disk(run: FaultContext) -> None:
    run.cluster.switch.touch()
    await run.injected(time.monotonic())
    await asyncio.sleep(SLOW)
    run.cluster.switch.unlink()


async def full(server: str, run: FaultContext) -> None:
    disk = run.cluster.disk
    assert disk
    await asyncio.to_thread(disk.fill)
    await asyncio.sleep(FULL)
    disk.release()
    await run.injected(await run.cluster.wait_until_ready(server))


for server, title in (("postgres", "Postgres"), ("kafka", "Kafka")):
    fault(
        f"disk-full-{server}",
        f"The disk of {title} is full for {FULL:.0f} s, then has space again.",
        bound=WITHIN,
        around=partial(small, server),
        lasts=40,
    )(partial(full, server))

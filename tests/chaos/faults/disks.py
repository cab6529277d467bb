"""The disk of a server is slow, or has no space left."""

import asyncio
import time
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial

from tests.chaos.faults import Scene, fault
from tests.chaos.slow_disk import slowed
from tests.chaos.small_disk import SmallDisk
from tests.chaos.stand import SERVERS, Stand

FLUSH = 0.2  # seconds
SIZE = 3_000_000_000  # bytes
SLOW, FULL = 10.0, 8.0  # seconds
WITHIN = 10.0  # seconds to the next commit of everybody once there is space again


@contextmanager
def slow(stand: Stand) -> Iterator[None]:
    for server in SERVERS:
        stand.wraps[server] = partial(slowed, seconds=FLUSH, switch=stand.switch)
    yield


@contextmanager
def small(server: str, stand: Stand) -> Iterator[None]:
    with SmallDisk(stand.plan.data / "small", SIZE) as disk:
        stand.folders[server], stand.disk = disk.folder, disk
        yield


@fault("slow-disk", f"Each flush of Kafka and Postgres takes {FLUSH:g} s for {SLOW:.0f} s.", around=slow, lasts=40)
async def slow_disk(scene: Scene) -> None:
    scene.stand.switch.touch()
    await scene.struck(time.monotonic())
    await asyncio.sleep(SLOW)
    scene.stand.switch.unlink()


async def full(server: str, scene: Scene) -> None:
    disk = scene.stand.disk
    assert disk
    await asyncio.to_thread(disk.fill)
    await asyncio.sleep(FULL)
    disk.release()
    await scene.struck(await scene.stand.answers(server))


for server, title in (("postgres", "Postgres"), ("kafka", "Kafka")):
    fault(
        f"disk-full-{server}",
        f"The disk of {title} is full for {FULL:.0f} s, then has space again.",
        bound=WITHIN,
        around=partial(small, server),
        lasts=40,
    )(partial(full, server))

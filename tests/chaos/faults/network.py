"""The network between a role and a server: slow, cut, or silent for longer than every time-out."""

import asyncio
import time
from collections.abc import Callable
from functools import partial

from tests.chaos.faults import Scene, fault
from tests.chaos.proxy import Proxy
from tests.chaos.stand import SERVERS, Way

ROLES = ("decide", "relay", "project")
WAYS: tuple[Way, ...] = tuple((role, server) for role in ROLES for server in SERVERS)
CUT, SILENT = 8.0, 25.0  # seconds: past the session's time-out, and past all others
DELAY, SLOW = 0.1, 6.0  # seconds each way, and how long
WITHIN = 10.0  # seconds to the next commit of everybody once the network is back


async def away(way: Way, how: Callable[[Proxy], None], seconds: float, scene: Scene) -> None:
    proxy = scene.stand.proxies[way]
    how(proxy)
    try:
        await asyncio.sleep(seconds)
    finally:
        proxy.heal()
    await scene.struck(time.monotonic())


for way in WAYS:
    role, server = way
    sentence = f"Connections from {role} to {server} are reset, and refused for {CUT:.0f} s."
    inject = partial(away, way, Proxy.cut, CUT)
    fault(f"cut-{role}-{server}", sentence, bound=WITHIN, ways=(way,), lasts=45)(inject)

for way in WAYS:
    role, server = way
    sentence = f"{role} and {server} hear nothing from each other for {SILENT:.0f} s; no connection is closed."
    inject = partial(away, way, Proxy.deafen, SILENT)
    fault(f"half-open-{role}-{server}", sentence, bound=WITHIN, ways=(way,), lasts=60)(inject)


@fault(
    "slow-network",
    f"Everything between {', '.join(ROLES)} and the servers takes {DELAY:g} s each way, for {SLOW:.0f} s.",
    bound=WITHIN,
    ways=WAYS,
)
async def slow_network(scene: Scene) -> None:
    for proxy in scene.stand.proxies.values():
        proxy.delay = DELAY
    await scene.struck(time.monotonic())
    await asyncio.sleep(SLOW)
    for proxy in scene.stand.proxies.values():
        proxy.heal()

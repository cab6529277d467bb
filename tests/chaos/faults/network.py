"""The network between a role and a server: slow, cut, or silent for longer than any timeout."""

import asyncio
import time
from collections.abc import Callable
from functools import partial

from tests.chaos.cluster import SERVERS, Link
from tests.chaos.faults import FaultContext, fault
from tests.chaos.proxy import Proxy

ROLES = ("decide", "relay", "project", "outbound")
LINKS: tuple[Link, ...] = tuple((role, server) for role in ROLES for server in SERVERS)
CUT, SILENT = 8.0, 25.0  # seconds: past the session's time-out, and past all others
DELAY, SLOW = 0.1, 6.0  # seconds each link, and how long
WITHIN = 10.0  # seconds to the next commit of everybody once the network is back


async def away(link: Link, how: Callable[[Proxy], None], seconds: float, run: FaultContext) -> None:
    proxy = run.cluster.proxies[link]
    how(proxy)
    try:
        await asyncio.sleep(seconds)
    finally:
        proxy.heal()
    await run.injected(time.monotonic())


for link in LINKS:
    role, server = link
    sentence = f"Connections from {role} to {server} are reset, and refused for {CUT:.0f} s."
    inject = partial(away, link, Proxy.cut, CUT)
    fault(f"cut-{role}-{server}", sentence, bound=WITHIN, links=(link,), lasts=45)(inject)

for link in LINKS:
    role, server = link
    sentence = f"{role} and {server} hear nothing from each other for {SILENT:.0f} s; no connection is closed."
    inject = partial(away, link, Proxy.deafen, SILENT)
    fault(f"half-open-{role}-{server}", sentence, bound=WITHIN, links=(link,), lasts=60)(inject)


@fault(
    "slow-network",
    f"Everything between {', '.join(ROLES)} and the servers takes {DELAY:g} s each link, for {SLOW:.0f} s.",
    bound=WITHIN,
    links=LINKS,
)
async def slow_network(run: FaultContext) -> None:
    for proxy in run.cluster.proxies.values():
        proxy.delay = DELAY
    await run.injected(time.monotonic())
    await asyncio.sleep(SLOW)
    for proxy in run.cluster.proxies.values():
        proxy.heal()

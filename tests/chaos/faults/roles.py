"""Roles are killed, terminated, frozen and resumed."""

import asyncio
import signal
from functools import partial

from services.stack.role import ROLES
from tests.chaos.faults import FaultContext, fault

WITHIN = 10.0  # seconds to the next commit of everybody after a role died
# Seconds: past the session's time-out, and past the relay's lock and the leases of outbound.
FROZEN = {"decide": 9.0, "project": 9.0, "relay": 14.0, "outbound": 14.0}
SESSION = 6.0  # seconds until the group notices that a worker is frozen
RELAY_LOCK = 10.0  # seconds until Postgres takes the lock from a relay that is frozen


async def end(role: str, by: signal.Signals, run: FaultContext) -> None:
    name = run.choices.choice(run.cluster.replicas(role)).name
    await run.injected(await run.cluster.kill(name, by))
    await run.cluster.wait_until_ready(name)


async def freeze(role: str, run: FaultContext) -> None:
    """The other replica takes over; then the frozen one resumes and writes where it was (a zombie)."""
    frozen = run.choices.choice(run.cluster.replicas(role)).name
    at = run.cluster.freeze(frozen)
    try:
        await run.injected(at)
        await asyncio.sleep(FROZEN[role])
    finally:
        run.cluster.thaw(frozen)


for count, suffix in ((1, ""), (2, "-x2")):
    several = "one of two replicas" if count == 2 else "the only replica"
    for role in ROLES:
        fault(f"kill-{role}{suffix}", f"kill -9 of {several} of {role}.", bound=WITHIN, replicas={role: count})(
            partial(end, role, signal.SIGKILL)
        )
        fault(f"term-{role}{suffix}", f"SIGTERM to {several} of {role}.", bound=WITHIN, replicas={role: count})(
            partial(end, role, signal.SIGTERM)
        )

for role, seconds in FROZEN.items():
    fault(
        f"freeze-{role}",
        f"One of two replicas of {role} is stopped for {seconds:.0f} s (SIGSTOP), then goes on: a zombie writer.",
        bound=WITHIN + (RELAY_LOCK if role == "relay" else SESSION),
        replicas={role: 2},
        lasts=60,
    )(partial(freeze, role))


@fault(
    "rebalance-storm",
    "A worker of decide and one of project joins or leaves every 3 s.",
    lasts=40,
)
async def storm(run: FaultContext) -> None:
    joined: list[str] = []
    for _ in range(4):
        joined += [run.cluster.join(role) for role in ("decide", "project")]
        await asyncio.sleep(3)
        if len(joined) > 2:
            await asyncio.gather(*(run.cluster.leave(joined.pop(0)) for _ in range(2)))
        await asyncio.sleep(3)
    at = asyncio.get_running_loop().time()
    await asyncio.gather(*(run.cluster.leave(name) for name in joined))
    await run.injected(at)


@fault("outbox-grows", "The relay is away for 30 s; the outbox holds what it cannot carry.", bound=WITHIN, lasts=50)
async def outbox_grows(run: FaultContext) -> None:
    run.cluster.hold("relay")
    await run.cluster.kill("relay")
    await asyncio.sleep(30)
    run.cluster.release("relay")
    await run.injected(await run.cluster.wait_until_ready("relay"))

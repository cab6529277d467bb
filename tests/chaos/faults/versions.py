"""Other code under load: the next release, role by role, and a fold that raises until it is fixed."""

import asyncio
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from crm.contract import codec
from projections import PROJECTIONS
from services.stack.role import ROLES
from tests.chaos.faults import FaultContext, fault

WITHIN = 10.0  # seconds to the next commit of everybody
READERS_FIRST = ("project", "api", "relay", "decide", "intake")


@contextmanager
def next_release() -> Iterator[None]:
    """Lets the invariants read the next release's events and check its read model too."""
    from tests.chaos.next_version import register_event

    taught: tuple[dict[Any, Any], ...] = codec.RECORDS, codec.TYPE_NAMES, codec.WRITERS, codec.READERS, PROJECTIONS
    before = [dict(table) for table in taught]
    register_event()
    try:
        yield
    finally:  # the next fault meets today's release again
        for table, was in zip(taught, before, strict=True):
            for name in set(table) - set(was):
                del table[name]


@fault(
    "rolling-upgrade",
    "Each role is replaced by its next release, which writes a new event type: readers first.",
    bound=WITHIN,
    replicas=dict.fromkeys(ROLES, 2),
    known=next_release,
    lasts=60,
)
async def rolling_upgrade(run: FaultContext) -> None:
    """Replaces each replica by the next release. Later injections replace the next release by itself."""
    at = time.monotonic()
    for role in READERS_FIRST:
        for part in run.cluster.replicas(role):
            at = await run.cluster.run_as(part.name, f"tests.chaos.next_version {ROLES[role]}")
    await run.injected(at)


@fault("raising-fold", "The fold of one projection raises; mended, it catches up.", bound=WITHIN, lasts=50)
async def raising_fold(run: FaultContext) -> None:
    """Only this projection stops and reports the reason; the others continue."""
    cluster = run.cluster
    cluster.switch.unlink(missing_ok=True)
    await cluster.run_as(
        "project", f"tests.chaos.raising_fold {ROLES['project']}", {"CRM_MENDED_FILE": str(cluster.switch)}
    )
    while not (before := await run.snapshot()).failed:
        if run.over:  # the event at which it raises did not come: nothing was broken
            await cluster.run_as("project", ROLES["project"])
            return
        await asyncio.sleep(0.5)
    await asyncio.sleep(3)
    after = await run.snapshot()
    failed = sorted(after.failed)
    run.expect(len(failed) == 1, f"one projection should be stopped; it is {failed}")
    late = [
        name
        for name, places in after.positions.items()
        if name not in failed and sum(places.values()) <= sum(before.positions[name].values())
    ]
    run.expect(not late, f"{late} did not go on next to the projection that is stopped")
    cluster.switch.touch()
    await run.injected(await cluster.run_as("project", ROLES["project"]))

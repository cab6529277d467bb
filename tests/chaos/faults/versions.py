"""Other code under load: the next release role by role, and a fold that raises until it is mended."""

import asyncio
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from crm.contract import codec
from projections import PROJECTIONS
from services.stack.role import ROLES
from tests.chaos.faults import Scene, fault

WITHIN = 10.0  # seconds to the next commit of everybody
READERS_FIRST = ("project", "api", "relay", "decide", "intake")


@contextmanager
def next_release() -> Iterator[None]:
    """The laws read what the next release wrote, and hold its read model, too, against a fresh fold."""
    from tests.chaos.next_version import learn

    taught: tuple[dict[Any, Any], ...] = codec.RECORDS, codec.TYPE_NAMES, codec.WRITERS, codec.READERS, PROJECTIONS
    before = [dict(table) for table in taught]
    learn()
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
async def rolling_upgrade(scene: Scene) -> None:
    """Once; from then on the next release runs, and is replaced by itself."""
    at = time.monotonic()
    for role in READERS_FIRST:
        for part in scene.stand.replicas(role):
            at = await scene.stand.run_as(part.name, f"tests.chaos.next_version {ROLES[role]}")
    await scene.struck(at)


@fault("raising-fold", "The fold of one projection raises; mended, it catches up.", bound=WITHIN, lasts=50)
async def raising_fold(scene: Scene) -> None:
    """That projection alone stands still and says why, and the others go on."""
    stand = scene.stand
    stand.switch.unlink(missing_ok=True)
    await stand.run_as("project", f"tests.chaos.raising {ROLES['project']}", {"CRM_MENDED_FILE": str(stand.switch)})
    while not (before := await scene.look()).failed:
        if scene.over:  # the event at which it raises did not come: nothing was broken
            await stand.run_as("project", ROLES["project"])
            return
        await asyncio.sleep(0.5)
    await asyncio.sleep(3)
    after = await scene.look()
    failed = sorted(after.failed)
    scene.expect(len(failed) == 1, f"one projection should stand still; it is {failed}")
    late = [
        name
        for name, places in after.positions.items()
        if name not in failed and sum(places.values()) <= sum(before.positions[name].values())
    ]
    scene.expect(not late, f"{late} did not go on beside the projection that stands still")
    stand.switch.touch()
    await scene.struck(await stand.run_as("project", ROLES["project"]))

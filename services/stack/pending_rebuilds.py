"""At startup: finds the projections that this database does not serve yet, and builds them while the roles run."""

import asyncio
import math
from collections.abc import Callable, Sequence
from typing import Any

from crm.errors import CrmError
from crm.projection import Projection
from projections import PROJECTIONS
from streams.rebuild import versions
from streams.rebuild.rebuild import RebuildPlan, rebuild
from streams.rebuild.write import tables

WAITS = "Readers see the previous rows until a project role of this release is running, which switches the views."
Say = Callable[[str], None]


def claim(dsn: str, say: Say) -> list[str]:
    """Returns the names of the projections to build. The project role leaves them to `build`.

    Raises Broken when a fold was changed without raising its version.
    """
    with tables.connected(dsn) as conn:
        versions.refuse_a_changed_fold(conn, PROJECTIONS.values())
        found: Sequence[Projection[Any]] = versions.pending_rebuilds(conn, PROJECTIONS.values())
        versions.claim(conn, found)
    if found:
        names = ", ".join(f"{p.name} (version {p.version})" for p in found)
        say(f"Building {names} from the journal. Until that is done, readers see the previous rows.")
    return [projection.name for projection in found]


async def build(bootstrap: str, dsn: str, names: Sequence[str], say: Say, patience: float = math.inf) -> None:
    """Builds all together, or one by one if that fails, so that one faulty fold does not block the others.

    `patience`: seconds to wait until a project role has switched the views to the new tables.
    """
    if not names:
        return
    for part in [tuple(names)] if len(names) == 1 else [tuple(names), *((name,) for name in names)]:
        try:
            outcome = await rebuild(RebuildPlan(bootstrap, dsn, part, compare=False, patience=patience))
        except CrmError as error:
            say(f"Building {', '.join(part)} failed: {error}")
            continue
        if served := [name for name in part if name not in outcome.waiting]:
            say(f"Now serving {', '.join(served)}: {outcome.events:,} events in {outcome.seconds['total']:.1f} s")
        if outcome.waiting:
            say(f"Built: {', '.join(outcome.waiting)}. {WAITS}")
        if len(part) == len(names):
            return


async def claim_and_build(bootstrap: str, dsn: str, say: Say) -> None:
    """Claims and builds the pending projections, and returns when they are built."""
    await build(bootstrap, dsn, await asyncio.to_thread(claim, dsn, say), say, patience=0)

"""At a start: says which projections this database does not serve yet, and builds them beside the running roles."""

import asyncio
import math
from collections.abc import Callable, Sequence
from typing import Any

from crm.errors import CrmError
from crm.projection import Projection
from projections import PROJECTIONS
from streams.rebuild import versions
from streams.rebuild.rebuild import Plan, Told, rebuild
from streams.rebuild.write import tables

WAITS = "Readers see the rows before until a project role of this release runs: it lets the views go over."
Say = Callable[[str], None]


def claim(dsn: str, say: Say) -> list[str]:
    """Names of those that are behind: the project role leaves them to `build`.

    Raises Broken when a fold changed under its version.
    """
    with tables.connected(dsn) as conn:
        versions.refuse_a_changed_fold(conn, PROJECTIONS.values())
        found: Sequence[Projection[Any]] = versions.behind(conn, PROJECTIONS.values())
        versions.claim(conn, found)
    if found:
        names = ", ".join(f"{p.name} (version {p.version})" for p in found)
        say(f"Behind: {names}. Built from the journal now; until then readers see the rows before.")
    return [projection.name for projection in found]


async def build(bootstrap: str, dsn: str, names: Sequence[str], say: Say, patience: float = math.inf) -> None:
    """Together when that works; else one by one, so that one bad fold keeps no other from being served.

    `patience`: seconds that the views may take to go over once all is built. A project role does that.
    """
    if not names:
        return
    for part in [tuple(names)] if len(names) == 1 else [tuple(names), *((name,) for name in names)]:
        try:
            outcome = await rebuild(Plan(bootstrap, dsn, part, compare=False, patience=patience), Told())
        except CrmError as error:
            say(f"{', '.join(part)} could not be built: {error}")
            continue
        if served := [name for name in part if name not in outcome.waiting]:
            say(f"Served now: {', '.join(served)}, from {outcome.events:,} events in {outcome.seconds['total']:.1f} s")
        if outcome.waiting:
            say(f"Built: {', '.join(outcome.waiting)}. {WAITS}")
        if len(part) == len(names):
            return


async def ensure(bootstrap: str, dsn: str, say: Say) -> None:
    """All of it, for whoever waits for the end."""
    await build(bootstrap, dsn, await asyncio.to_thread(claim, dsn, say), say, patience=0)

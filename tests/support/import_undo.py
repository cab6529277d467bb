"""An import in memory that is undone and done again, as the role does it: the plan of each card, and its facts."""

import tempfile
from dataclasses import replace
from pathlib import Path
from typing import Any

from msgspec.structs import replace as with_

from crm.envelope import Event
from crm.imports import Status, Undo
from crm.state import UndoneImport
from projections import PROJECTIONS
from services.imports.reading import Reading
from services.imports.undo.plan import plan_of
from services.imports.undo.undoing import Undoing
from tests.support.imports import Crm
from tests.support.projection_events import fold
from tests.support.scenarios import SHOP

SHOWN = ("contact", "deal", "object")
# They tell how often, when and why a row was touched, not what it says.
HISTORY = {"version": 0, "touched_at": 0}
REASONS = {"stage_reason": "", "owner_reason": ""}


def rows(crm: Crm) -> dict[Any, Any]:
    """Returns the rows of contacts, deals and objects, without how often, when and why they were touched."""
    found = {}
    for name in SHOWN:
        for key, row in fold(PROJECTIONS[name], crm.decide.journal).items():
            found[name, key] = with_(row, **HISTORY, **(REASONS if name == "deal" else {}))
    return found


def undone_count(crm: Crm, reading: Reading) -> int:
    before = crm.decide.states[SHOP].get(UndoneImport, reading.request.id)
    return before.count if before else 0


async def _nothing() -> None:
    return None


def undoing(crm: Crm, reading: Reading) -> Undoing:
    status = Status(reading.request.id)
    return Undoing(
        reading.request, status, undone_count(crm, reading), Path(tempfile.mkdtemp()) / "kept", _nothing, lambda: False
    )


def undo(crm: Crm, reading: Reading) -> Undo:
    """Undoes an import. Returns the counts, and all that is kept."""
    work = undoing(crm, reading)
    streams: dict[Any, list[Event]] = {}
    for event in crm.decide.journal:
        streams.setdefault(event.meta.stream, []).append(event)
    for stream in sorted(streams):
        if not any(event.meta.source in work.sources.imports for event in streams[stream]):
            continue
        plan = plan_of(stream, streams[stream], work.sources)
        facts = work.facts([plan])
        if facts and not work.undo.number:
            work.undo.number = work.number
            crm.decide.take(work.begun())
        work.count(plan, [crm.decide.take(fact) for fact in facts], again=False)
    if work.undo.number:
        crm.decide.take(work.ended())
    work.kept.close()
    return work.undo


def redo(crm: Crm, reading: Reading) -> list[str]:
    return crm.run(replace(reading, generation=undone_count(crm, reading)))

"""An object that an import made goes; one that it changed has the values that it had before."""

from collections import defaultdict
from collections.abc import Generator
from typing import Any

import msgspec

from crm.decisions.case import Case
from crm.decisions.objects import Change, changed
from crm.decisions.removal import MEANWHILE
from crm.envelope import Event
from crm.events import ObjectRemoved
from crm.facts import ImportedRecordUndone
from crm.scalars import Micros
from crm.state import Object, ObjectType, known

NULL = "null"
NEVER = -1  # the moment of what nobody reported before
EMPTY = {"status": '""', "title": '""', "merged_into": '""', "deleted": "false"}


def object_undone(fact: ImportedRecordUndone, case: Case) -> Generator[Event, Any, str]:
    """Returns why the object is kept; empty when it is not, or is not there."""
    before = case.state.get(Object, fact.id)
    if before is None:
        return ""
    if before.version != fact.version:
        return MEANWHILE
    if fact.made:
        yield ObjectRemoved(case.meta(fact.id), fact.id, before.type, before.key, fact.why)
        return ""
    kind = known(case.state, ObjectType, before.type)
    values: defaultdict[int, dict[str, str]] = defaultdict(dict)
    for name in fact.imported:
        absent = f"[{NEVER}, {msgspec.json.encode(EMPTY.get(name, NULL)).decode()}]"
        moment, text = msgspec.json.decode(fact.before.get(name, absent), type=tuple[int, str])
        values[moment][name] = text
    at: Micros = case.fact.meta.occurred_at
    for moment in sorted(values, key=lambda one: (one == 0, one)):  # what a person had given counts last
        there = known(case.state, Object, fact.id)
        yield changed(case, kind, there, Change(values[moment], (), there.doubts), moment, at)
    return ""

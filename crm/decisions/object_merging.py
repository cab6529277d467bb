"""Two keys of one object: the one that was merged is not shown, and its key finds the other."""

from collections.abc import Iterator

import msgspec

from crm.decisions.case import Case
from crm.decisions.objects import EMPTY, Change, changed
from crm.events import ObjectChanged
from crm.facts import ObjectReported
from crm.objects import object_id
from crm.scalars import Micros
from crm.state import Object, ObjectType
from crm.state.objects import NULL


def merge_objection(case: Case, report: ObjectReported) -> str:
    """Returns why it cannot be merged into the other one: circles would show neither."""
    if not report.merged_into:
        return ""
    other = object_of(case, report.object, report.merged_into, Micros(0))
    into = other.value("merged_into")
    if into in (EMPTY, NULL):
        return ""
    return f"It was not merged into {report.merged_into!r}, which was merged into {into} itself: name that one."


def with_aliases(case: Case, kind: ObjectType, before: Object, into: str, at: Micros) -> Iterator[ObjectChanged]:
    """Yields the events of the objects that lose and get the keys of one. `before`: as it was. `into`: JSON text."""
    keys = {before.key, *before.aliases}
    for text, gets in ((before.value("merged_into"), False), (into, True)):
        if text not in (EMPTY, NULL):
            other = object_of(case, before.type, msgspec.json.decode(text, type=str), at)
            aliases = {*other.aliases} | keys if gets else {*other.aliases} - keys
            yield changed(case, kind, other, Change({}, (), other.doubts), 0, at, tuple(sorted(aliases)))


def object_of(case: Case, type: str, key: str, at: Micros) -> Object:
    """Returns the object, or an empty one where nothing was reported of it yet."""
    return case.state.get(Object, object_id(case.fact.meta.workspace, type, key)) or Object(type, key, at)

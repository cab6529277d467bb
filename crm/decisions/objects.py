"""What a report, or a person, changes of an object: newer wins, value by value; and the event that says so."""

from collections.abc import Mapping
from typing import NamedTuple

import msgspec

from crm.decisions.case import Case
from crm.decisions.object_values import slot_value, target_of
from crm.decisions.workspace import workspace_of
from crm.events import ObjectChanged
from crm.objects import object_id
from crm.scalars import Micros
from crm.shared import Meta, ObjectDoubt
from crm.state import Object, ObjectType, UsedFields
from crm.state.objects import NULL

FIELD = "fields."
EMPTY = '""'
MOST_FIELDS = 200  # of an object, defined or not
VALUE, TWICE, UNDEFINED, MANY = "value", "twice", "undefined", "many"  # what a doubt is about, before the name
Doubts = dict[str, tuple[int, str]]


class Change(NamedTuple):
    """Values that are new, values that were reported again, and all doubts; values are JSON text by name."""

    fresh: dict[str, str]
    repeated: tuple[str, ...]
    doubts: Doubts


def newer(before: Object, claims: Mapping[str, str], refused: Mapping[str, str], moment: int) -> Change:
    """Returns what a report of this moment changes, so that every order of reports ends in the same.

    `claims`: what it tells, as JSON text by name. `refused`: why values of it cannot be taken, by name.
    """
    fresh, repeated, doubts = {}, [], dict(before.doubts)
    for name, text in claims.items():
        known = before.given.get(name)
        if known is None or moment > known[0]:
            if known and known[1] == text:
                repeated.append(name)
            else:
                fresh[name] = text
        elif moment == known[0] and text != known[1]:
            larger = max(text, known[1])
            if text == larger:
                fresh[name] = text
            if name != "deleted":
                why = (
                    f"Two reports of the same moment differ in {quoted(name)}: {larger[:100]} counts, the larger text."
                )
                doubts[f"{TWICE} {name}"] = moment, why
    for name, why in refused.items():
        about = f"{VALUE} {name}"
        doubts[about] = max(doubts.get(about, (moment, why)), (moment, why))
    if doubts:
        at = {name: value[0] for name, value in before.given.items()} | dict.fromkeys((*fresh, *repeated), moment)
        doubts = {about: doubt for about, doubt in doubts.items() if stays(about, doubt[0], at)}
    return Change(fresh, tuple(name for name in repeated if name != "deleted"), doubts)


def stays(about: str, moment: int, at: Mapping[str, int]) -> bool:
    """Tells whether a doubt is as new as the value that it is about. `at`: the moments of the values."""
    problem, _, name = about.partition(" ")
    if problem == VALUE:
        return name not in at or at[name] < moment
    return problem != TWICE or at[name] <= moment


def quoted(name: str) -> str:
    return f"`{name.removeprefix(FIELD)}`"


def changed(
    case: Case,
    kind: ObjectType,
    before: Object,
    change: Change,
    moment: int,
    at: Micros,
    aliases: tuple[str, ...] | None = None,
) -> ObjectChanged:
    """Returns the event. `moment`: 0 when a person changed it. `at`: when. `aliases`: if they are others now."""
    fresh, _, doubts = change
    id = object_id(case.fact.meta.workspace, before.type, before.key)
    now = before.values | fresh
    shown = bool(now) and now.get("deleted") != "true" and now.get("merged_into", EMPTY) in (EMPTY, NULL)
    whole = shown and not before.shown
    fields = {name.removeprefix(FIELD): text for name, text in fresh.items() if name.startswith(FIELD)}
    return ObjectChanged(
        meta=at_moment(case.meta(id), at),
        object_id=id,
        type=before.type,
        key=before.key,
        version=before.version + 1,
        created_at=min(before.created_at, at) if before.version else at,
        moment=moment,
        by_hand=not moment and bool(fresh),
        status=text_of(fresh, "status"),
        title=text_of(fresh, "title"),
        fields=fields,
        deleted=fresh["deleted"] == "true" if "deleted" in fresh else None,
        merged_into=text_of(fresh, "merged_into"),
        repeated=change.repeated,
        whole=whole,
        kept={n: t for n, t in now.items() if n not in fresh and n not in ("deleted", "merged_into") and t != NULL}
        if whole
        else {},
        shown=shown,
        aliases=before.aliases if aliases is None else aliases,
        slots=slots_of(case, kind, now),
        related_to=related_to(case, kind, now),
        newly_used=newly_used(case, kind, before.type, fields),
        doubts=tuple(ObjectDoubt(about, moment, why) for about, (moment, why) in sorted(doubts.items())),
    )


def at_moment(meta: Meta, at: Micros) -> Meta:
    return meta if meta.occurred_at == at else msgspec.structs.replace(meta, occurred_at=at)


def text_of(fresh: Mapping[str, str], name: str) -> str | None:
    return msgspec.json.decode(fresh[name], type=str) if name in fresh else None


def slots_of(case: Case, kind: ObjectType, now: Mapping[str, str]) -> dict[str, str]:
    found = {}
    for key, slot in kind.indexed.items():
        text = now.get(FIELD + key, NULL)
        if text != NULL and (value := slot_value(kind.fields[key], text, workspace_of(case).country)) is not None:
            found[slot] = value
    return found


def related_to(case: Case, kind: ObjectType, now: Mapping[str, str]) -> tuple[str, ...]:
    """Returns all targets, also of things that are not there yet: they are looked for when somebody asks."""
    found = set()
    for key in kind.relations:
        if (text := now.get(FIELD + key, NULL)) != NULL:
            try:
                found.add(target_of(kind.fields[key], text, workspace_of(case).country))
            except ValueError:  # a value from before the field was a relation
                continue
    return tuple(sorted(found))


def newly_used(case: Case, kind: ObjectType, type: str, fields: Mapping[str, str]) -> tuple[str, ...]:
    defined = [key for key in fields if key in kind.fields]
    if not defined:
        return ()
    used = case.state.get(UsedFields, type) or UsedFields()
    return tuple(key for key in defined if key not in used.keys)

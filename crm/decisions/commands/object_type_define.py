"""objectTypeDefine: a type of objects of the workspace's own, new or changed."""

from collections.abc import Iterator
from enum import StrEnum
from typing import Annotated

from msgspec import Struct

from crm import shared
from crm.commands import About, Code, Command, ExpectedVersion, Rejected, Short, command
from crm.decisions.case import Case
from crm.decisions.guards import require_version
from crm.envelope import Event
from crm.events import ObjectTypeDefined
from crm.objects import BUILT_IN, SLOTS, TYPE_KEY, object_type_id
from crm.scalars import Id
from crm.state import ObjectField, ObjectType, ObjectTypes, UsedFields
from crm.state.entities import ONLY

MOST_TYPES, MOST_FIELDS, MOST_REMEMBERED = 50, 200, 1000
RESERVED = (*BUILT_IN, "phone", "email", "account")  # what relations are written with
OWN_FIELDS = ("key", "status", "title")  # what every object has
KEPT = "Nothing was changed."


class ObjectFieldType(StrEnum):
    """What values a field of an object takes."""

    text = "text"
    number = "number"
    boolean = "boolean"
    date = "date"
    time = "time"
    choice = "choice"
    choices = "choices"
    relation = "relation"


class ObjectFieldDefinition(Struct, frozen=True, gc=False, kw_only=True, forbid_unknown_fields=True):
    """A field of an object type."""

    key: Annotated[str, About(max_length=100, description="Its name in `fields`.")]
    type: Annotated[ObjectFieldType, About(description="What values it takes.")]
    label: Annotated[str, About(max_length=200, description="What people call it; empty: its key.")] = ""
    options: Annotated[tuple[Short, ...], About(max_length=200, description="What there is to choose from.")] = ()
    required: Annotated[bool, About(description="Objects that are made by hand must have it.")] = False
    indexed: Annotated[bool, About(description="Objects can be filtered and sorted by it; at most 8 fields.")] = False
    target: Annotated[
        str, About(max_length=40, description="What a relation points to: contact, deal or the key of an object type.")
    ] = ""


class ObjectTypeDefine(Command, frozen=True, gc=False, kw_only=True):
    """Defines a type of objects, or redefines it: give all of its fields each time. A field that is left out is no
    longer defined, and its values stay. The type of a field that has values does not change."""

    key: Annotated[str, About(max_length=40, description="Its name in facts and queries, such as seller.")]
    label: Annotated[str, About(max_length=200, description="What people call one; empty: its key.")] = ""
    plural: Annotated[str, About(max_length=200, description="What people call several; empty: its label.")] = ""
    statuses: Annotated[
        tuple[Short, ...], About(max_length=100, description="The statuses that an object may have; empty: any.")
    ] = ()
    fields: Annotated[tuple[ObjectFieldDefinition, ...], About(description="Its fields, at most 200.")] = ()
    expected_version: ExpectedVersion = None


@command(row="object_type")
def object_type_define(command: ObjectTypeDefine, case: Case) -> Iterator[Event]:
    key, workspace = command.key, case.fact.meta.workspace
    if not TYPE_KEY.fullmatch(key) or key in RESERVED:
        why = f"{key!r} is no key of a type: a to z, 0 to 9 and _, a letter first, and none of {', '.join(RESERVED)}."
        raise Rejected("key", Code.INVALID, f"{why} {KEPT}")
    before = case.state.get(ObjectType, key)
    require_version(before or ObjectType(Id(""), "", ""), command.expected_version)
    types = case.state.get(ObjectTypes, ONLY) or ObjectTypes()
    if before is None and len(types.keys) >= MOST_TYPES:
        raise Rejected(
            "key", Code.INVALID, f"There are {MOST_TYPES} types of objects already, which is the most. {KEPT}"
        )
    fields = checked_fields(command, before, case)
    label = command.label.strip() or key
    statuses = tuple(dict.fromkeys(status.strip() for status in command.statuses if status.strip()))
    event = ObjectTypeDefined(
        meta=case.meta(workspace),
        object_type_id=object_type_id(workspace, key),
        key=key,
        label=label,
        plural=command.plural.strip() or label,
        statuses=statuses,
        fields=fields,
    )
    if before is None or before.retired or not same(before, event):
        yield event


def same(before: ObjectType, event: ObjectTypeDefined) -> bool:
    """Tells whether the type is defined so already: a file may be sent again and again."""
    now = [
        shared.ObjectField(key, f.label, f.type, f.options, f.required, f.target, before.indexed.get(key, ""))
        for key, f in before.fields.items()
        if not f.retired
    ]
    return (before.label, before.plural, before.statuses, now) == (
        event.label,
        event.plural,
        event.statuses,
        [*event.fields],
    )


def checked_fields(command: ObjectTypeDefine, before: ObjectType | None, case: Case) -> tuple[shared.ObjectField, ...]:
    """Returns the fields with their slots. Raises Rejected."""
    if (count := len(command.fields)) > MOST_FIELDS:
        why = (
            f"A type has at most {MOST_FIELDS} fields, and {count} were given. {KEPT} Use several types with relations."
        )
        raise Rejected("fields", Code.INVALID, why)
    known = before.fields if before else {}
    keys = [field.key for field in command.fields]
    if len({*known, *keys}) > MOST_REMEMBERED:
        why = f"This type has had {MOST_REMEMBERED} fields, which is the most: old ones may have values. {KEPT}"
        raise Rejected("fields", Code.INVALID, why)
    used = (case.state.get(UsedFields, command.key) or UsedFields()).keys
    for key in keys:
        if keys.count(key) > 1:
            raise refusal(key, "is given twice.")
    slots = assigned_slots(command, known, used)
    return tuple(
        checked(field, known.get(field.key), field.key in used, slots.get(field.key, "")) for field in command.fields
    )


def assigned_slots(command: ObjectTypeDefine, known: dict[str, ObjectField], used: tuple[str, ...]) -> dict[str, str]:
    """Returns the index columns of the indexed fields. A field with values keeps its column, also while it is not
    indexed: rows still hold what it had."""
    wanted = [field.key for field in command.fields if field.indexed]
    slots = {key: known[key].slot for key in wanted if key in known and known[key].slot}
    held = {field.slot for key, field in known.items() if field.slot and (key in used or key in slots)}
    free = [slot for slot in SLOTS if slot not in held]
    fresh = [key for key in wanted if key not in slots]
    if len(fresh) > len(free):
        why = f"At most {len(SLOTS)} fields of a type are indexed, those included that were and have values."
        raise Rejected(
            "fields", Code.INVALID, f"{why} {len(free)} are free, and {len(fresh)} more were asked for. {KEPT}"
        )
    return slots | dict(zip(fresh, free, strict=False))


def checked(given: ObjectFieldDefinition, before: ObjectField | None, used: bool, slot: str) -> shared.ObjectField:
    """Raises Rejected."""
    key, kind = given.key, given.type.value
    options = tuple(dict.fromkeys(option.strip() for option in given.options if option.strip()))
    if key != key.strip() or not key or key in OWN_FIELDS:
        raise refusal(key, f"is no key of a field: no blanks around it, and none of {', '.join(OWN_FIELDS)}.")
    if before and before.type != kind and used:
        why = f"takes {before.type} and has values, which stay. Use another key for a {kind}."
        raise refusal(key, why)
    if before and before.target != given.target and used:
        raise refusal(key, f"points to {before.target!r} and has values, which stay. Use another key.")
    if (kind in ("choice", "choices")) != bool(options):
        raise refusal(key, "needs options if it is a choice, and has none otherwise.")
    if (kind == "relation") != bool(given.target):
        raise refusal(key, "needs a target if it is a relation, and has none otherwise.")
    if (
        given.target
        and given.target not in BUILT_IN
        and (not TYPE_KEY.fullmatch(given.target) or given.target in RESERVED)
    ):
        raise refusal(key, f"points to {given.target!r}: give contact, deal or the key of an object type.")
    if given.indexed and kind == "choices":
        raise refusal(key, "is a list of choices, which has no order: it cannot be indexed.")
    return shared.ObjectField(key, given.label.strip() or key, kind, options, given.required, given.target, slot)


def refusal(key: str, why: str) -> Rejected:
    return Rejected("fields", Code.INVALID, f"The field {key!r} {why} {KEPT}")

"""How events of objects, and of their types, change the state."""

from operator import attrgetter

import msgspec
from msgspec.structs import replace

from crm.events import ObjectChanged, ObjectTypeDefined, ObjectTypeRetired
from crm.scalars import Id
from crm.state.entities import ONLY
from crm.state.entity import Changes, State, known
from crm.state.objects import NOTHING, Object, ObjectField, ObjectType, ObjectTypes, UsedFields

OWN = ("status", "title", "deleted", "merged_into")
own_values = attrgetter(*OWN)
encode = msgspec.json.Encoder().encode


def type_defined(state: State, event: ObjectTypeDefined) -> None:
    """Fields that are no longer defined are remembered: objects may have values of them."""
    before = state.get(ObjectType, event.key)
    earlier = before.fields if before else {}
    keys, taken = {field.key for field in event.fields}, {field.slot for field in event.fields}
    fields = {
        key: replace(field, retired=True, slot="" if field.slot in taken else field.slot)
        for key, field in earlier.items()
        if key not in keys
    }
    for field in event.fields:
        had = earlier[field.key].slot if field.key in earlier else ""
        fields[field.key] = ObjectField(
            field_id=Id(""),
            label=field.label,
            type=field.type,
            options=field.options,
            required=field.required,
            target=field.target,
            slot=field.slot or ("" if had in taken else had),
        )
    defined = ObjectType(
        object_type_id=event.object_type_id,
        label=event.label,
        plural=event.plural,
        statuses=event.statuses,
        fields=fields,
        indexed={field.key: field.slot for field in event.fields if field.slot},
        relations=tuple(field.key for field in event.fields if field.type == "relation"),
        version=before.version + 1 if before else 1,
    )
    state.put(event.key, defined)
    types = state.get(ObjectTypes, ONLY) or ObjectTypes()
    if event.key not in types.keys:
        state.put(ONLY, ObjectTypes((*types.keys, event.key)))


def type_retired(state: State, event: ObjectTypeRetired) -> None:
    before = known(state, ObjectType, event.key)
    state.put(event.key, replace(before, retired=True, version=before.version + 1))


def object_changed(state: State, event: ObjectChanged) -> None:
    before = state.get(Object, event.object_id) or Object(event.type, event.key, event.created_at)
    fresh = values_of(event)
    given, by_hand = before.given, before.by_hand
    if event.by_hand:
        by_hand = by_hand | fresh
    else:
        moment = event.moment
        given = given | {name: (moment, text) for name, text in fresh.items()}
        for name in event.repeated:
            given[name] = moment, given[name][1]
        if event.moment > given.get("deleted", NOTHING)[0]:
            given["deleted"] = event.moment, given.get("deleted", (0, "false"))[1]
        if by_hand:
            by_hand = {name: text for name, text in by_hand.items() if name not in fresh}
    changed = Object(
        type=event.type,
        key=event.key,
        created_at=event.created_at,
        given=given,
        by_hand=by_hand,
        doubts={doubt.about: (doubt.moment, doubt.why) for doubt in event.doubts},
        aliases=event.aliases,
        shown=event.shown,
        version=event.version,
    )
    state.put(event.object_id, changed)
    if event.newly_used:
        used = state.get(UsedFields, event.type) or UsedFields()
        state.put(event.type, UsedFields(tuple(sorted({*used.keys, *event.newly_used}))))


def values_of(event: ObjectChanged) -> dict[str, str]:
    """Returns what the event says is new, as JSON text by name."""
    own = zip(OWN, own_values(event), strict=True)
    fresh = {name: encode(value).decode() for name, value in own if value is not None}
    for key, text in event.fields.items():
        fresh[f"fields.{key}"] = text
    return fresh


CHANGES: Changes = {
    ObjectTypeDefined: type_defined,
    ObjectTypeRetired: type_retired,
    ObjectChanged: object_changed,
}

"""objectChange: a person changes an object, or makes one."""

from collections.abc import Iterator
from typing import Annotated

import msgspec

from crm.commands import About, Code, Command, ExpectedVersion, Fields, Line, Rejected, Short, command
from crm.decisions.case import Case
from crm.decisions.guards import require_version
from crm.decisions.object_report import status_objection
from crm.decisions.object_values import fitting
from crm.decisions.objects import FIELD, Change, changed
from crm.decisions.workspace import workspace_of
from crm.envelope import Event
from crm.objects import LONGEST_KEY, key_objection, object_id
from crm.state import Object, ObjectType
from crm.state.objects import NULL

KEPT = "Nothing was changed."


class ObjectChange(Command, frozen=True, gc=False, kw_only=True):
    """Changes an object, or makes it when there is none with this key. What is not given stays as it is. A source that
    only repeats what it reported before does not undo it."""

    type: Annotated[str, About(max_length=40, description="Key of its type, such as seller.")]
    key: Annotated[str, About(max_length=LONGEST_KEY, description="Its own key, unique within the type.")]
    status: Annotated[Short | None, About(description="Its status.")] = None
    title: Annotated[Line | None, About(description="What people call it.")] = None
    fields: Fields = {}  # noqa: RUF012  # msgspec gives each its own
    expected_version: ExpectedVersion = None


@command(row="object")
def object_change(command: ObjectChange, case: Case) -> Iterator[Event]:
    kind = type_of(case, command.type)
    if why := key_objection(command.key):
        raise Rejected("key", Code.INVALID, f"{why} {KEPT}")
    id, at = object_id(case.fact.meta.workspace, command.type, command.key), case.fact.meta.occurred_at
    before = case.state.get(Object, id) or Object(command.type, command.key, at)
    require_version(before, command.expected_version)
    values = given(command, case, kind)
    missing = [] if before.shown else [key for key in required(kind) if values.get(FIELD + key, NULL) == NULL]
    if missing:
        raise Rejected(f"fields.{missing[0]}", Code.REQUIRED, f"{missing[0]!r} must have a value. {KEPT}")
    if not before.shown:
        values |= {"deleted": "false", "merged_into": '""'}
    fresh = {name: text for name, text in values.items() if text != before.value(name)}
    if fresh:
        yield changed(case, kind, before, Change(fresh, (), before.doubts), 0, at)


def given(command: ObjectChange, case: Case, kind: ObjectType) -> dict[str, str]:
    """Returns the values as JSON text by name. Raises Rejected."""
    own = {"status": command.status, "title": command.title}
    values = {name: msgspec.json.encode(text.strip()).decode() for name, text in own.items() if text is not None}
    if command.status and (why := status_objection(kind, command.status.strip())):
        raise Rejected("status", Code.INVALID, f"{why} {KEPT}")
    for key, text in command.fields.items():
        field = kind.fields.get(key)
        if field is None or field.retired:
            raise Rejected(f"fields.{key}", Code.NOT_FOUND, f"{kind.label} has no field {key!r}. {KEPT}")
        try:
            own_name = f"{command.type}:{command.key}"
            values[FIELD + key] = fitting(kind, key, text, workspace_of(case).country, own_name)
        except ValueError as error:
            raise Rejected(f"fields.{key}", Code.INVALID, f"{error} {KEPT}") from None
    return values


def required(kind: ObjectType) -> list[str]:
    return [key for key, field in kind.fields.items() if field.required and not field.retired]


def type_of(case: Case, key: str) -> ObjectType:
    """Raises Rejected."""
    kind = case.state.get(ObjectType, key)
    if kind is None or kind.retired:
        why = f"No type of objects {key!r} is defined. {KEPT} Define it with objectTypeDefine."
        raise Rejected("type", Code.NOT_FOUND, why)
    return kind

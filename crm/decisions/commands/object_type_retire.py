"""objectTypeRetire: objects of a type are taken no more."""

from collections.abc import Iterator
from typing import Annotated

from crm.commands import About, Code, Command, ExpectedVersion, Rejected, command
from crm.decisions.case import Case
from crm.decisions.guards import require_version
from crm.envelope import Event
from crm.events import ObjectTypeRetired
from crm.state import ObjectType


class ObjectTypeRetire(Command, frozen=True, gc=False, kw_only=True):
    """Retires a type of objects: reports of it are quarantined. Its objects stay; objectTypeDefine brings it back."""

    key: Annotated[str, About(max_length=40, description="Key of the type.")]
    expected_version: ExpectedVersion = None


@command(row="object_type")
def object_type_retire(command: ObjectTypeRetire, case: Case) -> Iterator[Event]:
    kind = case.state.get(ObjectType, command.key)
    if kind is None or kind.retired:
        raise Rejected("key", Code.NOT_FOUND, f"No type {command.key!r} is defined. Nothing was changed.")
    require_version(kind, command.expected_version)
    yield ObjectTypeRetired(case.meta(case.fact.meta.workspace), kind.object_type_id, command.key)

"""objectRemove: a person takes an object away."""

from collections.abc import Iterator
from typing import Annotated

from crm.commands import About, Code, Command, ExpectedVersion, Rejected, command
from crm.decisions.case import Case
from crm.decisions.commands.object_change import type_of
from crm.decisions.guards import require_version
from crm.decisions.objects import Change, changed
from crm.envelope import Event
from crm.objects import LONGEST_KEY, object_id
from crm.state import Object


class ObjectRemove(Command, frozen=True, gc=False, kw_only=True):
    """Takes an object away. Its history stays, and objectChange brings it back; reports of it are kept meanwhile."""

    type: Annotated[str, About(max_length=40, description="Key of its type, such as seller.")]
    key: Annotated[str, About(max_length=LONGEST_KEY, description="Its own key.")]
    expected_version: ExpectedVersion = None


@command(row="object")
def object_remove(command: ObjectRemove, case: Case) -> Iterator[Event]:
    kind = type_of(case, command.type)
    before = case.state.get(Object, object_id(case.fact.meta.workspace, command.type, command.key))
    if before is None or not before.shown:
        why = f"There is no {command.type} {command.key!r}. Nothing was changed."
        raise Rejected("key", Code.NOT_FOUND, why)
    require_version(before, command.expected_version)
    yield changed(case, kind, before, Change({"deleted": "true"}, (), before.doubts), 0, case.fact.meta.occurred_at)

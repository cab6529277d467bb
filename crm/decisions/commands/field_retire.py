"""fieldRetire: a custom field that is given no values any more."""

from collections.abc import Iterator
from typing import Annotated

from crm.commands import About, Code, Command, ExpectedVersion, Rejected, command
from crm.decisions.case import Case
from crm.decisions.commands.field_define import FieldEntity
from crm.decisions.guards import require_version
from crm.envelope import Event
from crm.events import FieldRetired
from crm.state import Fields


class FieldRetire(Command, frozen=True, gc=False, kw_only=True):
    """Retires a custom field: commands give it no values any more. Those that were given stay; fieldDefine brings it
    back."""

    entity: Annotated[FieldEntity, About(description="Whose field it is.")]
    key: Annotated[str, About(max_length=200, description="Its name in `fields`.")]
    expected_version: ExpectedVersion = None


@command(row="field")
def field_retire(command: FieldRetire, case: Case) -> Iterator[Event]:
    fields = case.state.get(Fields, command.entity)
    definition = fields.known.get(command.key) if fields else None
    if definition is None or definition.retired:
        raise Rejected("key", Code.NOT_FOUND, f"No field {command.key!r} is defined. Nothing was changed.")
    require_version(definition, command.expected_version)
    yield FieldRetired(case.meta(case.fact.meta.workspace), definition.field_id, command.entity.value, command.key)

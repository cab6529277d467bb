"""fieldDefine: a custom field of deals or of contacts, new or changed."""

from collections.abc import Iterator
from enum import StrEnum
from typing import Annotated

from crm.commands import About, Code, Command, ExpectedVersion, Rejected, Short, command
from crm.decisions.case import Case
from crm.decisions.guards import require_text, require_version
from crm.envelope import Event, named_id
from crm.events import FieldDefined
from crm.state import Definition, Fields

MOST = 200  # fields of deals, and as many of contacts


class FieldEntity(StrEnum):
    """What a custom field is a field of."""

    deal = "deal"
    contact = "contact"


class FieldType(StrEnum):
    """What values a custom field takes."""

    text = "text"
    number = "number"
    boolean = "boolean"
    date = "date"
    time = "time"
    choice = "choice"
    choices = "choices"


class FieldDefine(Command, frozen=True, gc=False, kw_only=True):
    """Defines a custom field, or redefines it: all but its type may change. The key of a retired one may be used
    for a field of another type: that is a new field, and the values of the old one stay as they are. Commands
    check values against it; what forms bring is kept as it comes."""

    entity: Annotated[FieldEntity, About(description="Whose field it is.")]
    key: Annotated[str, About(max_length=100, description="Its name in `fields`; it never changes.")]
    type: Annotated[FieldType, About(description="What values it takes; it changes only once it is retired.")]
    label: Annotated[str, About(max_length=200, description="What people call it; empty: its key.")] = ""
    options: Annotated[tuple[Short, ...], About(max_length=200, description="What there is to choose from.")] = ()
    required: Annotated[bool, About(description="Who makes one by hand must give it a value.")] = False
    expected_version: ExpectedVersion = None


@command(row="field")
def field_define(command: FieldDefine, case: Case) -> Iterator[Event]:
    fields = case.state.get(Fields, command.entity) or Fields()
    key = require_text(command.key, "key")
    before = fields.known.get(key)
    require_version(before or Definition(case.fact.meta.workspace, "", ""), command.expected_version)
    if before and before.type != command.type:
        if not before.retired:
            why = f"{key!r} takes {before.type}; fieldRetire it first. Nothing was changed."
            raise Rejected("type", Code.INVALID, why)
        before = None
    if before is None and key not in fields.known and len(fields.known) >= MOST:
        raise Rejected(
            "key", Code.INVALID, f"There are {MOST} fields already, which is the limit. Nothing was changed."
        )
    options = tuple(dict.fromkeys(option.strip() for option in command.options if option.strip()))
    if (command.type in ("choice", "choices")) != bool(options):
        raise Rejected("options", Code.INVALID, "A choice has options, and nothing else has. Nothing was changed.")
    workspace = case.fact.meta.workspace
    first = named_id(workspace, f"field/{command.entity}/{key}")
    yield FieldDefined(
        meta=case.meta(workspace),
        field_id=before.field_id if before else case.new_id("field") if key in fields.known else first,
        entity=command.entity.value,
        key=key,
        label=command.label.strip() or key,
        type=command.type.value,
        options=options,
        required=command.required,
    )

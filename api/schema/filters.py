"""The filters of a list: one for each column that has an index in its projection."""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any
from uuid import UUID

import strawberry
from strawberry.scalars import JSON

from api.errors import BadInput
from api.http.numbers import ENCODER
from api.schema.names import camel
from api.sql.containment import needle
from crm import indexes
from crm.connector import HOME
from crm.phones import read_phone
from crm.projection import Column, Projection
from crm.text.sort_keys import sort_key

NIL = UUID(int=0)

# The contact and all contacts merged into it. As an array, so that the index on contact_id is used; the recursion runs
# only for the few that have any.
SAME_CONTACT = """CASE WHEN EXISTS (
    SELECT FROM read.contact AS c WHERE c.workspace = {workspace} AND c.merged_into = {value}::uuid
  ) THEN ARRAY(
    WITH RECURSIVE same AS (
      SELECT {value}::uuid AS id
      UNION SELECT c.contact_id FROM read.contact AS c JOIN same ON c.merged_into = same.id
            WHERE c.workspace = {workspace}
    ) SELECT id FROM same)
  ELSE ARRAY[{value}::uuid] END"""
SAME_CONTACTS = """ARRAY(WITH RECURSIVE same AS (
    SELECT unnest({value}::uuid[]) AS id
    UNION SELECT c.contact_id FROM read.contact AS c JOIN same ON c.merged_into = same.id
          WHERE c.workspace = {workspace}
  ) SELECT id FROM same)"""
# Unmerged cards with this value, and the cards into which cards with it were merged, in turn. As an array, so that
# these few are read by their keys.
MERGED_INTO = """{{t}}.contact_id = ANY (ARRAY(WITH RECURSIVE up AS (
    SELECT c.contact_id AS id, c.merged_into FROM read.contact AS c WHERE c.workspace = {{workspace}} AND {has}
    UNION SELECT c.contact_id, c.merged_into FROM up JOIN read.contact AS c ON c.contact_id = up.merged_into
          WHERE c.workspace = {{workspace}}
  ) SELECT up.id FROM up WHERE up.merged_into IS NULL))"""
NOT_MERGED = "{t}.merged_into IS NULL"
# No phone rings longer: the report of the call's end was lost.
RINGING = "{t}.phase = 'ringing' AND {t}.touched_at > now() - interval '10 minutes'"


ABOUT_FIELD = (
    'A custom field and the value it must have, compared with its type: "7" is not 7, and 1.10 is 1.1. If a field is '
    "named twice, both values must match."
)


@strawberry.input(description=ABOUT_FIELD)
class FieldEquals:
    key: str | None = strawberry.field(default=strawberry.UNSET, description="Key of the custom field.")
    name: str | None = strawberry.field(default=strawberry.UNSET, description="The same as `key`; give one of them.")
    equals: JSON = strawberry.field(description="The value to find, of the field's type.")


@dataclass(frozen=True)
class Filter:
    """An argument of a list, or an operator in its `where`: its type and its SQL condition.

    The condition has {t} for the row's alias, {value} for the argument, and {workspace}. `each` is the condition for
    one value of a table of values, with {each} for it.
    """

    column: str
    type: Any
    condition: str
    about: str
    condition_if_false: str = ""  # the condition when a Boolean is false
    unmerged: str = ""  # the condition where merged cards are excluded
    looks_up: bool = True  # an index on `column` serves it
    each: str = ""
    ranges: bool = False  # it compares otherwise than by equality
    prefix: bool = False  # its value is the beginning of a name
    bounds: bool = False  # its value is the field and the bounds of a range of a custom field
    bounded: bool = False  # no index has the empty text or a long one

    def chosen(self, given: object, people: bool) -> str:
        if given is False and self.condition_if_false:
            return self.condition_if_false
        return self.unmerged if people and self.unmerged else self.condition


ABOUT = {
    "contact_id": "Only rows of this contact and of contacts merged into it.",
    "owner": 'Only rows of this salesperson; `""`: rows without an owner.',
    "parked": "true: only those that are not matched to a deal yet.",
    "fields": "Only rows with all of these custom field values.",
    "phones": "Only contacts with this phone number, written with its country code. `caller` takes any format.",
    "external_ids": "Only deals with this key in another system, written as system:key.",
    "merged_into": "Only contacts that were merged into this one.",
    "reference": "Only rows with this `reference`. The empty one is not found.",
    "unanswered": "true: only conversations whose last message is the contact's.",
    "candidates": "Only what is parked and could be for this deal.",
}
ALSO_MERGED = "true: include contacts that were merged into another one. Default: each person is listed once."
# Filters that are more than their column.
EXTRA = {
    "phase": ("ringing", Filter("phase", bool, RINGING, "true: only calls that are ringing now.", f"NOT ({RINGING})")),
    "merged_into": ("include_merged", Filter("merged_into", bool, "", ALSO_MERGED, NOT_MERGED, looks_up=False)),
}


def filters_of(projection: Projection[Any]) -> dict[str, Filter]:
    """Returns the filters of a list by name, in snake case."""
    columns = {c.name: c for c in projection.columns}
    found: dict[str, Filter] = {}
    for name in indexes.filters(projection):
        alone = indexes.Index((name,), ()) in indexes.indexes(projection)
        found |= dict([filter_of(columns[name], alone)])
        found |= dict([EXTRA[name]] if name in EXTRA else [])
    if "merged_into" in columns:
        return {name: unmerged(filter, columns[filter.column].type) for name, filter in found.items()}
    return found


def unmerged(filter: Filter, kind: str) -> Filter:
    """Adds the condition by which an identifier of a merged contact finds the contact it was merged into."""
    if kind != "text[]":
        return filter
    has = filter.condition.format(t="c", value="{value}").replace("{}", "{{}}")
    return replace(filter, unmerged=MERGED_INTO.format(has=has))


def filter_of(column: Column, alone: bool = False) -> tuple[str, Filter]:
    """Returns the filter of a column by equality or containment. `alone`: its index has no order."""
    name, about = column.name, ABOUT.get(column.name)
    if column.type == "jsonb":
        # The index is of rows that have fields. Twice, so that a plan for any value expects few rows and takes the
        # index; one for a value that many rows have still walks along the order.
        has = f"{{t}}.{name} @> {{value}}::jsonb"
        condition = f"{has} AND {has} AND {{t}}.{name} <> '{{{{}}}}'"
        about = about or "Only rows with all of these."
        return name.removesuffix("s"), Filter(name, list[FieldEquals], condition, about)
    if column.type == "text[]":
        condition = f"{{t}}.{name} @> ARRAY[{{value}}::text] AND {{t}}.{name} <> '{{{{}}}}'"
        given = strawberry.ID if name == "candidates" else str
        about = about or f"Only rows with this among their `{camel(name)}`."
        return name.removesuffix("s"), Filter(name, given, condition, about)
    if column.type == "uuid":
        same = f"= ANY ({SAME_CONTACT})" if name == "contact_id" else "= {value}::uuid"
        about = about or f"Only rows of this {name.removesuffix('_id')}."
        return name.removesuffix("_id"), Filter(name, strawberry.ID, f"{{t}}.{name} {same}", about)
    if alone and column.type == "text":
        condition = f"{{t}}.{name} = {{value}}::text AND {indexes.looked_up(f'{{t}}.{name}')}"
        return name, Filter(name, str, condition, about or f"Only rows with this `{camel(name)}`.", bounded=True)
    kind = bool if column.type == "boolean" else str
    about = about or f"Only rows with this `{camel(name)}`."
    equal = f"{{t}}.{name} = {{value}}::{column.type}"
    return name, Filter(name, kind, equal, about, each=f"{{t}}.{name} = {{each}}")


def parameter(filter: Filter, value: Any) -> Any:
    """Returns a filter's argument as its SQL statement takes it. Raises BadInput."""
    if filter.type == list[FieldEquals]:
        return ENCODER.encode(needle(map(key_and_value, value))).decode()
    if filter.bounds:
        return array_text(value)
    if isinstance(value, list):
        return text_array({parameter(filter, one) for one in value})
    if filter.bounded and not 0 < len(value) <= indexes.LOOKED_UP:
        raise BadInput(
            f"`{camel(filter.column)}` has {len(value)} characters. Values of 1 to {indexes.LOOKED_UP} can be looked "
            "up. Nothing was read."
        )
    if filter.type is strawberry.ID:
        return known_id(value)
    if isinstance(value, datetime):
        return value.isoformat()
    if filter.column == "phones":
        return read_phone(value, HOME.country).e164 or value if value.startswith("+") else value
    return sort_key(value) if filter.prefix else value


def key_and_value(field: Any) -> tuple[str, Any]:
    """Returns the key and the value of a custom field to find. Raises BadInput."""
    if isinstance(field, tuple):
        return field
    plain = field if isinstance(field, dict) else vars(field)
    keys = [key for name in ("key", "name") if isinstance(key := plain.get(name), str)]
    if len(keys) != 1:
        raise BadInput("A custom field to find takes its `key`, and `equals`. Nothing was read.")
    return keys[0], plain["equals"]


def text_array(values: Iterable[object]) -> str:
    """Returns an array as Postgres reads it from text. The order of values does not matter, so they are sorted."""
    return f"{{{','.join(sorted(map(quoted, map(text_of, values))))}}}"


def array_text(texts: Iterable[str]) -> str:
    """Returns an array of texts, in their order, as Postgres reads it from text."""
    return f"{{{','.join(map(quoted, texts))}}}"


def quoted(text: str) -> str:
    escaped = text.replace("\\", "\\\\").replace('"', '\\"')
    return f'"{escaped}"'


def text_of(value: Any) -> str:
    """Returns a parameter as text for Postgres."""
    return str(value).lower() if isinstance(value, bool) else str(value)


def known_id(text: str) -> str:
    """Returns the id in its normal form; text that is not a UUID gives the nil UUID, which nothing has."""
    try:
        return str(UUID(text))
    except ValueError:
        return str(NIL)

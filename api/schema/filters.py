"""The filters of a list: one for each column that has an index in its projection."""

from dataclasses import dataclass, replace
from typing import Any
from uuid import UUID

import strawberry
from strawberry.scalars import JSON

from api.http.numbers import ENCODER
from api.schema.names import camel
from api.sql.containment import needle
from crm import indexes
from crm.projection import Column, Projection

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
    name: str = strawberry.field(description="Key of the custom field.")
    equals: JSON = strawberry.field(description="The value to find, of the field's type.")


@dataclass(frozen=True)
class Filter:
    """An argument of a list: its type and its SQL condition.

    The condition has {t} for the row's alias, {value} for the argument, and {workspace}.
    """

    column: str
    type: Any
    condition: str
    about: str
    condition_if_false: str = ""  # the condition when a Boolean is false
    unmerged: str = ""  # the condition where merged cards are excluded
    looks_up: bool = True  # an index on `column` serves it

    def chosen(self, given: object, people: bool) -> str:
        if given is False and self.condition_if_false:
            return self.condition_if_false
        return self.unmerged if people and self.unmerged else self.condition


ABOUT = {
    "contact_id": "Only rows of this contact and of contacts merged into it.",
    "owner": 'Only rows of this salesperson; `""`: rows without an owner.',
    "parked": "true: only payments that are not matched to a deal yet.",
    "fields": "Only rows with all of these custom field values.",
    "phones": "Only contacts with this phone number, in E.164.",
    "external_ids": "Only deals with this key in another system, written as system:key.",
    "merged_into": "Only contacts that were merged into this one.",
    "candidates": "Only parked payments that could be for this deal.",
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
        found |= dict([filter_of(columns[name])])
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


def filter_of(column: Column) -> tuple[str, Filter]:
    name, about = column.name, ABOUT.get(column.name)
    if column.type == "jsonb":
        # The index is of rows that have fields.
        condition = f"{{t}}.{name} @> {{value}}::jsonb AND {{t}}.{name} <> '{{{{}}}}'"
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
    kind = bool if column.type == "boolean" else str
    about = about or f"Only rows with this `{camel(name)}`."
    return name, Filter(name, kind, f"{{t}}.{name} = {{value}}::{column.type}", about)


def parameter(filter: Filter, value: Any) -> Any:
    """Returns a filter's argument as its SQL statement takes it."""
    if filter.type is strawberry.ID:
        return known_id(value)
    if filter.type == list[FieldEquals]:
        plain = [(f["name"], f["equals"]) if isinstance(f, dict) else (f.name, f.equals) for f in value]
        return ENCODER.encode(needle(plain)).decode()
    return value


def text_of(value: Any) -> str:
    """Returns a parameter as text for Postgres."""
    return str(value).lower() if isinstance(value, bool) else str(value)


def known_id(text: str) -> str:
    """Returns the id in its normal form; text that is not a UUID gives the nil UUID, which nothing has."""
    try:
        return str(UUID(text))
    except ValueError:
        return str(NIL)

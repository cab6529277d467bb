"""The filters of a list, one for each column that an index of its projection looks up."""

from dataclasses import dataclass
from typing import Any
from uuid import UUID

import strawberry
from msgspec import json
from strawberry.scalars import JSON

from api.named import camel
from crm import indexes
from crm.projection import Column, Projection

NIL = UUID(int=0)

# The contact and all that were merged into it. As an array, so that the index on contact_id is used; the recursion is
# for the few that have any.
SAME_CONTACT = """CASE WHEN EXISTS (
    SELECT FROM read.contact AS c WHERE c.workspace = {workspace} AND c.merged_into = {value}::uuid
  ) THEN ARRAY(
    WITH RECURSIVE same AS (
      SELECT {value}::uuid AS id
      UNION SELECT c.contact_id FROM read.contact AS c JOIN same ON c.merged_into = same.id
            WHERE c.workspace = {workspace}
    ) SELECT id FROM same)
  ELSE ARRAY[{value}::uuid] END"""
# No telephone rings that long: the report of this call's end was lost.
RINGING = "{t}.phase = 'ringing' AND {t}.touched_at > now() - interval '10 minutes'"


@strawberry.input(description='A custom field and the value it must have, with its type: "7" is not 7.')
class FieldEquals:
    name: str
    equals: JSON


@dataclass(frozen=True)
class Filter:
    """An argument of a list: its type, and the condition that it stands for. In the condition stand {t} for the row's
    alias, {value} for the argument and {workspace}."""

    column: str
    type: Any
    condition: str
    about: str
    otherwise: str = ""  # the condition when a Boolean is false

    def chosen(self, given: object) -> str:
        return self.otherwise if given is False and self.otherwise else self.condition

    def sql(self, given: object, row: str, value: str, workspace: str) -> str:
        return self.chosen(given).format(t=row, value=value, workspace=workspace)


ABOUT = {
    "contact_id": "Of this contact and those merged into it.",
    "owner": "Of this salesperson; empty finds those of nobody.",
    "parked": "true: those that fit no deal yet.",
    "fields": "With all of these custom fields.",
    "phones": "Known by this number, in E.164.",
    "merged_into": "Merged into this card.",
}
# Filters that are more than their column.
MORE = {"phase": ("ringing", Filter("phase", bool, RINGING, "true: those that ring right now.", f"NOT ({RINGING})"))}


def filters_of(projection: Projection[Any]) -> dict[str, Filter]:
    """By name, in Python's spelling."""
    columns = {c.name: c for c in projection.columns}
    found: dict[str, Filter] = {}
    for name in indexes.filters(projection):
        found |= dict([filter_of(columns[name])])
        found |= dict([MORE[name]] if name in MORE else [])
    return found


def filter_of(column: Column) -> tuple[str, Filter]:
    name, about = column.name, ABOUT.get(column.name)
    if column.type == "jsonb":
        # The index is of rows that have fields.
        condition = f"{{t}}.{name} @> {{value}}::jsonb AND {{t}}.{name} <> '{{{{}}}}'"
        return name.removesuffix("s"), Filter(name, list[FieldEquals], condition, about or "With all of these.")
    if column.type == "text[]":
        condition = f"{{t}}.{name} @> ARRAY[{{value}}::text] AND {{t}}.{name} <> '{{{{}}}}'"
        return name.removesuffix("s"), Filter(name, str, condition, about or f"With this among its `{camel(name)}`.")
    if column.type == "uuid":
        same = f"= ANY ({SAME_CONTACT})" if name == "contact_id" else "= {value}::uuid"
        told = about or f"Of this {name.removesuffix('_id')}."
        return name.removesuffix("_id"), Filter(name, strawberry.ID, f"{{t}}.{name} {same}", told)
    kind = bool if column.type == "boolean" else str
    told = about or f"With this `{camel(name)}`."
    return name, Filter(name, kind, f"{{t}}.{name} = {{value}}::{column.type}", told)


def parameter(filter: Filter, value: Any) -> Any:
    """A filter's argument as its statement takes it."""
    if filter.type is strawberry.ID:
        return known_id(value)
    if filter.type == list[FieldEquals]:
        plain = [(f["name"], f["equals"]) if isinstance(f, dict) else (f.name, f.equals) for f in value]
        return json.encode(dict(plain)).decode()
    return value


def known_id(text: str) -> str:
    """What is no id at all is the id of nothing."""
    try:
        return str(UUID(text))
    except ValueError:
        return str(NIL)

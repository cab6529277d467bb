"""The filters of a list, one for each column that an index of its projection looks up."""

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
# Cards that have it and are merged into none, and those into which cards that have it were merged, in turn. As an
# array, so that these few are read by their keys.
PEOPLE = """{{t}}.contact_id = ANY (ARRAY(WITH RECURSIVE up AS (
    SELECT c.contact_id AS id, c.merged_into FROM read.contact AS c WHERE c.workspace = {{workspace}} AND {has}
    UNION SELECT c.contact_id, c.merged_into FROM up JOIN read.contact AS c ON c.contact_id = up.merged_into
          WHERE c.workspace = {{workspace}}
  ) SELECT up.id FROM up WHERE up.merged_into IS NULL))"""
NOT_MERGED = "{t}.merged_into IS NULL"
# No telephone rings that long: the report of this call's end was lost.
RINGING = "{t}.phase = 'ringing' AND {t}.touched_at > now() - interval '10 minutes'"


ABOUT_FIELD = (
    'A custom field and the value it must have, with its type: "7" is not 7, and 1.10 is 1.1. Where one field is named '
    "twice, both values must hold."
)


@strawberry.input(description=ABOUT_FIELD)
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
    of_people: str = ""  # the condition where merged cards are left out
    looks_up: bool = True  # an index of `column` serves it

    def chosen(self, given: object, people: bool) -> str:
        if given is False and self.otherwise:
            return self.otherwise
        return self.of_people if people and self.of_people else self.condition


ABOUT = {
    "contact_id": "Of this contact and those merged into it.",
    "owner": "Of this salesperson; empty finds those of nobody.",
    "parked": "true: those that fit no deal yet.",
    "fields": "With all of these custom fields.",
    "phones": "Known by this number, in E.164.",
    "merged_into": "Merged into this card.",
    "candidates": "Parked payments that could be for this deal.",
}
ALSO_MERGED = "true: also cards that were merged into another. Without, each person is one card."
# Filters that are more than their column.
MORE = {
    "phase": ("ringing", Filter("phase", bool, RINGING, "true: those that ring right now.", f"NOT ({RINGING})")),
    "merged_into": (
        "include_merged",
        Filter("merged_into", bool, "", ALSO_MERGED, otherwise=NOT_MERGED, looks_up=False),
    ),
}


def filters_of(projection: Projection[Any]) -> dict[str, Filter]:
    """By name, in Python's spelling."""
    columns = {c.name: c for c in projection.columns}
    found: dict[str, Filter] = {}
    for name in indexes.filters(projection):
        found |= dict([filter_of(columns[name])])
        found |= dict([MORE[name]] if name in MORE else [])
    if "merged_into" in columns:
        return {name: of_people(filter, columns[filter.column].type) for name, filter in found.items()}
    return found


def of_people(filter: Filter, kind: str) -> Filter:
    """What a merged card is known by finds the card that it was merged into."""
    if kind != "text[]":
        return filter
    has = filter.condition.format(t="c", value="{value}").replace("{}", "{{}}")
    return replace(filter, of_people=PEOPLE.format(has=has))


def filter_of(column: Column) -> tuple[str, Filter]:
    name, about = column.name, ABOUT.get(column.name)
    if column.type == "jsonb":
        # The index is of rows that have fields.
        condition = f"{{t}}.{name} @> {{value}}::jsonb AND {{t}}.{name} <> '{{{{}}}}'"
        return name.removesuffix("s"), Filter(name, list[FieldEquals], condition, about or "With all of these.")
    if column.type == "text[]":
        condition = f"{{t}}.{name} @> ARRAY[{{value}}::text] AND {{t}}.{name} <> '{{{{}}}}'"
        given = strawberry.ID if name == "candidates" else str
        return name.removesuffix("s"), Filter(name, given, condition, about or f"With this among its `{camel(name)}`.")
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
        return ENCODER.encode(needle(plain)).decode()
    return value


def text_of(value: Any) -> str:
    """Of a parameter, as Postgres reads it."""
    return str(value).lower() if isinstance(value, bool) else str(value)


def known_id(text: str) -> str:
    """What is no id at all is the id of nothing."""
    try:
        return str(UUID(text))
    except ValueError:
        return str(NIL)

"""The argument `where` of a list: for each indexed column an input by its type, read as single conditions.

A condition has the name `field__operator`, such as `opened_at__gte`, next to the filters that are arguments of their
own; both have the same form, so that the rest of the API does not tell them apart.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from itertools import product
from math import prod
from typing import Any

import strawberry

from api.errors import BadInput
from api.http.numbers import ENCODER
from api.schema import field_ranges
from api.schema import where_inputs as inputs
from api.schema.filters import SAME_CONTACTS, Filter, filter_of, unmerged
from api.schema.money_filters import amount_conditions, amounts
from api.schema.names import camel, type_name
from api.sql.containment import needle
from crm import indexes
from crm.projection import Column, Projection
from crm.text.sort_keys import LAST

MOST = 50  # values in a list
COMPARED = {"gt": ">", "gte": ">=", "lt": "<", "lte": "<="}
SENT = "Nothing was read."


@dataclass(frozen=True)
class Field:
    """A field of `where`: its input type, and its conditions by operator."""

    name: str
    type: Any
    conditions: Mapping[str, Filter] = field(default_factory=dict)

    def read(self, request: Any) -> Iterator[tuple[str, Any]]:
        """Yields operators with their values. Raises BadInput."""
        if self.name == "fields":
            yield from custom_fields(request)
            return
        given = {name: value for name in self.conditions if (value := inputs.value_of(request, name)) is not None}
        if self.type is inputs.MoneyFilter:
            given = amounts(camel(self.name), request)
        elif (between := inputs.value_of(request, "between")) is not None:
            given |= inputs.bounds(camel(self.name), between, given)
        yield from given.items()


def custom_fields(request: list[Any]) -> Iterator[tuple[str, Any]]:
    """Yields one look-up for all custom fields: of one value, or of every combination of the given values.

    Also the bounds of the one that is compared otherwise.
    """
    choices, ranges = [], [one for one in request if field_ranges.is_range(one)]
    if len(ranges) > 1:
        raise BadInput(f"`fields` has a range of more than one custom field. {SENT} Rows are read in the order of one.")
    for one in request:
        key, same, among = (inputs.value_of(one, name) for name in ("key", "equals", "in"))
        if one in ranges and same is among is None:
            yield field_ranges.RANGE.partition("__")[2], field_ranges.bounds(one)
            continue
        if (same is None) == (among is None) or one in ranges:
            raise BadInput(f"The custom field `{key}` takes either `equals` or `in`, or a range. {SENT}")
        values = [same] if among is None else among
        if any(value is None or value in ([], {}) for value in values):
            raise BadInput(f"The custom field `{key}` is compared with nothing, which no index finds. {SENT}")
        choices.append([(key, value) for value in values])
    if not choices:
        return
    if all(inputs.value_of(one, "in") is None for one in request):
        yield "equals", [pair for (pair,) in choices]
        return
    if prod(map(len, choices)) > MOST:
        raise BadInput(f"`fields` has more than {MOST} combinations of values. {SENT} Ask for fewer at a time.")
    yield "in", [ENCODER.encode(needle(pairs)).decode() for pairs in product(*choices)]


def where_of(projection: Projection[Any]) -> dict[str, Field]:
    """Returns the fields of `where` by name: the columns of the indexes, as they are named on the row's type."""
    columns = {c.name: c for c in projection.columns}
    names = [name for index in indexes.indexes(projection) for name in (*index.filters, *index.order)]
    found = [field_of(projection, columns[name]) for name in dict.fromkeys(names) if name not in ("currency", "step")]
    merges = "merged_into" in columns
    return {f.name: with_merged(f, columns) if merges else f for f in found}


def with_merged(one: Field, columns: Mapping[str, Column]) -> Field:
    """Makes an identifier of a merged contact find the contact that it was merged into."""
    return replace(one, conditions={o: unmerged(c, columns[c.column].type) for o, c in one.conditions.items()})


def field_of(projection: Projection[Any], column: Column) -> Field:
    """Returns the field of a column."""
    name, kind = column.name, column.type
    alone = indexes.Index((name,), ()) in indexes.indexes(projection)
    if column.sorts:
        return Field(name.removesuffix("_key"), inputs.NameFilter, {"starts_with": beginning(name)})
    if kind == "jsonb":
        several = f"{{t}}.{name} @> ANY ({{value}}::jsonb[])"  # of rows that are found: see ByValue
        single = filter_of(column, alone)[1]
        bounds = condition(name, field_ranges.condition(projection), ranges=True, bounds=True)
        return Field(
            name, list[inputs.FieldFilter], {"equals": single, "in": condition(name, several), "range": bounds}
        )
    if kind == "text[]":
        return Field(name, inputs.ListFilter, {"contains": filter_of(column, alone)[1]})
    if name.endswith("_minor"):
        found = {op: condition(*given) for op, given in amount_conditions(name).items()}
        ranged = {op: replace(c, ranges=op != "currency") for op, c in found.items()}
        return Field(name.removesuffix("_minor"), inputs.MoneyFilter, ranged)
    single = filter_of(column, alone)[1]
    found = {} if kind == "timestamptz" else {"eq": single}
    if kind == "uuid":
        same = f"ANY ({SAME_CONTACTS})" if name == "contact_id" else "ANY ({value}::uuid[])"
        each = "" if name == "contact_id" else f"{{t}}.{name} = {{each}}"
        found["in"] = replace(single, condition=f"{{t}}.{name} = {same}", each=each)
    elif alone:
        found["in"] = replace(single, condition=single.condition.replace("{value}::text", "ANY ({value}::text[])"))
    elif kind in ("text", "bigint"):
        found["in"] = replace(single, condition=f"{{t}}.{name} = ANY ({{value}}::{kind}[])")
    if kind in indexes.ORDERED:
        compared = {op: f"{{t}}.{name} {sign} {{value}}::{kind}" for op, sign in COMPARED.items()}
        found |= {op: condition(name, sql, ranges=True) for op, sql in compared.items()}
    if not column.required:
        none = condition(name, f"{{t}}.{name} IS NULL", ranges=True)
        found["is_null"] = replace(none, condition_if_false=f"{{t}}.{name} IS NOT NULL")
    return Field(name, inputs.BY_COLUMN[kind, column.required], found)


def condition(column: str, sql: str, **more: Any) -> Filter:
    return Filter(column, str, sql, "", **more)


def beginning(column: str) -> Filter:
    above = f"{{t}}.{column} < {{value}}::text || chr({ord(LAST)})"
    return condition(column, f"{{t}}.{column} >= {{value}}::text AND {above}", ranges=True, prefix=True)


def input_of(projection: Projection[Any], fields: Mapping[str, Field]) -> Any:
    """Makes the input type of a list's `where`."""
    cls = type(name := f"{type_name(projection.name)}Where", (), {"__module__": __name__, "__annotations__": {}})
    for one in fields.values():
        cls.__annotations__[one.name] = one.type | None
        about = inputs.ABOUT.get(one.name, f"By `{camel(one.name)}`.")
        setattr(cls, one.name, strawberry.field(default=strawberry.UNSET, description=about))
    return strawberry.input(cls, name=name, description=inputs.ABOUT_WHERE)


def conditions_in(fields: Mapping[str, Field], where: Any) -> dict[str, Any]:
    """Returns the conditions of a `where` with their values, by name; null ones are ignored. Raises BadInput."""
    requests = {} if where is None else {name: inputs.value_of(where, name) for name in fields}
    found = {
        f"{name}__{operator}": value
        for name, request in requests.items()
        if request is not None
        for operator, value in fields[name].read(request)
    }
    sizes = {name: len(value) for name, value in found.items() if name.endswith("__in")}
    if prod(sizes.values()) > MOST:
        names = " and ".join(f"`{camel(name.partition('__')[0])}.in`" for name in sizes)
        raise BadInput(f"{names} give more than {MOST} combinations of values. {SENT} Ask for fewer at a time.")
    return found

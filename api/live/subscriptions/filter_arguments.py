"""The arguments by which a subscription is filtered, made from the columns that an index of its projection looks up."""

from collections.abc import Mapping
from typing import Any

import strawberry

from api.errors import BadInput
from api.live.subscriptions.row_filter import RowFilter
from api.schema.fields import Argument, Arguments
from api.schema.filters import known_id
from api.schema.names import camel
from crm import indexes
from crm.projection import Column, Projection

MOST = 500  # values of one filter


def followed(projection: Projection[Any]) -> dict[str, Column]:
    """Returns the columns that a subscription can be filtered by, by the argument's name in snake case."""
    columns = {column.name: column for column in projection.columns}
    return {argument_name(columns[name]): columns[name] for name in indexes.followed(projection)}


def argument_name(column: Column) -> str:
    """Returns the name, as a list's filter by the same column has it."""
    return column.name.removesuffix("s" if column.type == "text[]" else "_id")


def filter_arguments(projection: Projection[Any]) -> Arguments:
    return {name: argument(column) for name, column in followed(projection).items()}


def argument(column: Column) -> Argument:
    name = camel(column.name)
    match column.type:
        case "boolean":
            return Argument(bool | None, None, f"Only rows with this `{name}`.")
        case "uuid":
            return Argument(list[strawberry.ID] | None, None, f"Only rows with one of these as `{name}`.")
        case "text[]":
            return Argument(list[str] | None, None, f"Only rows with one of these among their `{name}`.")
    return Argument(list[str] | None, None, f"Only rows with one of these as `{name}`.")


def row_filter(projection: Projection[Any], given: Mapping[str, Any]) -> RowFilter | None:
    """Returns the filter of a subscription from its arguments; None when there is none. Raises BadInput."""
    wanted = []
    for name, column in followed(projection).items():
        values = given.get(name)
        if values is None:
            continue
        listed = values if isinstance(values, list) else [values]
        if not listed or len(listed) > MOST:
            what = f"`{camel(name)}` has {len(listed)} values, and a subscription takes 1 to {MOST} of them."
            raise BadInput(f"{what} Nothing was read. To follow every row, leave the argument out.")
        wanted.append((column.name, frozenset(map(known_id, listed) if column.type == "uuid" else listed)))
    return RowFilter(tuple(wanted)) if wanted else None

"""One row by its id, and the rows that another row refers to."""

from collections.abc import Callable, Sequence
from typing import Any

from graphql import GraphQLObjectType

from api.schema.filters import known_id
from api.schema.names import type_name
from api.sql.plan.statement import WORKSPACE, Rule, Site, Unfit
from crm.projection import Projection
from projections import PROJECTIONS

MERGES = 10  # a card that was merged, whose card was merged … : more is a mistake somewhere


def lookup(projection: Projection[Any]) -> Rule:
    """By the argument `id`."""

    def rule(site: Site) -> str:
        return one(site, projection, projection.key, identified(site, "id"))

    return rule


def lookup_either(projection: Projection[Any], column: str) -> Rule:
    """By `id` or by the number in `column`; both or none of them is the slow path's to refuse."""

    def rule(site: Site) -> str:
        by_id, by_number = site.given.get("id") is not None, site.given.get(column) is not None
        if by_id == by_number:
            raise Unfit("a deal by id or by number")
        if by_id:
            return one(site, projection, projection.key, identified(site, "id"))
        number = site.argument(column)
        value = site.writer.parameter(lambda variables: str(number(variables)))
        return one(site, projection, column, f"{value}::bigint", " LIMIT 1")

    return rule


def referred(projection: Projection[Any], column: str) -> Rule:
    """The row whose key stands in a column of this one."""
    return lambda site: one(site, projection, projection.key, f"{site.row}.{column}")


def among(projection: Projection[Any], column: str, order: str) -> Rule:
    """The rows whose keys stand in a column of this one."""

    def rule(site: Site) -> str:
        row = site.writer.row()
        return (
            f"(SELECT coalesce(json_agg({site.object(row)} ORDER BY {row}.{order}), '[]') FROM read.{projection.name} "
            f"AS {row} WHERE {row}.workspace = {WORKSPACE} "
            f"AND {row}.{projection.key} = ANY ({site.row}.{column}::uuid[]))"
        )

    return rule


def card(column: str) -> Rule:
    """The contact whose key stands in `column`, or the one that it was merged into."""
    return lambda site: (
        f"(SELECT {site.object(row := site.writer.row())} FROM ({survivor(f'{site.row}.{column}')}) AS {row})"
    )


def any_row(names: Sequence[str]) -> Rule:
    """Whatever has the argument `id`: ids are of one thing each, so the first view that knows it has it."""

    def rule(site: Site) -> str:
        value = identified(site, "id")
        kinds = [(PROJECTIONS[name], site.writer.selection.object_type(type_name(name))) for name in names]
        found = [one(site, projection, projection.key, value, kind=kind) for projection, kind in kinds]
        return f"coalesce({', '.join(found)})"

    return rule


def one(
    site: Site,
    projection: Projection[Any],
    column: str,
    value: str,
    limit: str = "",
    kind: GraphQLObjectType | None = None,
) -> str:
    """`kind`: the type, where the field's is an interface."""
    row = site.writer.row()
    return (
        f"(SELECT {site.writer.object(kind or site.kind, site.sets, row)} FROM read.{projection.name} AS {row} "
        f"WHERE {row}.workspace = {WORKSPACE} AND {row}.{column} = {value}{limit})"
    )


def identified(site: Site, name: str) -> str:
    """The placeholder of an argument that is an id."""
    read: Callable[..., Any] = site.argument(name)
    return f"{site.writer.parameter(lambda variables: known_id(read(variables)))}::uuid"


def survivor(contact: str) -> str:
    """The row of a contact, or of the one that it was merged into. The second half runs for merged ones only."""
    return (
        f"SELECT c.* FROM read.contact AS c WHERE c.workspace = {WORKSPACE} AND c.contact_id = {contact} "
        f"AND c.merged_into IS NULL UNION ALL SELECT c.* FROM read.contact AS c WHERE c.workspace = {WORKSPACE} "
        "AND c.contact_id = (WITH RECURSIVE up AS ("
        f"SELECT c.merged_into AS id, 1 AS n FROM read.contact AS c WHERE c.workspace = {WORKSPACE} "
        f"AND c.contact_id = {contact} UNION ALL SELECT c.merged_into, up.n + 1 FROM read.contact AS c, up "
        f"WHERE c.workspace = {WORKSPACE} AND c.contact_id = up.id AND c.merged_into IS NOT NULL AND up.n < {MERGES}) "
        "SELECT up.id FROM up WHERE up.id IS NOT NULL ORDER BY up.n DESC LIMIT 1) LIMIT 1"
    )

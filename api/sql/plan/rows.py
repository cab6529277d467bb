"""Rules for one row by its id, and for the rows to which another row refers."""

from collections.abc import Callable, Sequence
from typing import Any

from graphql import GraphQLObjectType

from api.schema.filters import known_id
from api.schema.names import type_name
from api.sql.plan.statement import WORKSPACE, NotPlannable, Rule, Site
from crm.projection import Projection
from projections import PROJECTIONS

MERGES = 10  # most merges that are followed from one contact; more would be a bug


def lookup(projection: Projection[Any]) -> Rule:
    """Returns the rule for a row by the argument `id`."""

    def rule(site: Site) -> str:
        return one(site, projection, projection.key, id_parameter(site, "id"))

    return rule


def lookup_either(projection: Projection[Any], column: str) -> Rule:
    """Returns the rule for a row by `id` or by the number in `column`. The resolver refuses both or none."""

    def rule(site: Site) -> str:
        by_id, by_number = site.given.get("id") is not None, site.given.get(column) is not None
        if by_id == by_number:
            raise NotPlannable("a deal by id or by number")
        if by_id:
            return one(site, projection, projection.key, id_parameter(site, "id"))
        number = site.argument(column)
        value = site.writer.parameter(lambda variables: str(number(variables)))
        return one(site, projection, column, f"{value}::bigint", " LIMIT 1")

    return rule


def referred_row(projection: Projection[Any], column: str, key: str = "") -> Rule:
    """Returns the rule for the row whose key, or whose unique column `key`, is in a column of this one."""
    return lambda site: one(site, projection, key or projection.key, f"{site.row}.{column}")


def rows_in(projection: Projection[Any], column: str, order: str) -> Rule:
    """Returns the rule for the rows whose keys are in a column of this one."""

    def rule(site: Site) -> str:
        row = site.writer.row()
        return (
            f"(SELECT coalesce(json_agg({site.object(row)} ORDER BY {row}.{order}), '[]') FROM read.{projection.name} "
            f"AS {row} WHERE {row}.workspace = {WORKSPACE} "
            f"AND {row}.{projection.key} = ANY ({site.row}.{column}::uuid[]))"
        )

    return rule


def surviving_contact(column: str) -> Rule:
    """Returns the rule for the contact whose key is in `column`, or the one that it was merged into."""
    return lambda site: (
        f"(SELECT {site.object(row := site.writer.row())} FROM ({merged_contact(f'{site.row}.{column}')}) AS {row})"
    )


def any_row(names: Sequence[str]) -> Rule:
    """Returns the rule for the row with the argument `id`, of any type. Ids are unique, so the first view has it."""

    def rule(site: Site) -> str:
        value = id_parameter(site, "id")
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
    """Returns SQL for one row. `kind`: its type, where the field's type is an interface."""
    row = site.writer.row()
    return (
        f"(SELECT {site.writer.object(kind or site.kind, site.sets, row)} FROM read.{projection.name} AS {row} "
        f"WHERE {row}.workspace = {WORKSPACE} AND {row}.{column} = {value}{limit})"
    )


def only(projection: Projection[Any]) -> Rule:
    """Returns the rule for the one row that a workspace has."""

    def rule(site: Site) -> str:
        row = site.writer.row()
        found = f"FROM read.{projection.name} AS {row} WHERE {row}.workspace = {WORKSPACE} LIMIT 1"
        return f"(SELECT {site.object(row)} {found})"

    return rule


def id_parameter(site: Site, name: str) -> str:
    """Returns the placeholder of an argument that is an id."""
    read: Callable[..., Any] = site.argument(name)
    return f"{site.writer.parameter(lambda variables: known_id(read(variables)))}::uuid"


def merged_contact(contact: str) -> str:
    """Returns SQL for a contact, or for the one that it was merged into. The second half runs for merged ones only."""
    return (
        f"SELECT c.* FROM read.contact AS c WHERE c.workspace = {WORKSPACE} AND c.contact_id = {contact} "
        f"AND c.merged_into IS NULL UNION ALL SELECT c.* FROM read.contact AS c WHERE c.workspace = {WORKSPACE} "
        "AND c.contact_id = (WITH RECURSIVE up AS ("
        f"SELECT c.merged_into AS id, 1 AS n FROM read.contact AS c WHERE c.workspace = {WORKSPACE} "
        f"AND c.contact_id = {contact} UNION ALL SELECT c.merged_into, up.n + 1 FROM read.contact AS c, up "
        f"WHERE c.workspace = {WORKSPACE} AND c.contact_id = up.id AND c.merged_into IS NOT NULL AND up.n < {MERGES}) "
        "SELECT up.id FROM up WHERE up.id IS NOT NULL ORDER BY up.n DESC LIMIT 1) LIMIT 1"
    )

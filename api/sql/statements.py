"""The SQL statements of resolvers: lists with keyset pagination, rows by key, and a few look-ups.

Parameters are named; each statement has `workspace`. The text has only names of our own columns and views: what a
caller gives is always a parameter.
"""

from typing import Any

from api.schema.filters import SAME_CONTACT
from api.sql.cursors import Order
from crm.adapters.postgres.open_deal import OPEN_DEAL as OPEN_DEAL
from crm.projection import Projection
from projections import PROJECTIONS

COUNTED = 10_000  # rows at most, because counting reads every row

# `<> '{}'` is the condition of the partial GIN index, which is not used without it.
CALLER = """SELECT t.contact_id FROM read.contact AS t
WHERE t.workspace = %(workspace)s AND t.phones @> ARRAY[%(phone)s] AND t.phones <> '{}'
ORDER BY t.merged_into IS NULL DESC, t.touched_at DESC, t.contact_id LIMIT 1"""

COUNTRY = "SELECT t.country FROM read.pipeline AS t WHERE t.workspace = %(workspace)s"


def columns(projection: str) -> str:
    """Lists the columns: with `t.*` a prepared statement breaks when a release adds a column to the view."""
    return ", ".join(f"t.{column.name}" for column in PROJECTIONS[projection].columns)


def page(order: Order, source: str, backwards: bool = False) -> str:
    """Returns the statement of a page. Parameters: those of the source, `limit`, and `list_tag` for the cursors."""
    cursor = order.cursor_of("%(list_tag)s::text", "t")
    return (
        f"SELECT {columns(order.projection)}, {cursor} AS cursor FROM {source} "
        f"ORDER BY {order.by('t', backwards)} LIMIT %(limit)s"
    )


def only(projection: Projection[Any]) -> str:
    """Returns the statement for the one row of a workspace."""
    return (
        f"SELECT {columns(projection.name)} FROM read.{projection.name} AS t WHERE t.workspace = %(workspace)s LIMIT 1"
    )


def by_keys(projection: Projection[Any]) -> str:
    """Returns the statement for rows by key, in any order. Parameter: `keys`."""
    return (
        f"SELECT {columns(projection.name)} FROM read.{projection.name} AS t "
        f"WHERE t.workspace = %(workspace)s AND t.{projection.key} = ANY (%(keys)s::uuid[])"
    )


def by_column(projection: Projection[Any], column: str) -> str:
    """Returns the statement for at most one row. Parameter: `value`."""
    return (
        f"SELECT {columns(projection.name)} FROM read.{projection.name} AS t "
        f"WHERE t.workspace = %(workspace)s AND t.{column} = %(value)s LIMIT 1"
    )


OPEN_DEALS = (
    f"SELECT {columns('deal')} FROM read.deal AS t WHERE t.workspace = %(workspace)s "
    f"AND t.contact_id = ANY ({SAME_CONTACT.format(value='%(contact)s', workspace='%(workspace)s')}) "
    f"AND {OPEN_DEAL.format(t='t')} ORDER BY t.touched_at DESC, t.deal_id DESC LIMIT 20"
)

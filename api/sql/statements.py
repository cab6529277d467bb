"""Every statement that the API runs, as text: lists with keyset pages, rows by key, and a few look-ups.

Parameters are named; `workspace` is one in each statement. Only column and view names of our own code stand in the
text: what a caller gives is always a parameter.
"""

from typing import Any

from api.schema.filters import SAME_CONTACT
from api.sql.cursors import Order
from crm.projection import Projection
from crm.state.entities import OUTCOMES
from projections import PROJECTIONS

COUNTED = 10_000  # rows at most: counting all of a list reads all of it

# As crm.state.entities.Deal.open has it: somebody still has to work or to pay.
OPEN_DEAL = (
    f"{{t}}.stage <> ALL (ARRAY{list(OUTCOMES)}) "
    "AND NOT ({t}.amount_minor > 0 AND {t}.paid_minor >= {t}.amount_minor)"
)

# `<> '{}'` is the condition of the partial GIN index: without it the index is not used.
CALLER = """SELECT t.contact_id FROM read.contact AS t
WHERE t.workspace = %(workspace)s AND t.phones @> ARRAY[%(phone)s] AND t.phones <> '{}'
ORDER BY t.merged_into IS NULL DESC, t.touched_at DESC, t.contact_id LIMIT 1"""

COUNTRY = "SELECT t.country FROM read.pipeline AS t WHERE t.workspace = %(workspace)s"


def columns(projection: str) -> str:
    """By name: with `t.*` a statement that is prepared breaks when a release adds a column to the view."""
    return ", ".join(f"t.{column.name}" for column in PROJECTIONS[projection].columns)


def page(order: Order, conditions: tuple[str, ...], backwards: bool = False) -> str:
    """One more row than asked for, so that the next page is known. Parameters: those of the conditions, `limit`, and
    `list_tag`, with which the cursors begin."""
    where = " AND ".join(["t.workspace = %(workspace)s", *order.conditions("t"), *conditions])
    cursor = order.cursor_of("%(list_tag)s::text", "t")
    return (
        f"SELECT {columns(order.projection)}, {cursor} AS cursor FROM read.{order.projection} AS t "
        f"WHERE {where} ORDER BY {order.by('t', backwards)} LIMIT %(limit)s"
    )


def count(projection: Projection[Any], conditions: tuple[str, ...]) -> str:
    """One number, at most one more than are counted. Parameters: those of the conditions."""
    where = " AND ".join(["t.workspace = %(workspace)s", *conditions])
    return (
        f"SELECT count(*) AS count FROM (SELECT FROM read.{projection.name} AS t WHERE {where} "
        f"LIMIT {COUNTED + 1}) AS c"
    )


def by_keys(projection: Projection[Any]) -> str:
    """Rows of the given keys, in any order. Parameter: `keys`."""
    return (
        f"SELECT {columns(projection.name)} FROM read.{projection.name} AS t "
        f"WHERE t.workspace = %(workspace)s AND t.{projection.key} = ANY (%(keys)s::uuid[])"
    )


def by_column(projection: Projection[Any], column: str) -> str:
    """At most one row. Parameter: `value`."""
    return (
        f"SELECT {columns(projection.name)} FROM read.{projection.name} AS t "
        f"WHERE t.workspace = %(workspace)s AND t.{column} = %(value)s LIMIT 1"
    )


OPEN_DEALS = (
    f"SELECT {columns('deal')} FROM read.deal AS t WHERE t.workspace = %(workspace)s "
    f"AND t.contact_id = ANY ({SAME_CONTACT.format(value='%(contact)s', workspace='%(workspace)s')}) "
    f"AND {OPEN_DEAL.format(t='t')} ORDER BY t.touched_at DESC, t.deal_id DESC LIMIT 20"
)

"""Every statement that the API runs, as text: lists with keyset pages, rows by key, and a few look-ups.

Parameters are named; `workspace` is one in each statement. Only column and view names of our own code stand in the
text: what a caller gives is always a parameter.
"""

from dataclasses import dataclass
from typing import Any

from crm.projection import Projection
from crm.state.entities import OUTCOMES

# The contact and all that were merged into it. As an array, so that the index on contact_id is used.
SAME_CONTACT = """ARRAY(
    WITH RECURSIVE same AS (
      SELECT %(contact)s::uuid AS id
      UNION SELECT c.contact_id FROM read.contact AS c JOIN same ON c.merged_into = same.id
            WHERE c.workspace = %(workspace)s
    ) SELECT id FROM same)"""

# As crm.state.entities.Deal.open has it: somebody still has to work or to pay.
OPEN_DEAL = f"t.stage <> ALL (ARRAY{list(OUTCOMES)}) AND NOT (t.amount_minor > 0 AND t.paid_minor >= t.amount_minor)"

# `<> '{}'` is the condition of the partial GIN index: without it the index is not used.
CALLER = """SELECT t.* FROM read.contact AS t
WHERE t.workspace = %(workspace)s AND t.phones @> ARRAY[%(phone)s] AND t.phones <> '{}'
ORDER BY t.merged_into IS NULL DESC, t.touched_at DESC, t.contact_id LIMIT 1"""

COUNTRY = "SELECT t.country FROM read.pipeline AS t WHERE t.workspace = %(workspace)s"


@dataclass(frozen=True)
class Filter:
    """An argument of a list: its type, and the condition on the row `t` that it stands for."""

    type: Any
    condition: str
    otherwise: str = ""  # the condition when a Boolean is false
    about: str = ""

    def sql(self, value: object) -> str:
        return self.otherwise if value is False and self.otherwise else self.condition


def page(
    projection: Projection[Any], order: tuple[str, ...], conditions: tuple[str, ...], after: bool, newest: bool = True
) -> str:
    """One more row than asked for, so that the next page is known. Parameters: those of the conditions, `limit`, and
    `after_0`, `after_1` … for the cursor's values."""
    where = ["t.workspace = %(workspace)s", *conditions]
    if after:
        columns = ", ".join(f"t.{c}" for c in order)
        types = {c.name: c.type for c in projection.columns}
        values = ", ".join(f"%(after_{n})s::{types[c]}" for n, c in enumerate(order))
        where.append(f"({columns}) {'<' if newest else '>'} ({values})")
    direction = " DESC" if newest else ""
    return (
        f"SELECT t.* FROM read.{projection.name} AS t WHERE {' AND '.join(where)} "
        f"ORDER BY {', '.join(f't.{c}{direction}' for c in order)} LIMIT %(limit)s"
    )


def by_keys(projection: Projection[Any]) -> str:
    """Rows of the given keys, in any order. Parameter: `keys`."""
    return (
        f"SELECT t.* FROM read.{projection.name} AS t "
        f"WHERE t.workspace = %(workspace)s AND t.{projection.key} = ANY (%(keys)s::uuid[])"
    )


def by_column(projection: Projection[Any], column: str) -> str:
    """At most one row. Parameter: `value`."""
    return (
        f"SELECT t.* FROM read.{projection.name} AS t "
        f"WHERE t.workspace = %(workspace)s AND t.{column} = %(value)s LIMIT 1"
    )


OPEN_DEALS = (
    "SELECT t.* FROM read.deal AS t WHERE t.workspace = %(workspace)s "
    f"AND t.contact_id = ANY ({SAME_CONTACT}) AND {OPEN_DEAL} ORDER BY t.touched_at DESC, t.deal_id DESC LIMIT 20"
)

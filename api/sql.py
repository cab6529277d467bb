"""Every statement that the API runs, as text: lists with keyset pages, rows by key, and a few look-ups.

Parameters are named; `workspace` is one in each statement. Only column and view names of our own code stand in the
text: what a caller gives is always a parameter.
"""

from dataclasses import dataclass
from typing import Any

from api.cursors import Order
from crm.projection import Projection
from crm.state.entities import OUTCOMES

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

# As crm.state.entities.Deal.open has it: somebody still has to work or to pay.
OPEN_DEAL = (
    f"{{t}}.stage <> ALL (ARRAY{list(OUTCOMES)}) "
    "AND NOT ({t}.amount_minor > 0 AND {t}.paid_minor >= {t}.amount_minor)"
)

# `<> '{}'` is the condition of the partial GIN index: without it the index is not used.
CALLER = """SELECT t.* FROM read.contact AS t
WHERE t.workspace = %(workspace)s AND t.phones @> ARRAY[%(phone)s] AND t.phones <> '{}'
ORDER BY t.merged_into IS NULL DESC, t.touched_at DESC, t.contact_id LIMIT 1"""

COUNTRY = "SELECT t.country FROM read.pipeline AS t WHERE t.workspace = %(workspace)s"


@dataclass(frozen=True)
class Filter:
    """An argument of a list: its type, and the condition that it stands for. In the condition stand {t} for the row's
    alias, {value} for the argument and {workspace}."""

    type: Any
    condition: str
    otherwise: str = ""  # the condition when a Boolean is false
    about: str = ""

    def chosen(self, given: object) -> str:
        return self.otherwise if given is False and self.otherwise else self.condition

    def sql(self, given: object, row: str, value: str, workspace: str) -> str:
        return self.chosen(given).format(t=row, value=value, workspace=workspace)


def page(order: Order, conditions: tuple[str, ...], after: bool) -> str:
    """One more row than asked for, so that the next page is known. Parameters: those of the conditions, `limit`, and
    `after_0`, `after_1` … for the cursor's values."""
    where = ["t.workspace = %(workspace)s", *conditions]
    if after:
        where.append(order.beyond("t", tuple(f"%(after_{n})s" for n, _ in enumerate(order.columns))))
    return (
        f"SELECT t.*, {order.cursor_of('t')} AS cursor FROM read.{order.projection} AS t "
        f"WHERE {' AND '.join(where)} ORDER BY {order.by('t')} LIMIT %(limit)s"
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
    f"AND t.contact_id = ANY ({SAME_CONTACT.format(value='%(contact)s', workspace='%(workspace)s')}) "
    f"AND {OPEN_DEAL.format(t='t')} ORDER BY t.touched_at DESC, t.deal_id DESC LIMIT 20"
)

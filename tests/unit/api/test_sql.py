"""The statements as text: one workspace, indexes that can be used, nothing of the caller's in them."""

import re

import pytest

from api import sql
from api.filters import NIL, FieldEquals, known_id, parameter
from api.lists import LISTS
from api.sql import by_column, by_keys, page
from projections import PROJECTIONS

DEAL = PROJECTIONS["deal"]
# With `t.*` a prepared statement broke when an upgrade added a column to the view.
NAMED = ", ".join(f"t.{column.name}" for column in DEAL.columns)
ORDER = LISTS["deals"].orders["TOUCHED_AT_DESC"]


def test_the_first_page() -> None:
    assert page(ORDER, ("t.stage = %(stage)s",)) == (
        f"SELECT {NAMED}, {ORDER.cursor_of('t')} AS cursor FROM read.deal AS t "
        "WHERE t.workspace = %(workspace)s AND t.stage = %(stage)s "
        "ORDER BY t.touched_at DESC, t.deal_id DESC LIMIT %(limit)s"
    )


def test_a_later_page_compares_rows_as_the_index_does() -> None:
    beyond = ORDER.beyond("t", ("%(after_0)s", "%(after_1)s"))
    assert beyond.startswith("(t.touched_at, t.deal_id) < (")
    assert page(ORDER, (beyond,)).endswith(
        f"WHERE t.workspace = %(workspace)s AND {beyond} ORDER BY t.touched_at DESC, t.deal_id DESC LIMIT %(limit)s"
    )


def test_rows_by_key_and_by_a_column() -> None:
    assert by_keys(DEAL) == (
        f"SELECT {NAMED} FROM read.deal AS t WHERE t.workspace = %(workspace)s AND t.deal_id = ANY (%(keys)s::uuid[])"
    )
    assert by_column(DEAL, "number") == (
        f"SELECT {NAMED} FROM read.deal AS t WHERE t.workspace = %(workspace)s AND t.number = %(value)s LIMIT 1"
    )


def test_a_deal_is_open_by_the_rule_of_the_decisions() -> None:
    assert sql.OPEN_DEAL == (
        "{t}.stage <> ALL (ARRAY['won', 'lost']) AND NOT ({t}.amount_minor > 0 AND {t}.paid_minor >= {t}.amount_minor)"
    )


@pytest.mark.parametrize("statement", [sql.CALLER, sql.COUNTRY, sql.OPEN_DEALS])
def test_each_view_in_a_statement_has_the_workspace_predicate(statement: str) -> None:
    views = re.findall(r"read\.\w+ AS (\w)", statement)
    assert views
    assert sorted(re.findall(r"(\w)\.workspace = %\(workspace\)s", statement)) == sorted(views)


def test_arguments_as_their_statements_take_them() -> None:
    deals = LISTS["deals"].filters
    assert parameter(deals["stage"], "x' OR 1=1") == "x' OR 1=1"
    assert parameter(deals["field"], [FieldEquals(name="a", equals="7"), FieldEquals(name="b", equals=7)]) == (
        '{"a":"7","b":7}'
    )
    assert parameter(deals["contact"], "no id") == str(NIL)
    assert known_id("{22222222-2222-4222-8222-22222222222A}") == "22222222-2222-4222-8222-22222222222a"


def test_a_boolean_filter_says_both() -> None:
    ringing = LISTS["calls"].filters["ringing"]
    rings = "t.phase = 'ringing' AND t.touched_at > now() - interval '10 minutes'"
    assert (ringing.sql(True, "t", "", ""), ringing.sql(False, "t", "", "")) == (rings, f"NOT ({rings})")
    parked = LISTS["payments"].filters["parked"]
    assert [parked.sql(given, "t", "$2", "$1") for given in (True, False)] == ["t.parked = $2::boolean"] * 2

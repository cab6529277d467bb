"""The statements as text: one workspace, indexes that can be used, nothing of the caller's in them."""

import re

import pytest

from api import sql
from api.lists import LISTS, NIL, FieldEquals, known_id, parameter
from api.sql import by_column, by_keys, page
from projections import PROJECTIONS

DEAL = PROJECTIONS["deal"]
ORDER = LISTS["deals"].order


def test_the_first_page() -> None:
    assert page(ORDER, ("t.stage = %(stage)s",), after=False) == (
        f"SELECT t.*, {ORDER.cursor_of('t')} AS cursor FROM read.deal AS t "
        "WHERE t.workspace = %(workspace)s AND t.stage = %(stage)s "
        "ORDER BY t.touched_at DESC, t.deal_id DESC LIMIT %(limit)s"
    )


def test_a_later_page_compares_rows_as_the_index_does() -> None:
    beyond = ORDER.beyond("t", ("%(after_0)s", "%(after_1)s"))
    assert beyond.startswith("(t.touched_at, t.deal_id) < (")
    assert page(ORDER, (), after=True).endswith(
        f"WHERE t.workspace = %(workspace)s AND {beyond} ORDER BY t.touched_at DESC, t.deal_id DESC LIMIT %(limit)s"
    )


def test_rows_by_key_and_by_a_column() -> None:
    assert by_keys(DEAL) == (
        "SELECT t.* FROM read.deal AS t WHERE t.workspace = %(workspace)s AND t.deal_id = ANY (%(keys)s::uuid[])"
    )
    assert by_column(DEAL, "number") == (
        "SELECT t.* FROM read.deal AS t WHERE t.workspace = %(workspace)s AND t.number = %(value)s LIMIT 1"
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


@pytest.mark.parametrize("name", LISTS)
def test_a_list_names_only_columns_that_its_projection_has(name: str) -> None:
    listed = LISTS[name]
    columns = {column.name for column in PROJECTIONS[listed.projection].columns}
    conditions = " ".join(f"{f.condition} {f.otherwise}" for f in listed.filters.values())
    assert set(re.findall(r"{t}\.(\w+)", conditions)) | set(listed.columns) <= columns


@pytest.mark.parametrize("name", [name for name in LISTS if name != "timeline"])
def test_a_lists_order_is_that_of_an_index(name: str) -> None:
    """An index of the machinery ends in the key."""
    listed = LISTS[name]
    projection = PROJECTIONS[listed.projection]
    order = ", ".join(column for column in listed.columns if column != projection.key)
    assert any(index == order or index.endswith(f", {order}") for index in projection.indexes)


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

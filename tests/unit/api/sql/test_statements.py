"""The text of statements: limited to one workspace, with usable indexes and nothing from the caller."""

import re

import pytest

from api.schema.filters import NIL, FieldEquals, known_id, parameter
from api.schema.lists import LISTS
from api.sql import statements as sql
from api.sql.custom_fields import PageSource
from api.sql.source import Source
from api.sql.statements import by_column, by_keys, page
from projections import PROJECTIONS

DEAL = PROJECTIONS["deal"]
# With `t.*` a prepared statement broke when an upgrade added a column to the view.
NAMED = ", ".join(f"t.{column.name}" for column in DEAL.columns)
ORDER = LISTS["deals"].orders["TOUCHED_AT_DESC"]


def test_the_first_page() -> None:
    assert page(ORDER, source().sql((), "%(limit)s")) == (
        f"SELECT {NAMED}, {ORDER.cursor_of('%(list_tag)s::text', 't')} AS cursor FROM read.deal AS t "
        "WHERE t.workspace = %(workspace)s ORDER BY t.touched_at DESC, t.deal_id DESC LIMIT %(limit)s"
    )


def source(**given: object) -> Source:
    return Source(LISTS["deals"], ORDER, given, "%(workspace)s", lambda name: f"%({name})s")


def test_an_index_is_read_once_for_each_value_and_the_pages_are_merged() -> None:
    assert source(stage__in=["new", "won"], owner="taras").sql((), "%(limit)s") == (
        "unnest(%(stage__in)s::text[]) AS v0(x), (SELECT %(owner)s::text OFFSET 0) AS v1(x), LATERAL (SELECT * FROM "
        "(SELECT t.* FROM read.deal AS t WHERE t.workspace = %(workspace)s AND t.stage = v0.x AND t.owner = v1.x "
        "ORDER BY t.touched_at DESC, t.deal_id DESC LIMIT 101) AS p LIMIT %(limit)s) AS t"
    )
    assert source(stage__in=["new"]).counted() == (
        "SELECT count(*) AS n, count(*) > 10000 AS capped FROM (SELECT FROM read.deal AS t "
        "WHERE t.workspace = %(workspace)s AND t.stage = ANY (%(stage__in)s::text[]) LIMIT 10001) AS c"
    )


def test_what_finds_few_rows_is_read_before_all_else() -> None:
    assert source(reference="R-1", stage="new").sql(("x > 1",), "%(limit)s") == (
        "(SELECT t.* FROM read.deal AS t WHERE t.workspace = %(workspace)s AND t.reference = %(reference)s::text "
        "AND t.reference <> '' AND length(t.reference) <= 200 OFFSET 0) AS t "
        "WHERE t.workspace = %(workspace)s AND t.stage = %(stage)s::text AND x > 1"
    )


def test_a_range_of_a_custom_field_holds_for_rare_and_for_common_values_of_another() -> None:
    """Regression: rows of a rare value were not compared with the range, unless they were sorted by it."""
    given: dict[str, object] = {"fields__equals": None, "fields__range": None}
    by_time = PageSource(LISTS["deals"], ORDER, given, "%(workspace)s", lambda name: f"%({name})s")
    few, common = by_time.sql((), "%(limit)s").split("UNION ALL")
    within = "EXISTS (SELECT FROM read.deal_field_values AS f"
    assert (few.count(within), common.count(within)) == (1, 1)


def test_a_later_page_compares_rows_as_the_index_does() -> None:
    beyond = ORDER.beyond("t", ("%(after_0)s", "%(after_1)s"))
    assert beyond.startswith("(t.touched_at, t.deal_id) < (")
    assert page(ORDER, source().sql((beyond,), "%(limit)s")).endswith(
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
    assert parameter(deals["field"], [FieldEquals(key="a", equals="7")]) == '{"a":"7"}'
    assert parameter(deals["contact"], "no id") == str(NIL)
    several = LISTS["deals"].where["stage"].conditions["in"]
    assert parameter(several, ['a"b', "c\\d", "e,f", "c\\d"]) == '{"a\\"b","c\\\\d","e,f"}'
    assert known_id("{22222222-2222-4222-8222-22222222222A}") == "22222222-2222-4222-8222-22222222222a"


def test_a_boolean_filter_says_both() -> None:
    rings = "t.phase = 'ringing' AND t.touched_at > now() - interval '10 minutes'"
    assert conditions("calls", ringing=True) == [rings]
    assert conditions("calls", ringing=False) == [f"NOT ({rings})"]
    assert [conditions("payments", parked=given) for given in (True, False)] == [["t.parked = $parked::boolean"]] * 2


def conditions(name: str, **given: object) -> list[str]:
    return LISTS[name].conditions(given, "t", "$1", lambda filter: f"${filter}")


def test_lists_of_contacts_show_each_person_once_unless_merged_ones_are_included() -> None:
    """Regression: filters returned merged contacts next to the remaining ones: a person twice, or an old card."""
    assert conditions("contacts") == conditions("contacts", include_merged=False) == ["t.merged_into IS NULL"]
    assert conditions("contacts", include_merged=True) == []
    own = "t.phones @> ARRAY[$phone::text] AND t.phones <> '{}'"
    assert conditions("contacts", phone="x", include_merged=True) == [own]
    into = "t.merged_into = $merged_into::uuid"
    assert conditions("contacts", phone="x", merged_into="y") == [own, into]
    standing, people = conditions("contacts", phone="x")
    assert standing == "t.merged_into IS NULL"
    assert people.startswith("t.contact_id = ANY (ARRAY(WITH RECURSIVE up AS (")
    assert "c.phones @> ARRAY[$phone::text] AND c.phones <> '{}'" in people
    assert conditions("deals", contact="x")[0].startswith("t.contact_id = ANY (CASE WHEN EXISTS (")

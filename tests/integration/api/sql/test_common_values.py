"""Custom fields of which many rows have the value: a page is read by an index or refused, and never by a slow scan."""

from collections.abc import Callable, Iterator
from typing import Any, NamedTuple

import psycopg
import pytest

from api.schema.lists import LISTS
from api.sql import custom_fields
from tests.integration.api.sql.test_filters import PAGE_ONLY, QUERY, Shop, explained, filled, looked_at, nodes_of
from tests.support.filter_cases import PAGE
from tests.support.filter_rows import ROWS

BOUND = 2_000  # of this shop's 20,000 deals
DEALS = LISTS["deals"]
OPEN = {"key": "state", "equals": "open"}  # 40 % of all deals
OLD = {"key": "half", "equals": "old"}  # the first quarter
COUNTED = {"key": "count", "gte": 100}


@pytest.fixture(scope="module")
def shop(database_url: str) -> Iterator[Shop]:
    with filled(database_url, ["deals"]) as shop:
        yield shop


@pytest.fixture(autouse=True)
def bounds(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(custom_fields, "FEW", BOUND)
    monkeypatch.setattr(custom_fields, "WALKED", BOUND)


class Question(NamedTuple):
    """A question with the deals that Python finds."""

    order: str
    where: dict[str, Any]
    meets: Callable[[Any], bool]

    def expected(self, rows: list[Any]) -> list[str]:
        by = {"CREATED_AT": "opened_at", "AMOUNT": "currency", "FIELD": ""}.get(self.order.rpartition("_")[0])

        def place(row: Any) -> Any:
            if by == "":
                return int(row.fields["count"]), row.opened_at, row.deal_id
            first = getattr(row, by or self.order.rpartition("_")[0].lower())
            return first, row.amount_minor if by == "currency" else 0, row.deal_id

        found = sorted(filter(self.meets, rows), key=place, reverse=self.order.endswith("DESC"))
        return [row.deal_id for row in found]


def has(**fields: str) -> Callable[[Any], bool]:
    return lambda row: all(row.fields[key] == f'"{value}"' for key, value in fields.items())


def owned(row: Any) -> bool:
    return row.owner in ("most", "last")


OWNERS = {"owner": {"in": ["most", "last"]}}
SERVED = [
    Question("TOUCHED_AT_DESC", {"fields": [OPEN]}, has(state="open")),
    Question("NUMBER_ASC", {"fields": [OPEN]}, has(state="open")),
    Question("AMOUNT_DESC", {"fields": [OPEN]}, has(state="open")),
    Question(  # all rows that are read at most were sorted once more, by the currency that all of them have
        "AMOUNT_DESC",
        {"fields": [OPEN], "amount": {"gte": "1.00"}},
        lambda row: has(state="open")(row) and row.amount_minor >= 100,
    ),
    Question("CREATED_AT_DESC", {"fields": [OLD]}, has(half="old")),
    Question("CREATED_AT_ASC", {"fields": [{"key": "half", "equals": "new"}]}, has(half="new")),
    Question("CREATED_AT_ASC", {"fields": [OPEN], **OWNERS}, lambda row: has(state="open")(row) and owned(row)),
    Question("TOUCHED_AT_DESC", {"fields": [OPEN], **OWNERS}, lambda row: has(state="open")(row) and owned(row)),
    Question("CREATED_AT_DESC", {"fields": [OPEN, OLD]}, has(state="open", half="old")),
    Question("CREATED_AT_DESC", {"fields": [{"key": "half", "in": ["old", "new"]}]}, lambda row: True),
    Question(
        "TOUCHED_AT_DESC",
        {"fields": [{"key": "tags", "equals": ["last"]}]},
        lambda row: row.fields["tags"] == '["last"]',
    ),
    Question(
        "FIELD_DESC",
        {"fields": [COUNTED, OPEN], **OWNERS},
        lambda row: int(row.fields["count"]) >= 100 and has(state="open")(row) and owned(row),
    ),
    Question(
        "FIELD_ASC",
        {"fields": [COUNTED, {"key": "half", "in": ["old", "new"]}], **OWNERS},
        lambda row: int(row.fields["count"]) >= 100 and owned(row),
    ),
    Question(
        "FIELD_ASC",
        {"fields": [COUNTED], "stage": {"eq": "new"}},
        lambda row: int(row.fields["count"]) >= 100 and row.stage == "new",
    ),
]


@pytest.mark.parametrize("question", SERVED, ids=lambda q: f"{q.order} {q.where}")
def test_a_common_value_is_read_by_an_index(shop: Shop, question: Question) -> None:
    wanted = question.expected(shop.rows["deals"])
    query = QUERY.format(kind="Deal", list="deals", order=question.order)
    fast = shop.paths.fast(query, where=question.where)
    assert fast == shop.paths.slow(query, where=question.where)
    page = fast["data"]["deals"]
    assert [node["id"] for node in page["nodes"]] == wanted[:PAGE]
    assert page["totalCount"]["count"] <= min(len(wanted), 10_000)
    second = shop.paths.fast(query, where=question.where, after=page["pageInfo"]["endCursor"])["data"]["deals"]
    assert [node["id"] for node in second["nodes"]] == wanted[PAGE : 2 * PAGE]
    for generic in (False, True):
        plan = explained(
            shop, PAGE_ONLY.format(kind="Deal", list="deals", order=question.order), question.where, generic
        )
        read = looked_at(plan, DEALS.projection.table)
        assert read <= BOUND, (generic, plan)
        values = looked_at(plan, f"{DEALS.projection.table}_field_values")
        assert values <= 3 * (BOUND + 1), (generic, values)
        run = (node for node in nodes_of(plan) if node["Actual Loops"])  # not the way of a rare value
        scans = [node for node in run if node["Node Type"] == "Seq Scan" and "deal" in node["Relation Name"]]
        assert scans == []


REFUSED = [
    ("TOUCHED_AT_DESC", {"fields": [OLD]}),  # the last ones touched have another value
    ("CREATED_AT_ASC", {"fields": [OPEN], "owner": {"eq": "last"}}),  # the first ones opened have other owners
    ("FIELD_ASC", {"fields": [{"key": "count", "isNull": False}], "owner": {"eq": "last"}}),
    ("TOUCHED_AT_DESC", {"fields": [{"key": "tags", "equals": ["most"]}]}),  # no index counts lists
]


@pytest.mark.parametrize(("order", "where"), REFUSED)
def test_what_no_index_serves_is_refused_with_what_is_served(shop: Shop, order: str, where: Any) -> None:
    """It was answered by reading all rows with the value, which took seconds when they were many."""
    (error,) = shop.paths.answer(PAGE_ONLY.format(kind="Deal", list="deals", order=order), where=where)["errors"]
    assert error["extensions"]["code"] == "BAD_INPUT"
    assert error["message"].startswith(f"Too many rows have these values of custom fields to sort them by {order}, and")
    assert "Any value is served in the order CREATED_AT_DESC, or FIELD" in error["message"]
    assert error["message"].endswith(DEALS.about_served())


def test_values_of_many_deals_are_looked_for_in_the_few_that_are_found(shop: Shop) -> None:
    """The deals with one of several values were all read, to find out which of a contact's few deals have it: four
    seconds at a million deals."""
    contact = shop.rows["deals"][0].contact_id
    either = {"key": "half", "in": ["old", "new"]}
    for order in ("TOUCHED_AT_DESC", "CREATED_AT_ASC", "AMOUNT_DESC"):
        query, where = QUERY.format(kind="Deal", list="deals", order=order), {"contactId": {"eq": contact}}
        both = (shop.paths.fast(query, where={**where, **more}) for more in ({}, {"fields": [either]}))
        every, found = (answer["data"]["deals"] for answer in both)
        assert len(every["nodes"]) == every["totalCount"]["count"] > 2
        assert (found["nodes"], found["totalCount"]) == (every["nodes"], every["totalCount"])
        for generic in (False, True):
            plan = explained(shop, query, {**where, "fields": [either]}, generic)
            assert looked_at(plan, DEALS.projection.table) <= 4 * len(every["nodes"])


def test_a_rare_value_goes_with_everything(shop: Shop) -> None:
    """A value that few rows have, all of them at the far end of the order."""
    wanted = [row.deal_id for row in shop.rows["deals"][: ROWS // 50] if row.fields["count"] == "7"]
    query = PAGE_ONLY.format(kind="Deal", list="deals", order="TOUCHED_AT_DESC")
    where = {"fields": [{"key": "count", "equals": 7}], "owner": {"in": ["first"]}, "source": {"eq": "chat"}}
    answer = shop.paths.fast(query, where=where)
    assert sorted(node["id"] for node in answer["data"]["deals"]["nodes"]) == sorted(wanted)


def test_a_rare_value_goes_with_a_range_of_another_field(shop: Shop) -> None:
    """The range was left out in every order but its own, so deals outside of it were listed."""
    wanted = [row.deal_id for row in shop.rows["deals"] if row.fields["size"] == '"7"' and row.fields["count"] != "0"]
    where = {"fields": [{"key": "size", "equals": "7"}, COUNTED]}
    assert len(wanted) == 3
    for order in ("CREATED_AT_ASC", "TOUCHED_AT_ASC", "FIELD_ASC"):
        answer = shop.paths.fast(QUERY.format(kind="Deal", list="deals", order=order), where=where)["data"]["deals"]
        assert [node["id"] for node in answer["nodes"]] == wanted
        assert answer["totalCount"]["count"] == 3


def test_a_value_that_is_a_list_in_one_choice_lists_no_row_twice(shop: Shop) -> None:
    """The choices were read by different fields, and a deal that both of them find stood on the page twice."""
    wanted = [row.deal_id for row in shop.rows["deals"] if row.fields["count"] in ("5", "6", "7")]
    where = {"fields": [{"key": "count", "in": [[1], 5, 6, 7]}, OLD]}
    query = PAGE_ONLY.format(kind="Deal", list="deals", order="CREATED_AT_ASC")
    answer = shop.paths.fast(query, where=where)
    assert [node["id"] for node in answer["data"]["deals"]["nodes"]] == wanted[:PAGE]


def test_a_field_whose_type_changed_is_sorted_by_type_and_value(shop: Shop) -> None:
    """Its definition was text and is a number now: rows keep what they have, numbers come before texts."""
    ids = [row.deal_id for row in shop.rows["deals"]]
    for order, wanted_range, wanted in (
        ("FIELD_ASC", {"isNull": False}, ids[1 : 2 * PAGE : 2]),
        ("FIELD_ASC", {"gte": ""}, ids[0 : 2 * PAGE : 2]),
        ("FIELD_DESC", {"isNull": False}, ids[-2 : -2 * PAGE - 2 : -2]),
        ("FIELD_DESC", {"lt": 100}, ids[99 : 99 - 2 * PAGE : -2]),
        ("FIELD_ASC", {"between": ["00100", "00103"]}, [ids[100], ids[102]]),
    ):
        answer = shop.paths.fast(
            PAGE_ONLY.format(kind="Deal", list="deals", order=order),
            where={"fields": [{"key": "mixed", **wanted_range}]},
        )
        assert [node["id"] for node in answer["data"]["deals"]["nodes"]] == wanted, (order, wanted_range)


COUNT = """query Asked($where: DealWhere) {{
  deals(first: 1, orderBy: {}, where: $where) {{ totalCount {{ count capped }} }} }}"""
RANGES: list[tuple[dict[str, Any], int, int]] = [  # with how many deals it has, and how many of them are read
    ({"fields": [{"key": "count", "gte": 1990}]}, 100, 0),
    ({"fields": [{"key": "count", "between": [3, 4]}]}, 20, 0),
    ({"fields": [{"key": "nowhere", "isNull": False}]}, 0, 0),
    ({"fields": [{"key": "count", "gte": 1990}], "stage": {"eq": "won"}}, 100, 100),
    ({"fields": [{"key": "count", "gte": 1990}], "stage": {"eq": "lost"}}, 0, 100),
]


@pytest.mark.parametrize(("where", "count", "read"), RANGES, ids=lambda given: str(given)[:60])
def test_a_range_is_counted_by_the_index_of_values(shop: Shop, where: Any, count: int, read: int) -> None:
    """Whether a deal is in the range was asked of each deal: to count the last hundred all of them were read."""
    query = COUNT.format("FIELD_DESC")
    found = shop.paths.fast(query, where=where)
    assert found == shop.paths.slow(query, where=where)
    assert found["data"]["deals"]["totalCount"] == {"count": count, "capped": False}
    for generic in (False, True):
        plan = explained(shop, query, where, generic)
        run = [node for node in nodes_of(plan) if node["Actual Loops"]]
        assert [node for node in run if node["Node Type"] == "Seq Scan"] == []
        assert looked_at(plan, DEALS.projection.table) <= 2 * read + 1  # for the count and for the page
        assert looked_at(plan, f"{DEALS.projection.table}_field_values") <= 2 * max(count, read) + 2


def test_a_range_of_many_rows_is_counted_up_to_a_bound(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(custom_fields, "COUNTED", BOUND)
    monkeypatch.setattr("api.sql.plan.pages.COUNTED", BOUND)
    query, where = COUNT.format("FIELD_ASC"), {"fields": [{"key": "count", "isNull": False}]}
    assert shop.paths.fast(query, where=where)["data"]["deals"]["totalCount"] == {"count": BOUND, "capped": True}
    among = {**where, "stage": {"eq": "lost"}}  # all of them stand at the beginning
    assert shop.paths.fast(query, where=among)["data"]["deals"]["totalCount"]["count"] == ROWS // 50


def test_before_the_index_of_values_is_there_a_rare_value_is_found_without_it(shop: Shop) -> None:
    """The API of the release that added the index said UNAVAILABLE to what the old one had served, until cutover."""
    query = QUERY.format(kind="Deal", list="deals", order="TOUCHED_AT_ASC")
    questions = {
        "rare": {"fields": [{"key": "count", "equals": 7}], "stage": {"eq": "lost"}},
        "several": {"fields": [{"key": "count", "in": [7, 8]}]},
        "common": {"fields": [OPEN]},
        "range": {"fields": [{"key": "size", "equals": "7"}, COUNTED]},
    }
    before = {name: shop.paths.answer(query, where=where) for name, where in questions.items()}
    with psycopg.connect(shop.paths.dsn, autocommit=True) as connection:
        connection.execute("ALTER VIEW read.deal_field_values RENAME TO hidden")
        try:
            found = {name: shop.paths.answer(query, where=where) for name, where in questions.items()}
        finally:
            connection.execute("ALTER VIEW read.hidden RENAME TO deal_field_values")
    assert len(before["rare"]["data"]["deals"]["nodes"]) == 10
    assert (found["rare"], found["several"]) == (before["rare"], before["several"])
    refused = {name: found[name]["errors"][0] for name in ("common", "range")}
    assert {name: error["extensions"]["code"] for name, error in refused.items()} == {
        "common": "BAD_INPUT",
        "range": "UNAVAILABLE",
    }
    assert refused["range"]["message"].startswith("The values of custom fields of `deals` are not sorted yet")

"""Lists on real Postgres, by plan and by resolvers: stable pages, merged contacts, exact values."""

import json
from collections.abc import Iterator
from typing import Any

import psycopg
import pytest
from msgspec.structs import replace

from api.http.request import from_body
from crm.envelope import Row
from crm.scalars import Micros
from projections.call import CallRow
from projections.contact import ContactRow
from projections.conversation import ConversationRow
from projections.deal import DealRow
from projections.deal_line import DealLineRow
from projections.note import NoteRow
from projections.payment import PaymentRow
from projections.task import TaskRow
from tests.integration.api.sql.test_plan_equals_resolvers import Both
from tests.support.shop_rows import NOON, SHOP, call, contact, deal, delete_rows, id_of, insert, payment

OLD_PHONE, OLDEST_PHONE = "+380501112233", "+380501112244"
LONG, NEAR = "12345678901234567890.12345678901234567891", "12345678901234567890.12345678901234567892"
CARDS = [
    contact("Olena", 3, phones=("+380671234567", OLD_PHONE), emails=("olena@example.com",)),
    contact("Olena's old card", 2, merged_into=id_of("Olena"), phones=(OLD_PHONE,), emails=("old@example.com",)),
    contact("Olena's oldest card", 1, merged_into=id_of("Olena's old card"), phones=(OLDEST_PHONE,)),
    contact("Petro", 0),
]
PRICES = {1: LONG, 2: NEAR, 3: "1.10", 4: '"1.10"', 5: '{"a":[1,2]}', 6: "1e308"}


@pytest.fixture(scope="module")
def paths(database_url: str) -> Iterator[Both]:
    paths = Both(database_url)
    yield paths
    paths.close()


@pytest.fixture
def rows(paths: Both) -> Iterator[Any]:
    with psycopg.connect(paths.dsn, autocommit=True) as connection:
        delete_rows(connection)
        yield lambda *given: insert(connection, SHOP, *given)


def answer_of(paths: Both, query: str, variables: str = "{}") -> Any:
    """The answer, the same on both paths; the variables as a client writes them."""
    given = from_body(f'{{"query": {json.dumps(query)}, "variables": {variables}}}'.encode()).variables or {}
    answer = paths.answer(query, **given)
    assert answer == paths.slow(query, **given)
    return answer


def names(paths: Both, arguments: str) -> list[str]:
    found = answer_of(paths, f"{{ contacts({arguments}) {{ nodes {{ name }} totalCount {{ count }} }} }}")["data"][
        "contacts"
    ]
    assert found["totalCount"]["count"] == len(found["nodes"])
    return [node["name"] for node in found["nodes"]]


@pytest.mark.parametrize(
    ("arguments", "found"),
    [
        ("first: 9", ["Olena", "Petro"]),
        (f'phone: "{OLD_PHONE}"', ["Olena"]),
        (f'phone: "{OLDEST_PHONE}"', ["Olena"]),
        ('email: "old@example.com"', ["Olena"]),
        ('phone: "+380990000000"', []),
        (f'phone: "{OLD_PHONE}", email: "olena@example.com"', ["Olena"]),
        (f'phone: "{OLDEST_PHONE}", includeMerged: true', ["Olena's oldest card"]),
        (f'phone: "{OLD_PHONE}", includeMerged: true', ["Olena", "Olena's old card"]),
        ("includeMerged: true", ["Olena", "Olena's old card", "Olena's oldest card", "Petro"]),
        ("includeMerged: false, orderBy: TOUCHED_AT_ASC", ["Petro", "Olena"]),
        (f'mergedInto: "{id_of("Olena")}"', ["Olena's old card"]),
    ],
)
def test_lists_of_contacts_show_each_person_once(paths: Both, rows: Any, arguments: str, found: list[str]) -> None:
    """Regression: a filter returned the merged contact next to the remaining one, or only the merged one."""
    rows(*CARDS)
    assert names(paths, arguments) == found


def test_cards_that_were_merged_into_each_other_are_no_endless_loop(paths: Both, rows: Any) -> None:
    rows(contact("Ring", merged_into=id_of("Rong"), phones=("+1",)), contact("Rong", merged_into=id_of("Ring")))
    assert names(paths, 'phone: "+1"') == []


@pytest.mark.parametrize(
    ("wanted", "numbers"),
    [
        (LONG, [1]),
        (f"{LONG}0", [1]),  # the same number
        (NEAR, [2]),
        ("12345678901234567890.1234567890123456789", []),
        ("12345678901234567168", []),  # what a float makes of the first two
        ("1.1", [3]),
        ("1.10", [3]),
        ("1.1000000000000001", []),  # the same float
        ('"1.10"', [4]),
        ("1" + "0" * 308, [6]),
        ("1E308", [6]),
    ],
)
def test_a_number_is_compared_with_all_its_digits(paths: Both, rows: Any, wanted: str, numbers: list[int]) -> None:
    """It went through a float on its way in: a neighbour was found, or nothing."""
    rows(*(deal(number, -number, fields={"x": text}) for number, text in PRICES.items()))
    as_literal = f'{{ deals(field: [{{name: "x", equals: {wanted}}}]) {{ nodes {{ number }} }} }}'
    as_variable = 'query ($v: JSON!) { deals(field: [{name: "x", equals: $v}]) { nodes { number } } }'
    for query in (as_literal, as_variable):
        found = answer_of(paths, query, f'{{"v": {wanted}}}')["data"]["deals"]["nodes"]
        assert [node["number"] for node in found] == numbers


@pytest.mark.parametrize(
    ("field", "numbers"),
    [
        ('{name: "x", equals: 1}, {name: "x", equals: 2}', []),
        ('{name: "x", equals: 1}, {name: "x", equals: 1.0}', [1, 2]),
        ('{name: "x", equals: 1}, {name: "y", equals: "a"}', [1]),
        ('{name: "y", equals: ["a"]}, {name: "y", equals: ["b"]}', [3]),
        ('{name: "y", equals: "a"}, {name: "y", equals: ["a"]}', []),
    ],
)
def test_two_filters_on_one_field_both_hold(paths: Both, rows: Any, field: str, numbers: list[int]) -> None:
    """The last one alone was looked for."""
    fields = [{"x": "1", "y": '"a"'}, {"x": "1", "y": '"b"'}, {"x": "2", "y": '["a","b","c"]'}]
    rows(*(deal(number, -number, fields=values) for number, values in enumerate(fields, 1)))
    found = answer_of(paths, f"{{ deals(field: [{field}]) {{ nodes {{ number }} }} }}")["data"]["deals"]["nodes"]
    assert [node["number"] for node in found] == numbers


CURSOR = """query ($after: String, $stage: String, $contact: ID, $field: [FieldEquals!], $where: DealWhere) {
  deals(first: 1, after: $after, stage: $stage, contact: $contact, field: $field, where: $where) {
    nodes { number } pageInfo { endCursor } } }"""


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ('"stage": "new"', '"stage": "won"'),
        ('"stage": "new"', ""),
        ("", '"stage": "new"'),
        (f'"contact": "{id_of("Olena")}"', f'"contact": "{id_of("Petro")}"'),
        ('"field": [{"name": "x", "equals": 1}]', '"field": [{"name": "x", "equals": 2}]'),
        ('"field": [{"name": "x", "equals": 1}]', '"field": [{"name": "y", "equals": 1}]'),
        ('"where": {"stage": {"in": ["new", "won"]}}', '"where": {"stage": {"in": ["new", "lost"]}}'),
        ('"where": {"stage": {"in": ["new"]}}', '"stage": "new"'),
        (
            '"where": {"touchedAt": {"gte": "2025-01-01T00:00:00Z"}}',
            '"where": {"touchedAt": {"gt": "2025-01-01T00:00:00Z"}}',
        ),
        ('"where": {"touchedAt": {"gte": "2025-01-01T00:00:00Z"}}', ""),
        ('"where": {"fields": [{"key": "x", "in": [1, 2]}]}', '"where": {"fields": [{"key": "x", "in": [1, 3]}]}'),
    ],
)
def test_a_cursor_of_another_filter_is_refused(paths: Both, rows: Any, one: str, other: str) -> None:
    """It was taken, and rows were passed over in silence."""
    both_fields = {"x": "1", "y": "1"}
    rows(*(deal(number, -number, fields=both_fields) for number in (1, 2)), *CARDS)
    first = answer_of(paths, CURSOR, f"{{{one}}}")["data"]["deals"]
    after = f'"after": "{first["pageInfo"]["endCursor"]}"'
    assert answer_of(paths, CURSOR, f"{{{', '.join(filter(None, [one, after]))}}}")["data"]["deals"]["nodes"] == [
        {"number": 2}
    ]
    (error,) = answer_of(paths, CURSOR, f"{{{', '.join(filter(None, [other, after]))}}}")["errors"]
    assert error["extensions"]["code"] == "BAD_CURSOR"


def test_a_cursor_below_another_row_is_refused(paths: Both, rows: Any) -> None:
    mine = [deal(number, -number) for number in (1, 2)]
    theirs = [deal(number, -number, contact_id=id_of("Petro")) for number in (3, 4)]
    rows(*mine, *theirs, *CARDS)
    query = """query ($id: ID!, $after: String) { contact(id: $id) {
      deals(first: 1, after: $after) { nodes { number } edges { cursor } pageInfo { endCursor } } } }"""
    page = answer_of(paths, query, f'{{"id": "{id_of("Olena")}"}}')["data"]["contact"]["deals"]
    after = page["pageInfo"]["endCursor"]
    assert page["edges"] == [{"cursor": after}]
    below = f'"after": "{after}"}}'
    found_rows = answer_of(paths, query, f'{{"id": "{id_of("Olena")}", {below}')["data"]["contact"]["deals"]
    assert found_rows["nodes"] == [{"number": 2}]
    assert paths.fast(query, id=id_of("Olena"), after=after) is not None
    assert paths.fast(query, id=id_of("Petro"), after=after) is None  # the slow path says what is wrong
    (error,) = answer_of(paths, query, f'{{"id": "{id_of("Petro")}", {below}')["errors"]
    assert error["extensions"]["code"] == "BAD_CURSOR"
    (error,) = answer_of(paths, "query ($after: String) { deals(after: $after) { nodes { id } } }", f"{{{below}")[
        "errors"
    ]
    assert error["extensions"]["code"] == "BAD_CURSOR"


def of_each_list(number: int) -> dict[str, Row]:
    """A row of each list, the later made the higher the number; some in the same microsecond."""
    at, id = Micros(NOON + number // 3), id_of(f"row {number}")
    return {
        "contacts": replace(contact(f"row {number}"), created_at=at),
        "payments": replace(payment(f"row {number}", True, None), created_at=at),
        "calls": replace(call(f"row {number}", "completed"), created_at=at),
        "conversations": ConversationRow(id, id, "telegram", "1", "", 0, None, "", opened_at=at, touched_at=at),
        "notes": NoteRow(id, id, None, "", "", 1, written_at=at, touched_at=at),
        "tasks": TaskRow(id, id, None, "", None, "", False, None, 1, touched_at=at, created_at=at),
        "deals": deal(number),
    }


STILL = {"deals": "NUMBER_ASC"}
ROWS = 20


@pytest.mark.parametrize("name", sorted(of_each_list(0)))
def test_every_row_appears_once_while_rows_change(paths: Both, rows: Any, name: str) -> None:
    """By `touchedAt` a row that changed meanwhile came twice, or was never seen. Between the pages the rows that were
    seen last and those that come next are touched, and new ones are made."""
    there = [of_each_list(number)[name] for number in range(ROWS)]
    rows(*there)
    order = STILL.get(name, "CREATED_AT_ASC")
    query = f"""query ($after: String) {{ {name}(first: 3, after: $after, orderBy: {order}) {{
      nodes {{ id }} pageInfo {{ hasNextPage endCursor }} }} }}"""
    seen: list[str] = []
    after, page = "null", 0
    while True:
        found = answer_of(paths, query, f'{{"after": {after}}}')["data"][name]
        seen += [node["id"] for node in found["nodes"]]
        if not found["pageInfo"]["hasNextPage"]:
            break
        after, page = f'"{found["pageInfo"]["endCursor"]}"', page + 1
        at = Micros(NOON + 1_000 * page)
        rows(*(replace(row, touched_at=at) for row in there[3 * page - 2 : 3 * page + 2]))
    key = {ContactRow: "contact_id", PaymentRow: "payment_id", CallRow: "call_id", DealRow: "deal_id"}
    named = key.get(type(there[0]), f"{name[:-1]}_id")
    ids = [getattr(row, named) for row in there]
    assert sorted(seen) == sorted(ids)
    assert len(seen) == ROWS
    if name == "deals":
        assert seen == ids


def test_a_parked_payment_is_listed_on_each_candidate_deal(paths: Both, rows: Any) -> None:
    """Regression: only the payment said so, in a sentence, and the deal did not show it."""
    doubtful = replace(payment("doubtful", True, None), candidates=(id_of("deal 2"), id_of("deal 1")))
    rows(*(deal(number, -number) for number in (1, 2, 3)), doubtful, payment("lost", True, None))
    query = "{ payments(parked: true) { nodes { payment candidates candidateDeals { number contact { id } } } } }"
    found = {node["payment"]: node["candidateDeals"] for node in answer_of(paths, query)["data"]["payments"]["nodes"]}
    assert {name: [one["number"] for one in deals] for name, deals in found.items()} == {"doubtful": [1, 2], "lost": []}
    query = """{ deals(orderBy: NUMBER_ASC) { nodes {
      candidatePayments(first: 3) { nodes { payment } edges { cursor } } } } }"""
    on_deals = [node["candidatePayments"]["nodes"] for node in answer_of(paths, query)["data"]["deals"]["nodes"]]
    assert on_deals == [[{"payment": "doubtful"}], [{"payment": "doubtful"}], []]
    query = f'{{ payments(candidate: "{id_of("deal 1").upper()}", orderBy: CREATED_AT_ASC) {{ nodes {{ payment }} }} }}'
    assert answer_of(paths, query)["data"]["payments"]["nodes"] == [{"payment": "doubtful"}]


def test_a_split_payment_shows_the_share_of_each_deal(paths: Both, rows: Any) -> None:
    shares = [(1, 9_007_199_254_740_993), (2, 1)]
    found_rows = (f'{{"deal_id":"{id_of(f"deal {n}")}","contact_id":"x","share_minor":{minor}}}' for n, minor in shares)
    rows(deal(1), deal(2), replace(payment("split", False, id_of("deal 1")), shares=tuple(found_rows)))
    query = "{ payments { nodes { shares { dealId amount { minor text } deal { number } } } } }"
    (found,) = answer_of(paths, query)["data"]["payments"]["nodes"]
    assert [(share["deal"]["number"], share["amount"]["minor"]) for share in found["shares"]] == shares
    assert [share["amount"]["text"] for share in found["shares"]] == ["90071992547409.93 UAH", "0.01 UAH"]
    assert [share["dealId"] for share in found["shares"]] == [id_of("deal 1"), id_of("deal 2")]


def test_a_deal_lists_its_lines_in_their_order(paths: Both, rows: Any) -> None:
    def line(place: int, sku: str, price: int | None, of: str = "deal 1") -> DealLineRow:
        id, at = id_of(f"line {place} {of}"), Micros(NOON + place)
        return DealLineRow(id, id_of(of), id_of("Olena"), place, sku, "", "1.25", price, 5, price, "UAH", 1, at)

    rows(deal(1), deal(2), line(2, "CUP", None), line(1, "TEA", 9_007_199_254_740_993), line(1, "TEA", 100, "deal 2"))
    line_fields = "sku quantity price { text } discount { minor }"
    query = f"{{ deals(orderBy: NUMBER_ASC) {{ nodes {{ lines {{ nodes {{ {line_fields} }} }} }} }} }}"
    one, other = (node["lines"]["nodes"] for node in answer_of(paths, query)["data"]["deals"]["nodes"])
    assert [(line["sku"], line["price"]) for line in one] == [("TEA", {"text": "90071992547409.93 UAH"}), ("CUP", None)]
    assert other == [{"sku": "TEA", "quantity": "1.25", "price": {"text": "1.00 UAH"}, "discount": {"minor": 5}}]
    query = (
        '{ dealLines(sku: "TEA", orderBy: TOUCHED_AT_DESC) { nodes { place deal { number } } totalCount { count } } }'
    )
    found = answer_of(paths, query)["data"]["dealLines"]
    assert sorted(node["deal"]["number"] for node in found["nodes"]) == [1, 2] and found["totalCount"] == {"count": 2}

"""`where` on real Postgres, by plan and by resolvers: exact amounts, names in their alphabet, nested lists."""

import json
from collections.abc import Iterator
from typing import Any

import psycopg
import pytest
from msgspec.structs import replace

from crm.adapters.postgres.migrations import migrate
from crm.text.sort_keys import sort_key
from projections import PROJECTIONS
from projections.pipeline import PipelineRow
from tests.integration.api.sql.test_lists import CARDS, answer_of
from tests.integration.api.sql.test_plan_equals_resolvers import Both
from tests.support.shop_rows import SHOP, contact, deal, delete_rows, id_of, insert


@pytest.fixture(scope="module")
def paths(database_url: str) -> Iterator[Both]:
    migrate(database_url, PROJECTIONS.values())
    paths = Both(database_url)
    yield paths
    paths.close()


@pytest.fixture
def rows(paths: Both) -> Iterator[Any]:
    with psycopg.connect(paths.dsn, autocommit=True) as connection:
        delete_rows(connection)
        yield lambda *given: insert(connection, SHOP, *given)


@pytest.mark.parametrize(
    ("amount", "numbers"),
    [
        ('gte: "10.01"', [2, 3]),
        ('gt: "10.005"', [2, 3]),
        ('gte: "10.005"', [2, 3]),
        ('lt: "10.005"', [5, 1]),
        ('lte: "10.00"', [5, 1]),
        ('lt: "10"', [5]),
        ('eq: "10.01 UAH"', [2]),
        ('eq: "10.005"', []),
        ('between: ["-0.01", "10.01"]', [5, 1, 2]),
        ('gt: "92233720368547.58"', [3]),
        ('gte: "500 JPY"', [4]),
        ('gt: "500", currency: "JPY"', []),
        ('eq: "1.234", currency: "kwd"', [6]),
        ('currency: "EUR"', []),
    ],
)
def test_amounts_are_compared_exactly_in_one_currency(paths: Both, rows: Any, amount: str, numbers: list[int]) -> None:
    """Also a bound between two cents, and amounts near the largest."""
    amounts = {
        1: (1000, "UAH"),
        2: (1001, "UAH"),
        3: (2**63 - 1, "UAH"),
        4: (500, "JPY"),
        5: (-1, "UAH"),
        6: (1234, "KWD"),
    }
    pipeline = PipelineRow(id_of("pipeline"), "Shop", "UA", "UAH", "Europe/Kyiv", ("new",), "won", "new")
    rows(pipeline, *(deal(n, amount_minor=minor, currency=code) for n, (minor, code) in amounts.items()))
    query = f"{{ deals(where: {{ amount: {{ {amount} }} }}, orderBy: AMOUNT_ASC) {{ nodes {{ number }} }} }}"
    assert [node["number"] for node in answer_of(paths, query)["data"]["deals"]["nodes"]] == numbers


def test_contacts_sort_by_name_in_their_alphabet(paths: Both, rows: Any) -> None:
    """The collation of the database puts і after я."""
    called = ["", "Adam", "Émile", "Zoe", "Ганна", "ґанна", "Дарина", "Євген", "Игорь", "Іван", "Яна"]
    rows(*(replace(contact(f"c {name}"), name=name, name_key=sort_key(name)) for name in reversed(called)))
    query = """query ($after: String, $begin: String) {
      contacts(first: 4, after: $after, orderBy: NAME_ASC, where: { name: { startsWith: $begin } }) {
        nodes { name } pageInfo { endCursor hasNextPage } } }"""
    seen: list[str] = []
    after = "null"
    while after:
        page = answer_of(paths, query, f'{{"after": {after}}}')["data"]["contacts"]
        seen += [node["name"] for node in page["nodes"]]
        after = json.dumps(page["pageInfo"]["endCursor"]) if page["pageInfo"]["hasNextPage"] else ""
    assert seen == called
    for begin, found in (("ЇВ", []), ("ів", ["Іван"]), ("e", ["Émile"]), ("г", ["Ганна"])):
        page = answer_of(paths, query, json.dumps({"begin": begin}))["data"]["contacts"]
        assert [node["name"] for node in page["nodes"]] == found


def test_where_of_a_nested_list_holds_within_its_row(paths: Both, rows: Any) -> None:
    rows(*CARDS, deal(1), deal(2, stage="won"), deal(3, stage="won", contact_id=id_of("Olena's old card")))
    rows(deal(4, stage="won", contact_id=id_of("Petro")), deal(5, stage="lost"))
    query = """{ contacts(orderBy: NAME_ASC) { nodes { name
      deals(where: { stage: { in: ["won", "lost"] } }, orderBy: NUMBER_DESC) {
        nodes { number } totalCount { count } } } } }"""
    found = {node["name"]: node["deals"] for node in answer_of(paths, query)["data"]["contacts"]["nodes"]}
    assert {name: [n["number"] for n in deals["nodes"]] for name, deals in found.items()} == {
        "Olena": [5, 3, 2],
        "Petro": [4],
    }
    assert [deals["totalCount"]["count"] for deals in found.values()] == [3, 1]


def test_a_filter_may_have_the_name_of_a_resolvers_parameter(paths: Both, rows: Any) -> None:
    """Regression: `deals(source:)` was an internal error wherever the resolvers answered."""
    rows(deal(1, source="chat"), deal(2))
    query = '{ deals(source: "chat", where: { source: { in: ["chat", "form"] } }) { nodes { number } } }'
    assert answer_of(paths, query)["data"]["deals"]["nodes"] == [{"number": 1}]

"""The SQL plan of a query returns the same JSON as its resolvers, in one statement."""

import asyncio
from collections.abc import Iterator
from decimal import Decimal
from typing import Any

import msgspec
import psycopg
import pytest
from hypothesis import HealthCheck, assume, given, settings

from api.context import Context
from api.engine import Engine
from api.limits.documents import DIRECTIVES
from api.live.changes import Changes
from api.sql import wire
from api.sql.database import pool
from api.sql.reads import COUNTRIES
from crm.adapters.postgres.migrations import migrate
from projections import PROJECTIONS
from tests.support.edge_case_rows import EDGE_CASE_ROWS
from tests.support.graphql_server import FakeTokens
from tests.support.query_values import VALUES
from tests.support.random_queries import documents
from tests.support.shop_rows import OLENA_PHONE, OTHER, SHOP, delete_rows, id_of, insert

exact = msgspec.json.Decoder(float_hook=Decimal)
READER = FakeTokens().known["crm_live_shop"]


def shown(body: bytes) -> Any:
    """Without the age of what is read, which is another each time."""
    answer = exact.decode(body)
    answer.pop("extensions", None)
    return answer


class Both:
    """One engine that answers by SQL plan or by resolvers."""

    def __init__(self, dsn: str) -> None:
        self.dsn, self.engine = dsn, Engine()
        self.runner = asyncio.Runner()
        self.pool = pool(dsn)
        self.runner.run(self.pool.open())
        self.context = Context(self.pool, FakeTokens(), Changes(dsn), "Bearer crm_live_shop")

    def fast(self, document: str, **variables: Any) -> Any:
        """Returns None when the query has no SQL plan."""
        answer = self.runner.run(
            self.engine.run_statement(self.engine.prepare(document, None, READER), variables, self.context)
        )
        return shown(answer.body) if answer else None

    def slow(self, document: str, **variables: Any) -> Any:
        answer = self.runner.run(
            self.engine.run_resolvers(self.engine.prepare(document, None, READER), variables, self.context)
        )
        return shown(answer.body)

    def answer(self, document: str, **variables: Any) -> Any:
        plan = self.engine.prepare(document, None, READER)
        return shown(self.runner.run(self.engine.answer(plan, variables, self.context)).body)

    def close(self) -> None:
        self.runner.run(self.pool.close())
        self.runner.close()


@pytest.fixture(scope="module")
def paths(database_url: str) -> Iterator[Both]:
    migrate(database_url, PROJECTIONS.values())
    with psycopg.connect(database_url, autocommit=True) as connection:
        delete_rows(connection)
        insert(connection, SHOP, *EDGE_CASE_ROWS)
    paths = Both(database_url)
    yield paths
    paths.close()


@settings(max_examples=150, deadline=None, suppress_health_check=list(HealthCheck))
@given(document=documents(VALUES))
def test_random_queries_have_equal_answers(paths: Both, document: str) -> None:
    assume(document.count("@") <= DIRECTIVES)
    assert not paths.engine.prepare(document, None, READER).errors, document
    fast, slow = paths.fast(document, yes=True, no=False), paths.slow(document, yes=True, no=False)
    if fast is None:  # what is looked up in Python, or asked wrongly
        assert "errors" in slow or any(word in document for word in SLOW_ONLY), document
    else:
        assert msgspec.json.encode(fast) == msgspec.json.encode(slow), document


# What is no row of a read model, or is looked up by something else than its id.
SLOW_ONLY = (
    *("archiveState", "AsOf", "caller", "connectors", "events(", "fileExport", "fileImport", "funnel", "imports"),
    *("last", "match", " me ", "object", "orderBy", "pendingReadModels", "processes", "processing", "quarantinedRaw"),
    *("quarantineGroups", "quarantineReread", "rebuilds", "relat", "search(", "stageTimes", "Totals", "url"),
    *("webhookDeliveries", "whatIfs", "where", "why("),
)


def counted(monkeypatch: pytest.MonkeyPatch) -> list[Any]:
    """The statements that are run from now on, on either path."""
    found: list[Any] = []
    cursor, text = psycopg.AsyncCursor.execute, wire.text

    async def execute(self: Any, query: Any, *more: Any, **named: Any) -> Any:
        if query:  # the pool's look whether a connection lives
            found.append(query)
        return await cursor(self, query, *more, **named)

    async def noted(connection: Any, statement: bytes, parameters: Any) -> bytes:
        found.append(statement)
        return await text(connection, statement, parameters)

    monkeypatch.setattr(psycopg.AsyncCursor, "execute", execute)
    monkeypatch.setattr(wire, "text", noted)
    return found


WIDE = """query ($id: ID!) {
  deal(id: $id) { number contact { name openDeals { number } payments { nodes { status } } }
    timeline { nodes { title } } }
  contacts(first: 3) { edges { cursor node { name deals(first: 2) { nodes { number payments { nodes { why } } } } } }
    pageInfo { hasNextPage endCursor } }
  calls { nodes { contact { name } owner } }
}"""


def test_a_request_is_one_statement(paths: Both, monkeypatch: pytest.MonkeyPatch) -> None:
    statements = counted(monkeypatch)
    answer = paths.answer(WIDE, id=id_of("deal 7"))
    assert len(statements) == 1
    assert answer == paths.slow(WIDE, id=id_of("deal 7"))
    assert len(statements) > 10


WALK = """query ($first: Int, $after: String, $last: Int, $before: String, $by: DealOrder!) {
  deals(first: $first, after: $after, last: $last, before: $before, orderBy: $by) {
    edges { cursor node { number } } totalCount { count capped }
    pageInfo { hasNextPage hasPreviousPage startCursor endCursor } } }"""


@pytest.mark.parametrize("alias", ["r", "t", "n", "_", "row", "data", "json"])
def test_a_field_may_have_any_alias(paths: Both, alias: str) -> None:
    """One called r was taken for the row itself, so that Postgres refused the statement and the resolvers answered."""
    fast = paths.fast(f"{{ {alias}: deals(first: 2) {{ {alias}: nodes {{ {alias}: id }} }} }}")
    assert fast is not None and "errors" not in fast
    assert [deal.keys() for deal in fast["data"][alias][alias]] == [{alias}, {alias}]


@pytest.mark.parametrize("order", ["TOUCHED_AT_DESC", "TOUCHED_AT_ASC", "NUMBER_DESC", "NUMBER_ASC"])
def test_pages_follow_each_other_forwards_and_backwards(paths: Both, order: str) -> None:
    """Some were touched in the same microsecond, and some outside the calendar."""
    there, back = [], []
    page, numbers = {"first": 3}, there
    while True:
        found = paths.fast(WALK, by=order, **page)
        assert found == paths.slow(WALK, by=order, **page)
        deals, info = found["data"]["deals"], found["data"]["deals"]["pageInfo"]
        read = [edge["node"]["number"] for edge in deals["edges"]]
        numbers[:] = [*numbers, *read] if numbers is there else [*read, *numbers]
        assert deals["totalCount"] == {"count": 10, "capped": False}
        if numbers is there and info["hasNextPage"]:
            page = {"first": 3, "after": info["endCursor"]}
        elif numbers is there:
            page, numbers = {"last": 3}, back
        elif info["hasPreviousPage"]:
            page = {"last": 3, "before": info["startCursor"]}
        else:
            break
    assert len(there) == 10
    assert there == back
    if order.startswith("NUMBER"):
        assert there == sorted(there, reverse=order.endswith("DESC"))


def test_a_count_stops_at_its_cap(paths: Both, monkeypatch: pytest.MonkeyPatch) -> None:
    for module in ("api.sql.statements", "api.sql.plan.pages", "api.sql.source"):
        monkeypatch.setattr(f"{module}.COUNTED", 4)
    query = '{ deals { totalCount { count capped } } few: deals(stage: "won") { totalCount { count capped } } }'
    counts = {"deals": {"count": 4, "capped": True}, "few": {"count": 1, "capped": False}}
    assert paths.slow(query)["data"] == {name: {"totalCount": count} for name, count in counts.items()}
    assert paths.fast(query)["data"] == paths.slow(query)["data"]


@pytest.mark.parametrize(
    ("name", "kind"), [("Olena", "Contact"), ("deal 7", "Deal"), ("m1", "Message"), ("opened", "TimelineEntry")]
)
def test_node_finds_an_object_of_any_type(paths: Both, name: str, kind: str) -> None:
    query = "query ($id: ID!) { node(id: $id) { __typename id ... on Deal { number } ... on Contact { name } } }"
    found = paths.fast(query, id=id_of(name))["data"]["node"]
    assert (found["__typename"], found["id"]) == (kind, id_of(name))
    assert found == paths.slow(query, id=id_of(name))["data"]["node"]
    assert paths.fast(query, id=id_of("nobody")) == paths.slow(query, id=id_of("nobody"))


@pytest.mark.parametrize(
    ("document", "variables"),
    [
        ("query ($n: Int!) { deals(first: $n) { nodes { id } } }", {"n": 0}),
        ("query ($n: Int!) { deals(first: $n) { nodes { id } } }", {"n": 101}),
        ("query ($n: Int!) { deals(first: $n) { nodes { id } } }", {"n": "ten"}),
        ("query ($n: Int!) { deals(first: $n) { nodes { id } } }", {}),
        ('{ deals(after: "nonsense") { nodes { id } } }', {}),
        ("query ($s: String) { deals(stage: $s) { nodes { id } } }", {"s": "a\0b"}),
        ("query ($s: String) { deals(stage: $s) { nodes { id } } }", {"s": "\ud800"}),
        ("{ timeline { nodes { id } } }", {}),
        ("{ deal { id } }", {}),
        ("{ deals(first: 1, last: 1) { nodes { id } } }", {}),
        ("{ deals(last: 0) { nodes { id } } }", {}),
        ('{ deals(orderBy: NUMBER_ASC, stage: "new") { nodes { id } } }', {}),
        ('{ deals(where: { source: { eq: "form" }, stage: { eq: "new" } }) { nodes { id } } }', {}),
        ('{ deals(where: { reference: { eq: "" } }) { nodes { id } } }', {}),
        (
            "query ($s: [String!]) { deals(where: { stage: { in: $s } }) { nodes { id } } }",
            {"s": list(map(str, range(51)))},
        ),
        ("query ($s: [String!]) { deals(where: { stage: { in: $s } }) { nodes { id } } }", {"s": ["a\0b"]}),
        ("query ($w: DealWhere) { deals(where: $w) { nodes { id } } }", {"w": {"amount": {"gte": "many"}}}),
        ("query ($w: DealWhere) { deals(where: $w) { nodes { id } } }", {"w": {"openedAt": {"gte": "today"}}}),
        ("query ($w: DealWhere) { deals(where: $w) { nodes { id } } }", {"w": {"title": {"eq": "x"}}}),
    ],
)
def test_a_mistake_is_reported_as_by_the_resolvers(paths: Both, document: str, variables: dict[str, Any]) -> None:
    answer = paths.answer(document, **variables)
    assert answer["errors"]
    assert answer == paths.slow(document, **variables)


def test_the_workspace_is_in_every_statement(paths: Both) -> None:
    """Rows of another are as if they were not there."""
    with psycopg.connect(paths.dsn, autocommit=True) as connection:
        insert(connection, OTHER, *EDGE_CASE_ROWS)
    try:
        assert paths.fast(WIDE, id=id_of("deal 7")) == paths.slow(WIDE, id=id_of("deal 7"))
    finally:
        with psycopg.connect(paths.dsn, autocommit=True) as connection:
            delete_rows(connection)
            insert(connection, SHOP, *EDGE_CASE_ROWS)


def test_lists_in_lists_have_a_bound_on_the_slow_path(paths: Both, monkeypatch: pytest.MonkeyPatch) -> None:
    """Eleven deals, with the deals of the contact of each, of whom one is nobody: eleven lists."""
    query = "{ deals { nodes { contact { deals { nodes { number } } } } } }"
    monkeypatch.setattr("api.sql.reads.PAGES", 11)
    assert len(paths.slow(query)["data"]["deals"]["nodes"]) == 10
    monkeypatch.setattr("api.sql.reads.PAGES", 5)
    assert {error["extensions"]["code"] for error in paths.slow(query)["errors"]} == {"TOO_MUCH"}


def test_a_caller_is_known_by_one_statement(paths: Both, monkeypatch: pytest.MonkeyPatch) -> None:
    """The first query of a workspace is answered by resolvers, which learn the country of its numbers."""
    monkeypatch.delitem(COUNTRIES, SHOP, raising=False)
    query = """query ($phone: String!) { caller(phone: $phone) { __typename phone who: contact { id name phones deals {
      nodes { number } } } openDeals { number title contact { name } } owner answering { key name email } } }"""
    assert paths.fast(query, phone=OLENA_PHONE) is None
    paths.slow(query, phone=OLENA_PHONE)
    assert COUNTRIES[SHOP] == "UA"
    for phone in (OLENA_PHONE, "067 123-45-67", "0501112233", "+380991112233", "who?", "", "+1 650 253 0000"):
        answer = paths.fast(query, phone=phone)
        assert answer == paths.slow(query, phone=phone)
    found = paths.fast(query, phone=OLENA_PHONE)["data"]["caller"]
    assert found["who"] is not None and found["answering"]["key"] == found["owner"]

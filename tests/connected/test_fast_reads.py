"""The fast path answers what strawberry answers: the same JSON for the same query, with one statement."""

import asyncio
from collections.abc import Iterator
from decimal import Decimal
from typing import Any

import msgspec
import psycopg
import pytest
from hypothesis import HealthCheck, given, settings

from api.changes import Changes
from api.context import Context
from api.database import pool
from api.engine import Engine
from crm.adapters.migrations import migrate
from projections import PROJECTIONS
from tests.connected.asked import documents
from tests.connected.graph import Keys
from tests.connected.shop_rows import OTHER, SHOP, empty, id_of, insert
from tests.connected.strange_rows import STRANGE_ROWS

exact = msgspec.json.Decoder(float_hook=Decimal)
READER = Keys().known["crm_live_shop"]


class Both:
    """One engine, asked on either path."""

    def __init__(self, dsn: str) -> None:
        self.dsn, self.engine = dsn, Engine()
        self.runner = asyncio.Runner()
        self.pool = pool(dsn)
        self.runner.run(self.pool.open())
        self.context = Context(self.pool, Keys(), Changes(dsn), "Bearer crm_live_shop")

    def fast(self, document: str, **variables: Any) -> Any:
        """None when it is not for the fast path."""
        answer = self.runner.run(self.engine.fast(self.engine.prepare(document, None, READER), variables, self.context))
        return exact.decode(answer.body) if answer else None

    def slow(self, document: str, **variables: Any) -> Any:
        answer = self.runner.run(self.engine.slow(self.engine.prepare(document, None, READER), variables, self.context))
        return exact.decode(answer.body)

    def answer(self, document: str, **variables: Any) -> Any:
        plan = self.engine.prepare(document, None, READER)
        return exact.decode(self.runner.run(self.engine.answer(plan, variables, self.context)).body)

    def close(self) -> None:
        self.runner.run(self.pool.close())
        self.runner.close()


@pytest.fixture(scope="module")
def both(database_url: str) -> Iterator[Both]:
    migrate(database_url, PROJECTIONS.values())
    with psycopg.connect(database_url, autocommit=True) as connection:
        empty(connection)
        insert(connection, SHOP, *STRANGE_ROWS)
    both = Both(database_url)
    yield both
    both.close()


IDS = [f'"{id_of(name)}"' for name in ("Olena", "Olena's old card", "deal 7", "deal 8", "found", "ring", "chat")]
VALUES = {
    "first": ["1", "2", "5"],
    "id": [*IDS, '"no id at all"'],
    "contact": IDS[:2],
    "deal": IDS[2:3],
    "stage": ['"new"', '"won"', '""', "null"],
    "owner": ['""', '"taras@shop.ua"'],
    "field": ['[{name: "count", equals: 7}]', '[{name: "size", equals: "L"}]', "[]"],
    "parked": ["true", "false"],
    "ringing": ["true", "false"],
    "number": ["7", "8"],
    "phone": ['"067 123-45-67"'],
}


@settings(max_examples=150, deadline=None, suppress_health_check=list(HealthCheck))
@given(document=documents(VALUES))
def test_random_queries_have_equal_answers(both: Both, document: str) -> None:
    assert not both.engine.prepare(document, None, READER).errors, document
    fast, slow = both.fast(document, yes=True, no=False), both.slow(document, yes=True, no=False)
    if fast is None:  # what is looked up in Python, or asked wrongly
        assert "caller" in document or "errors" in slow, document
    else:
        assert msgspec.json.encode(fast) == msgspec.json.encode(slow), document


def counted(both: Both, monkeypatch: pytest.MonkeyPatch) -> list[Any]:
    """The statements that are run from now on."""
    found: list[Any] = []
    plain = psycopg.AsyncCursor.execute

    async def execute(self: Any, query: Any, *more: Any, **named: Any) -> Any:
        if query:  # the pool's look whether a connection lives
            found.append(query)
        return await plain(self, query, *more, **named)

    monkeypatch.setattr(psycopg.AsyncCursor, "execute", execute)
    return found


WIDE = """query ($id: ID!) {
  deal(id: $id) { number contact { name openDeals { number } payments { nodes { status } } }
    timeline { nodes { title } } }
  contacts(first: 3) { edges { cursor node { name deals(first: 2) { nodes { number payments { nodes { why } } } } } }
    pageInfo { hasNextPage endCursor } }
  calls { nodes { contact { name } owner } }
}"""


def test_a_request_is_one_statement(both: Both, monkeypatch: pytest.MonkeyPatch) -> None:
    statements = counted(both, monkeypatch)
    answer = both.answer(WIDE, id=id_of("deal 7"))
    assert len(statements) == 1
    assert answer == both.slow(WIDE, id=id_of("deal 7"))
    assert len(statements) > 10


def test_pages_follow_each_other_on_both_paths(both: Both) -> None:
    query = """query ($after: String, $of: ID!) { timeline(first: 2, after: $after, contact: $of) {
      nodes { title } pageInfo { hasNextPage hasPreviousPage startCursor endCursor } } }"""
    after, pages = None, 0
    while pages == 0 or after:
        page = both.fast(query, after=after, of=id_of("Olena"))
        assert page == both.slow(query, after=after, of=id_of("Olena"))
        info, pages = page["data"]["timeline"]["pageInfo"], pages + 1
        after = info["endCursor"] if info["hasNextPage"] else None
    assert pages == 3


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
    ],
)
def test_a_mistake_is_told_as_the_slow_path_tells_it(both: Both, document: str, variables: dict[str, Any]) -> None:
    answer = both.answer(document, **variables)
    assert answer["errors"]
    assert answer == both.slow(document, **variables)


def test_the_workspace_is_in_every_statement(both: Both) -> None:
    """Rows of another are as if they were not there."""
    with psycopg.connect(both.dsn, autocommit=True) as connection:
        insert(connection, OTHER, *STRANGE_ROWS)
    try:
        assert both.fast(WIDE, id=id_of("deal 7")) == both.slow(WIDE, id=id_of("deal 7"))
    finally:
        with psycopg.connect(both.dsn, autocommit=True) as connection:
            empty(connection)
            insert(connection, SHOP, *STRANGE_ROWS)


def test_lists_in_lists_have_a_bound_on_the_slow_path(both: Both, monkeypatch: pytest.MonkeyPatch) -> None:
    """Eleven deals, with the deals of the contact of each, of whom one is nobody: eleven lists."""
    query = "{ deals { nodes { contact { deals { nodes { number } } } } } }"
    monkeypatch.setattr("api.reads.PAGES", 11)
    assert len(both.slow(query)["data"]["deals"]["nodes"]) == 10
    monkeypatch.setattr("api.reads.PAGES", 5)
    assert {error["extensions"]["code"] for error in both.slow(query)["errors"]} == {"TOO_MUCH"}

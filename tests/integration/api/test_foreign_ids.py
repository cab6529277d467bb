"""An id of another workspace is answered like an unknown id, in every field that takes one."""

import json
import re
from collections.abc import Iterator
from typing import Any
from uuid import uuid4

import psycopg
import pytest
from msgspec.structs import replace

from api.schema.names import camel
from api.schema.root import schema
from api.sql import wire
from projections import PROJECTIONS
from tests.support.graphql_server import ApiServer, api_server
from tests.support.id_queries import IdQuery, id_queries
from tests.support.shop_rows import OTHER, call, contact, deal, entry, id_of, insert, payment

NOBODY = str(uuid4())
QUERIES = list(id_queries(schema._schema, "query"))
# Of them tests/integration/api/live/test_subscriptions.py has the same.
SUBSCRIPTIONS = {f"{camel(name)}Changed(id)" for name in PROJECTIONS} | {  # and those with a filter by an id
    *(f"{kind}Changed(contact)" for kind in ("call", "conversation", "deal", "note", "parcel", "payment", "task")),
    *(f"{kind}Changed(deal)" for kind in ("dealLine", "note", "parcel", "payment", "task", "timeline")),
    "timelineChanged(contact)",
    "contactChanged(mergedInto)", "messageChanged(conversation)",
}  # fmt: skip
SHOWN = {  # of what is in the other workspace; for the rest there is no row in it
    "contact(id)", "deal(id)", "call(id)", "payment(id)", "node(id)",
    "deals(contact)", "calls(contact)", "payments(contact)", "payments(deal)", "timeline(contact)", "timeline(deal)",
}  # fmt: skip
PREDICATE = re.compile(r"\w+\.workspace = (%\(workspace\)s|\$1::uuid)")


@pytest.fixture(scope="module")
def api(database_url: str) -> Iterator[ApiServer]:
    with api_server(database_url) as api:
        theirs = id_of("their contact")
        with psycopg.connect(api.dsn, autocommit=True) as connection:
            insert(
                connection, OTHER,
                contact("their contact", phones=("+380509999999",)),
                contact("their old card", merged_into=theirs),
                deal(70, 1, contact_id=theirs), deal(71, 2, contact_id=theirs, stage="won"),
                replace(call("their call", "ringing"), contact_id=theirs),
                replace(payment("their payment", False, id_of("deal 70")), contact_id=theirs),
                entry("their entry", 1, contact_id=theirs, deal_id=id_of("deal 70")),
            )  # fmt: skip
        yield api


@pytest.fixture(scope="module")
def foreign(api: ApiServer) -> list[str]:
    """Every id in every row of the other workspace that this one has not too."""
    found: set[str] = set()
    with psycopg.connect(api.dsn) as connection:
        for projection in PROJECTIONS.values():
            for column in (c.name for c in projection.columns if c.type == "uuid"):
                query = f"""SELECT {column}::text FROM read.{projection.name} WHERE workspace = '{OTHER}'
                    EXCEPT SELECT {column}::text FROM read.{projection.name} WHERE workspace <> '{OTHER}'"""
                found |= {id for (id,) in connection.execute(query.encode()) if id}
    return sorted(found)


def answer_to(api: ApiServer, question: IdQuery, id: str, token: str = "crm_live_shop") -> str:
    """Returns the answer without the parts that differ from request to request."""
    answer: dict[str, Any] = api.answer(question.document, token, id=id)
    answer.pop("extensions", None)
    return json.dumps(answer).replace(id, "the id")


def leaks(api: ApiServer, foreign: list[str]) -> list[str]:
    """Fields that answer a foreign id otherwise than one that does not exist."""
    nothing = {q: answer_to(api, q, NOBODY) for q in QUERIES}
    return [q.name for q in QUERIES if any(answer_to(api, q, id) != nothing[q] for id in foreign)]


def drop_predicates(monkeypatch: pytest.MonkeyPatch) -> None:
    """Plants the bug in every statement: the workspace is given and not asked for."""
    execute = psycopg.AsyncCursor.execute

    async def careless(self: Any, query: Any, params: Any = None, **more: Any) -> Any:
        text = query.decode() if isinstance(query, bytes) else query
        bare = PREDICATE.sub(r"(\1::uuid IS NOT NULL)", text) if isinstance(text, str) else text
        return await execute(self, bare.encode() if isinstance(bare, str) else bare, params, **more)

    text = wire.text

    async def carefree(connection: Any, statement: bytes, parameters: Any) -> bytes:
        bare = PREDICATE.sub(r"(\1::uuid IS NOT NULL)", statement.decode())
        return await text(connection, bare.encode(), parameters)

    monkeypatch.setattr(psycopg.AsyncCursor, "execute", careless)
    monkeypatch.setattr(wire, "text", carefree)


def test_each_field_shows_the_ids_to_their_owner(api: ApiServer, foreign: list[str]) -> None:
    """Or the next test would prove nothing."""
    shown = {
        q.name
        for q in QUERIES
        if any(answer_to(api, q, i, "crm_live_other") != answer_to(api, q, NOBODY) for i in foreign)
    }
    assert shown >= SHOWN, SHOWN - shown


def test_a_foreign_id_is_as_one_that_does_not_exist(api: ApiServer, foreign: list[str]) -> None:
    assert leaks(api, foreign) == []


def test_a_forgotten_predicate_is_caught_by_row_level_security(
    api: ApiServer, foreign: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    drop_predicates(monkeypatch)
    assert leaks(api, foreign) == []


def test_without_row_level_security_this_test_finds_it(
    api: ApiServer, foreign: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    drop_predicates(monkeypatch)
    with psycopg.connect(api.dsn, autocommit=True) as owner:
        table = PROJECTIONS["deal"].table
        owner.execute(f"ALTER TABLE read.{table} DISABLE ROW LEVEL SECURITY".encode())
        assert "deal(id)" in leaks(api, foreign)
        owner.execute(f"ALTER TABLE read.{table} ENABLE ROW LEVEL SECURITY".encode())


def test_subscriptions_that_take_an_id_are_known() -> None:
    assert {q.name for q in id_queries(schema._schema, "subscription")} == SUBSCRIPTIONS

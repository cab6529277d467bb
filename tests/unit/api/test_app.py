"""The HTTP application without sockets: its paths, and refusals before any row is read."""

import asyncio
import json
from typing import Any

import httpx
import pytest
from graphql import get_introspection_query

from api.app import App
from api.context import Context
from api.engine import Engine
from api.limits.documents import WHICH
from api.live.changes import Changes
from tests.support.graphql_server import FakeToken


class NoTokens:
    """No token is known."""

    def token(self, text: str) -> None:
        return None

    def role(self, text: str) -> None:
        return None


def ask(method: str, path: str, missing: str | None = None, **more: Any) -> httpx.Response:
    pool: Any = None  # nothing here may reach the database
    app: Any = App(pool, NoTokens(), Changes(""), lambda: missing)

    async def answer() -> httpx.Response:
        async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://api") as client:
            return await client.request(method, path, **more)

    return asyncio.run(answer())


BEARER = {"authorization": "Bearer crm_live_x"}


def test_an_unknown_token_is_refused() -> None:
    answer = ask("POST", "/graphql", headers=BEARER, json={"query": "{ deals { nodes { id } } }"})
    assert (answer.status_code, answer.headers["www-authenticate"]) == (401, "Bearer")
    assert [error["extensions"] for error in answer.json()["errors"]] == [{"code": "UNAUTHORIZED"}]


def test_a_token_may_only_be_unknown_because_tokens_are_not_read_yet() -> None:
    answer = ask("POST", "/graphql", "The tokens have not been read yet.", headers=BEARER, json={"query": "{ a }"})
    assert (answer.status_code, answer.headers["retry-after"]) == (503, "1")
    assert answer.json()["errors"] == [
        {
            "message": "The tokens have not been read yet. Nothing was read; try again.",
            "extensions": {"code": "UNAVAILABLE"},
        }
    ]


@pytest.mark.parametrize(
    ("path", "missing", "status"),
    [
        ("/livez", "Kafka", 200),
        ("/readyz", "Kafka", 503),
        ("/readyz", None, 200),
        ("/metrics", None, 200),
        ("/", None, 200),
        ("/graphq", None, 404),
    ],
)
def test_paths(path: str, missing: str | None, status: int) -> None:
    assert ask("GET", path, missing).status_code == status


def test_the_start_page_lists_the_paths() -> None:
    answer = ask("GET", "/", None)
    assert answer.headers["content-type"].startswith("text/plain")
    assert all(path in answer.text for path in ("/graphql", "GraphiQL", "/livez", "/readyz", "/metrics", "docs/"))


TWO = "query A { __typename } query B { __typename }"


def run(document: str, operation: str | None = None) -> dict[str, Any]:
    """Executes a document without a database, by resolvers."""
    engine, token = Engine(), FakeToken("11111111-1111-4111-8111-111111111111")
    plan = engine.prepare(document, operation, token)
    nothing: Any = None
    context = Context(nothing, nothing, nothing, "")
    running = engine.answer(plan, None, context) if plan.errors else engine.run_resolvers(plan, {}, context)
    answer: dict[str, Any] = json.loads(asyncio.run(running).body)
    return answer


@pytest.mark.parametrize(("name", "found"), [("A", True), ("B", True), (None, False)])
def test_of_several_operations_one_is_executed_by_its_name_only(name: str | None, found: bool) -> None:
    """Regression: strawberry 0.341 executes the first one."""
    result = run(TWO, name)
    assert result.get("data") == ({"__typename": "Query"} if found else None)
    assert [error["message"] for error in result.get("errors", [])] == ([] if found else [WHICH])


def test_introspection_fits_the_limits() -> None:
    """GraphiQL sends this query first."""
    result = run(get_introspection_query())
    assert "errors" not in result
    assert result["data"]["__schema"]["queryType"]["name"] == "Query"

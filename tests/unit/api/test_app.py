"""The HTTP surface without sockets: paths, and what is refused before any row is read."""

import asyncio
from typing import Any

import httpx
import pytest
from graphql import get_introspection_query

from api.app import App
from api.limits.documents import WHICH
from api.live.changes import Changes
from api.schema.root import schema


class NoTokens:
    """Nobody is known."""

    def token(self, text: str) -> None:
        return None


def ask(method: str, path: str, missing: str | None = None, **more: Any) -> httpx.Response:
    pool: Any = None  # nothing here may reach the database
    app: Any = App(pool, NoTokens(), Changes(""), lambda: missing)

    async def asked() -> httpx.Response:
        async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://api") as client:
            return await client.request(method, path, **more)

    return asyncio.run(asked())


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


def test_the_root_says_where_graphql_is() -> None:
    assert "/graphql" in ask("GET", "/", None).text


TWO = "query A { __typename } query B { __typename }"


@pytest.mark.parametrize(("name", "found"), [("A", True), ("B", True), (None, False)])
def test_of_several_operations_one_is_run_by_its_name_alone(name: str | None, found: bool) -> None:
    """strawberry 0.341 runs the first."""
    result = asyncio.run(schema.execute(TWO, operation_name=name))
    assert result.data == ({"__typename": "Query"} if found else None)
    assert [error.message for error in result.errors or []] == ([] if found else [WHICH])


def test_introspection_fits_the_limits() -> None:
    """GraphiQL asks this first."""
    result = asyncio.run(schema.execute(get_introspection_query()))
    assert result.errors is None
    assert result.data is not None and result.data["__schema"]["queryType"]["name"] == "Query"

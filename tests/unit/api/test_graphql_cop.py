"""The fourteen checks of graphql-cop (github.com/dolevf/graphql-cop), each as a test."""

import asyncio
from typing import Any

import httpx
import pytest
from graphql import get_introspection_query

from api.access import INTROSPECTION, MayIntrospect
from api.app import App
from api.live.changes import Changes

QUERY = "query cop { __typename }"


class Token:
    """A token of the test."""

    id, workspace, scopes = "t", "11111111-1111-4111-8111-111111111111", ("read", "write")


class OneToken:
    """Only `crm_live_x` is known."""

    def token(self, text: str) -> Token | None:
        return Token() if text == "crm_live_x" else None

    def role(self, text: str) -> None:
        return None


def ask(
    method: str = "POST", may_introspect: MayIntrospect = INTROSPECTION["none"], token: str = "crm_live_x", **more: Any
) -> httpx.Response:
    """No database: what reaches it fails the test."""
    pool: Any = None
    app: Any = App(pool, OneToken(), Changes(""), lambda: None, may_introspect=may_introspect)
    headers = {"authorization": f"Bearer {token}"} if token else {}

    async def answer() -> httpx.Response:
        async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://api") as client:
            return await client.request(method, "/graphql", headers=headers | more.pop("headers", {}), **more)

    return asyncio.run(answer())


def error_of(document: str, **more: Any) -> tuple[str, str]:
    """Code and message of the only error; there is no data."""
    answer = ask(json={"query": document}, **more).json()
    (error,) = answer["errors"]
    assert "data" not in answer
    return error["extensions"]["code"], error["message"]


def test_alias_overloading() -> None:
    document = "query cop { " + " ".join(f"alias{n}: __typename" for n in range(101)) + " }"
    assert error_of(document)[0] == "TOO_MUCH"


def test_array_based_batching() -> None:
    answer = ask(json=[{"query": QUERY}] * 10)
    assert answer.status_code == 400 and "Batches are not supported" in answer.text


def test_directive_overloading() -> None:
    assert error_of("query cop { __typename " + "@aa" * 10 + " @skip(if: false)" * 50 + " }")[0] == "TOO_MUCH"


def test_field_duplication() -> None:
    assert error_of("query cop { " + "__typename \n" * 500 + "}")[0] == "TOO_MUCH"


def test_circular_fragments() -> None:
    document = "query cop { ...A } fragment A on Query { ...B } fragment B on Query { ...A }"
    messages = [
        error["message"]
        for error in ask(json={"query": document}, may_introspect=INTROSPECTION["any"]).json()["errors"]
    ]
    assert "Cannot spread fragment 'A' within itself via 'B'." in messages


@pytest.mark.parametrize("may_introspect", ["any", "none"])
def test_circular_introspection(may_introspect: str) -> None:
    document = "query cop { __schema { types { fields { type { fields { type { fields { type { name } } } } } } } } }"
    answer = ask(json={"query": document}, may_introspect=INTROSPECTION[may_introspect]).json()
    assert "data" not in answer and answer["errors"]


def test_introspection() -> None:
    assert error_of(get_introspection_query())[0] == "FORBIDDEN"
    assert error_of('query cop { __type(name: "Deal") { name } }')[0] == "FORBIDDEN"
    assert ask(json={"query": get_introspection_query()}, token="").status_code == 401


def test_field_suggestions() -> None:
    code, message = error_of("query cop { dealz { nodes { id } } }")
    assert code == "BAD_QUERY"
    assert "deal" not in message and "Query" not in message


def test_get_based_mutation() -> None:
    answer = ask("GET", params={"query": "mutation cop { __typename }"})
    assert (answer.status_code, answer.headers["allow"]) == (405, "POST")


def test_get_based_query() -> None:
    """GET is answered only with a token in a header, which another web page cannot make a browser send."""
    for headers in ({}, {"cookie": "authorization=Bearer crm_live_x; token=crm_live_x"}):
        params = {"query": QUERY, "authorization": "Bearer crm_live_x", "access_token": "crm_live_x"}
        answer = ask("GET", params=params, headers=headers, token="")
        assert answer.status_code == 401 and "data" not in answer.json()


@pytest.mark.parametrize("kind", ["application/x-www-form-urlencoded", "multipart/form-data; boundary=b", "text/plain"])
def test_post_based_forgery(kind: str) -> None:
    answer = ask(content=b"query=query%20cop%20%7B__typename%7D", headers={"content-type": kind})
    assert (answer.status_code, answer.json()["errors"][0]["extensions"]["code"]) == (415, "UNSUPPORTED_MEDIA_TYPE")


def test_graphiql() -> None:
    """The page is there and has nothing to hide: it runs only our own scripts, in no frame, and knows no token."""
    page = ask("GET", token="", headers={"accept": "text/html"})
    policy = page.headers["content-security-policy"]
    assert "default-src 'none'" in policy and "frame-ancestors 'none'" in policy and "unsafe-inline" not in policy
    assert ask(json={"query": QUERY}, token="").status_code == 401


def test_trace_mode() -> None:
    answer = ask(json={"query": "query cop { nothing }"}, headers={"x-apollo-tracing": "1"})
    assert "tracing" not in answer.text and answer.json().get("extensions") is None


def test_unhandled_errors() -> None:
    answer = ask(json={"query": "qwerty cop { abc }"}, may_introspect=INTROSPECTION["any"])
    (error,) = answer.json()["errors"]
    assert error["extensions"] == {"code": "BAD_QUERY"}
    assert "Traceback" not in answer.text and ".py" not in answer.text

"""The parts of GraphQL over HTTP: media types, parameters and bodies; invalid ones are refused with a reason."""

import asyncio
from collections.abc import Mapping
from typing import Any

import pytest

from api.http import body
from api.http.accept import GRAPHQL, JSON, negotiate, wants_stream
from api.http.refusal import ClientGone, Refusal
from api.http.request import GraphQLRequest, check_type, from_body, from_query_string
from tests.support.timeouts import TIMEOUT


@pytest.mark.parametrize(
    ("accept", "kind"),
    [
        ("", JSON),
        ("*/*", JSON),
        ("application/*", JSON),
        (JSON, JSON),
        (GRAPHQL, GRAPHQL),
        (f"{GRAPHQL}; charset=utf-8", GRAPHQL),
        (f"{JSON}, {GRAPHQL}", GRAPHQL),
        (f"{GRAPHQL};q=0.5, {JSON}", JSON),
        (f"{GRAPHQL}, {JSON};q=0.9", GRAPHQL),
        (f"{GRAPHQL};q=0.5, */*", JSON),
        (f"{JSON};q=0, */*", GRAPHQL),
        ("text/html, application/xhtml+xml, */*;q=0.8", JSON),
        (f"{JSON};q=nonsense", JSON),
        ("text/html", None),
        (f"{JSON};q=0", None),
        ("*/*;q=0", None),
        (";,;;q=1,", JSON),
    ],
)
def test_the_media_type_is_negotiated(accept: str, kind: str | None) -> None:
    assert negotiate(accept) == kind


@pytest.mark.parametrize(
    ("accept", "wanted"),
    [
        ("text/event-stream", True),
        (f"text/event-stream, {JSON}", True),
        (f"text/event-stream;q=0.5, {JSON}", False),
        ("*/*", False),
    ],
)
def test_event_streams_are_sent_only_when_accepted(accept: str, wanted: bool) -> None:
    assert wants_stream(accept) is wanted


@pytest.mark.parametrize(
    "kind", ["application/json", "application/json;charset=UTF-8", 'APPLICATION/JSON; charset="utf-8"']
)
def test_json_is_taken(kind: str) -> None:
    check_type({"content-type": kind})


@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"content-type": "text/plain"},
        {"content-type": "application/x-www-form-urlencoded"},
        {"content-type": "multipart/form-data; boundary=b"},
        {"content-type": "application/graphql"},
        {"content-type": "application/json; charset=windows-1251"},
        {"content-type": "application/json", "content-encoding": "gzip"},
    ],
)
def test_other_content_is_refused(headers: Mapping[str, str]) -> None:
    with pytest.raises(Refusal) as refused:
        check_type(headers)
    assert (refused.value.status, refused.value.code) == (415, "UNSUPPORTED_MEDIA_TYPE")


def test_parameters_of_a_body() -> None:
    text = b'{"query": "{ a }", "operationName": null, "variables": {"n": 12345678901234567890}, "other": 1}'
    assert from_body(text) == GraphQLRequest("{ a }", None, {"n": 12345678901234567890})
    assert from_body(b'{"documentId": "x", "extensions": {"a": []}}') == GraphQLRequest(
        extensions={"a": []}, document_id="x"
    )


@pytest.mark.parametrize(
    ("text", "why"),
    [
        (b"", "The body is not JSON"),
        (b'{ "not a JSON', "The body is not JSON"),
        (b"\xff\xfe", "The body is not JSON"),
        (b'{"query": "\xff"}', "it is not UTF-8"),
        (b'{"query": "\\ud800"}', "The body is not JSON"),
        (b"null", "The body is not valid"),
        (b'"{ a }"', "The body is not valid"),
        (b'[{"query": "{ a }"}]', "Batches are not supported"),
        (b'{"query": 1}', "Expected `str | null`, got `int` - at `$.query`"),
        (b'{"query": "{ a }", "variables": []}', "at `$.variables`"),
        (b'{"query": "{ a }", "operationName": {}}', "at `$.operationName`"),
        (b'{"query": "{ a }", "extensions": "x"}', "at `$.extensions`"),
        (b'{"query": "{ a }", "variables": {"n": 1e999}}', "1e999 is out of range"),
        (b'{"query": "{ a }", "variables": {"n": ' + b"9" * 5_000 + b"}}", "out of range"),
        (b'{"query": "{ a }", "variables": ' + b'{"a":' * 50_000 + b"1" + b"}" * 50_001, "nested too deeply"),
        (b"{}", "`query` is missing"),
        (b'{"query": "{ a }", "documentId": "x"}', "Both"),
    ],
)
def test_an_invalid_body_is_refused_with_its_reason(text: bytes, why: str) -> None:
    with pytest.raises(Refusal) as refused:
        from_body(text)
    assert (refused.value.status, refused.value.code) == (400, "BAD_REQUEST")
    assert why in refused.value.message


def test_parameters_of_a_query_string() -> None:
    assert from_query_string(b"query=%7B+a+%7D&variables=%7B%22n%22%3A1%7D&utm=x") == GraphQLRequest(
        "{ a }", None, {"n": 1}
    )


@pytest.mark.parametrize(
    ("query", "why"),
    [
        (b"utm=x", "`query` is missing"),
        (b"query=a&query=b", "`query` is given twice"),
        (b"query=%ff", "percent-encoded UTF-8"),
        (b"query=\xff", "percent-encoded UTF-8"),
        (b"query=a&variables=[]", "`variables` is not valid"),
        (b"query=a&variables={", "`variables` is not JSON"),
        (b"query=a" + b"&x=1" * 200, "percent-encoded UTF-8"),
    ],
)
def test_an_invalid_query_string_is_refused_with_its_reason(query: bytes, why: str) -> None:
    with pytest.raises(Refusal) as refused:
        from_query_string(query)
    assert refused.value.status == 400 and why in refused.value.message


def received(*messages: dict[str, Any], headers: Mapping[str, str] | None = None, seconds: float = TIMEOUT) -> bytes:
    """Returns what is read of these messages, with a limit of 10 bytes; nothing follows the last."""
    coming = iter(messages)

    async def receive() -> dict[str, Any]:
        for message in coming:
            return message
        await asyncio.Event().wait()
        raise AssertionError

    return asyncio.run(body.read(headers or {}, receive, 10, seconds=seconds))


def part(text: bytes, more: bool = False) -> dict[str, Any]:
    return {"type": "http.request", "body": text, "more_body": more}


def test_a_body_is_read_whole() -> None:
    assert received(part(b"01234", more=True), part(b"56789")) == b"0123456789"


def test_a_body_over_the_limit_is_refused_while_it_comes() -> None:
    for messages, headers in (((part(b"x" * 11, more=True),), {}), ((), {"content-length": "11"})):
        with pytest.raises(Refusal) as refused:
            received(*messages, headers=headers)
        assert refused.value.status == 413


def test_a_body_that_does_not_come_is_waited_for_a_while() -> None:
    with pytest.raises(Refusal) as refused:
        received(part(b"{", more=True), seconds=0.01)
    assert (refused.value.status, refused.value.code) == (408, "TOO_SLOW")


def test_a_disconnected_client_gets_no_answer() -> None:
    with pytest.raises(ClientGone):
        received(part(b"{", more=True), {"type": "http.disconnect"})

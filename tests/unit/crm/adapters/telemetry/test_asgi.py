"""Requests are counted by few labels, whatever strangers ask for."""

import asyncio
from typing import Any

import httpx
import pytest
from prometheus_client import REGISTRY

from crm.adapters.telemetry.asgi import Observed, handler_of


async def app(scope: Any, receive: Any, send: Any) -> None:
    """Answers with the status that the query names; 0 leaves without an answer, 1 breaks."""
    status = int(scope["query_string"] or b"200")
    if status == 1:
        raise ZeroDivisionError("planted")
    if status:
        await send({"type": "http.response.start", "status": status, "headers": []})
        await send({"type": "http.response.body", "body": b""})


def counted(method: str, handler: str, code: str) -> float:
    labels = {"method": method, "handler": handler, "code": code}
    return REGISTRY.get_sample_value("http_requests_total", labels) or 0


def timed(method: str, handler: str) -> float:
    labels = {"method": method, "handler": handler}
    return REGISTRY.get_sample_value("http_request_duration_seconds_count", labels) or 0


async def ask(method: str, path: str) -> None:
    async with httpx.AsyncClient(transport=httpx.ASGITransport(Observed(app)), base_url="http://intake") as client:
        await client.request(method, path)


@pytest.mark.parametrize(
    ("path", "handler"),
    [
        ("/in/11111111-1111-4111-8111-111111111111", "/in/{connection}"),
        ("/in/1/callback", "/in/{connection}"),
        ("/facts", "/facts"),
        ("/graphql", "/graphql"),
        ("/wp-login.php", "other"),
        ("/metrics", ""),
        ("/readyz", ""),
    ],
)
def test_an_address_is_one_of_few(path: str, handler: str) -> None:
    assert handler_of(path) == handler


@pytest.mark.parametrize(
    ("method", "path", "labels"),
    [
        ("POST", "/facts?503", ("POST", "/facts", "503")),
        ("POST", "/in/x?200", ("POST", "/in/{connection}", "200")),
        ("BREW", "/graphql?405", ("other", "/graphql", "405")),
    ],
)
def test_each_request_is_counted_once_and_timed(method: str, path: str, labels: tuple[str, str, str]) -> None:
    before = counted(*labels), timed(*labels[:2])
    asyncio.run(ask(method, path))
    assert (counted(*labels), timed(*labels[:2])) == (before[0] + 1, before[1] + 1)


def test_who_asks_for_health_is_not_counted() -> None:
    before = counted("GET", "other", "200")
    asyncio.run(ask("GET", "/readyz"))
    assert (counted("GET", "", "200"), counted("GET", "other", "200")) == (0, before)
    asyncio.run(ask("GET", "/"))
    assert counted("GET", "other", "200") == before + 1


def test_a_request_that_breaks_is_a_500() -> None:
    before = counted("POST", "/facts", "500")
    with pytest.raises(ZeroDivisionError):
        asyncio.run(ask("POST", "/facts?1"))
    assert counted("POST", "/facts", "500") == before + 1


def test_who_goes_away_before_the_answer_is_a_499() -> None:
    async def gone() -> None:
        scope = {"type": "http", "method": "POST", "path": "/facts", "query_string": b"0", "headers": []}
        await Observed(app)(scope, never, never)

    before = counted("POST", "/facts", "499")
    asyncio.run(gone())
    assert counted("POST", "/facts", "499") == before + 1


async def never(*_: object) -> None:
    raise AssertionError("nothing is read or sent")

"""The call-back of OAuth is handed on to the API as it came, and never fails."""

import asyncio

import httpx

from crm.adapters.kafka.directory import Access
from crm.adapters.memory.log import MemoryLog
from services.connectors import CONNECTORS
from services.intake.app import Intake
from services.intake.oauth import ApiCallBacks

QUERY = "code=a%2Fb&state=x-_%D0%B6&state=y"


def call(api: httpx.MockTransport | None, method: str = "GET") -> httpx.Response:
    async def ask() -> httpx.Response:
        more = {"call_backs": ApiCallBacks("http://api:8081", api)} if api else {}
        transport = httpx.ASGITransport(Intake(Access(), MemoryLog(), CONNECTORS, **more))
        async with httpx.AsyncClient(transport=transport, base_url="http://crm") as client:
            return await client.request(method, f"/oauth/callback?{QUERY}")

    return asyncio.run(ask())


def test_the_page_of_the_api_is_answered() -> None:
    headers = {"content-type": "text/html", "cache-control": "no-store", "referrer-policy": "no-referrer", "x-own": "1"}
    seen: list[str] = []

    def reply(request: httpx.Request) -> httpx.Response:
        seen.append(str(request.url))
        return httpx.Response(400, text="<p>Used.</p>", headers=headers)

    answer = call(httpx.MockTransport(reply))
    assert seen == [f"http://api:8081/oauth/callback?{QUERY}"]
    assert (answer.status_code, answer.text, answer.headers["content-type"]) == (400, "<p>Used.</p>", "text/html")
    assert answer.headers["cache-control"] == "no-store" and answer.headers["referrer-policy"] == "no-referrer"
    assert "x-own" not in answer.headers


def test_an_api_that_is_away_is_a_sentence() -> None:
    def away(_: httpx.Request) -> httpx.Response:
        raise httpx.ConnectError("no")

    answer = call(httpx.MockTransport(away))
    assert answer.status_code == 503 and answer.text.startswith("The API does not answer.")


def test_only_get_does_anything() -> None:
    assert call(httpx.MockTransport(lambda _: httpx.Response(500)), "POST").status_code == 405
    assert call(None).status_code == 404

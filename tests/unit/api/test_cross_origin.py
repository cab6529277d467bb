"""Calls from pages of other origins: CRM_CORS_ORIGINS for /graphql, event streams, websockets and forms."""

import asyncio
from typing import Any

import httpx
import pytest

from api.app import App
from api.http.sockets import FOREIGN
from api.live.changes import Changes
from crm.adapters.cors import NO_ORIGINS, Origins
from crm.adapters.memory.log import MemoryLog
from services.intake.app import Intake
from tests.support.graphql_server import FakeTokens
from tests.support.intake_server import CONNECTORS, OPEN, declared_access

SHOP_PAGE, OTHER_PAGE = "https://app.shop.ua", "https://evil.example"
ORIGINS = Origins.read(f"{SHOP_PAGE}, http://localhost:5173")


def api(origins: Origins) -> Any:
    pool: Any = None  # nothing here may reach the database
    return App(pool, FakeTokens(), Changes(""), lambda: None, origins=origins)


def intake(origins: Origins) -> Any:
    return origins.for_forms(Intake(declared_access(), MemoryLog(), CONNECTORS))


def ask(app: Any, method: str, path: str, origin: str, **headers: str) -> httpx.Response:
    async def answer() -> httpx.Response:
        async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://api") as client:
            given = {"origin": origin} | {name.replace("_", "-"): value for name, value in headers.items()}
            return await client.request(method, path, headers=given, content=b"{}" if method == "POST" else None)

    return asyncio.run(answer())


def preflight(app: Any, path: str, origin: str, **headers: str) -> httpx.Response:
    return ask(app, "OPTIONS", path, origin, access_control_request_method="POST", **headers)


def test_a_page_of_a_known_origin_may_call_and_read_the_answer() -> None:
    wanted = "authorization,content-type,crm-min-position,idempotency-key,last-event-id"
    first = preflight(api(ORIGINS), "/graphql", SHOP_PAGE, access_control_request_headers=wanted)
    assert (first.status_code, first.headers["access-control-allow-origin"]) == (200, SHOP_PAGE)
    assert first.headers["access-control-allow-methods"] == "GET, HEAD, POST"
    assert first.headers["vary"].startswith("Origin")
    then = ask(api(ORIGINS), "POST", "/graphql", SHOP_PAGE)
    assert then.status_code == 401
    assert then.headers["access-control-allow-origin"] == SHOP_PAGE
    assert then.headers["vary"] == "Origin"
    exposed = "retry-after, ratelimit-limit, ratelimit-remaining, ratelimit-reset"
    assert then.headers["access-control-expose-headers"] == exposed
    assert "access-control-allow-credentials" not in {**first.headers, **then.headers}


@pytest.mark.parametrize(
    "origins", [NO_ORIGINS, Origins.read("*"), ORIGINS], ids=["without the setting", "forms only", "another origin"]
)
def test_a_page_of_an_unknown_origin_may_not_read_answers(origins: Origins) -> None:
    """`*` is for forms: it opens nothing of the API."""
    for answer in (
        preflight(api(origins), "/graphql", OTHER_PAGE),
        ask(api(origins), "POST", "/graphql", OTHER_PAGE),
        ask(api(origins), "GET", "/graphql", OTHER_PAGE, accept="text/event-stream"),
    ):
        assert "access-control-allow-origin" not in answer.headers


@pytest.mark.parametrize(
    ("setting", "page", "allowed"),
    [
        ("*", OTHER_PAGE, "*"),
        (SHOP_PAGE, SHOP_PAGE, SHOP_PAGE),
        (SHOP_PAGE, OTHER_PAGE, None),
        (f"{SHOP_PAGE},*", OTHER_PAGE, "*"),
        ("", OTHER_PAGE, None),
    ],
)
def test_forms(setting: str, page: str, allowed: str | None) -> None:
    app = intake(Origins.read(setting))
    first = preflight(app, f"/in/{OPEN}", page, access_control_request_headers="content-type")
    then = ask(app, "POST", f"/in/{OPEN}", page)
    assert [answer.headers.get("access-control-allow-origin") for answer in (first, then)] == [allowed, allowed]
    assert then.status_code == 401  # CORS proves nothing: the connection's own check follows
    assert "access-control-allow-origin" not in ask(app, "POST", "/facts", page).headers


@pytest.mark.parametrize(
    ("origins", "origin", "host", "opened"),
    [
        (ORIGINS, SHOP_PAGE, "api.shop.ua", True),
        (ORIGINS, "https://api.shop.ua", "api.shop.ua", True),
        (ORIGINS, "", "api.shop.ua", True),
        (ORIGINS, OTHER_PAGE, "api.shop.ua", False),
        (ORIGINS, "null", "api.shop.ua", False),
        (ORIGINS, f"{SHOP_PAGE}.evil.example", "api.shop.ua", False),
        (NO_ORIGINS, OTHER_PAGE, "api.shop.ua", True),
    ],
)
def test_websockets(origins: Origins, origin: str, host: str, opened: bool) -> None:
    sent: list[Any] = []

    async def receive() -> dict[str, Any]:
        return {"type": "websocket.disconnect" if sent else "websocket.connect"}

    async def send(message: Any) -> None:
        sent.append(message)

    headers = [(b"host", host.encode()), *([(b"origin", origin.encode())] if origin else [])]
    scope = {"type": "websocket", "path": "/graphql", "headers": headers, "subprotocols": ["graphql-transport-ws"]}
    asyncio.run(api(origins)(scope, receive, send))
    if opened:
        assert sent[0] == {"type": "websocket.accept", "subprotocol": "graphql-transport-ws"}
    else:
        assert [message.get("status") for message in sent] == [403, None]
        assert sent[1]["body"] == f"{FOREIGN}\n".encode()


@pytest.mark.parametrize("text", ["https://app.shop.ua/", "app.shop.ua", "https://*.shop.ua", "null", "ftp://a"])
def test_a_setting_that_names_no_origin_is_a_sentence_at_start(text: str) -> None:
    with pytest.raises(SystemExit) as refused:
        Origins.read(f"https://ok.ua,{text}")
    assert str(refused.value).startswith(f"CRM_CORS_ORIGINS names {text!r}, which is not an origin. An origin is ")


def test_origins_are_read_in_any_case_and_with_blanks() -> None:
    assert Origins.read(" https://App.Shop.UA ,, * ") == Origins(frozenset(["https://app.shop.ua"]), True)

"""Who is calling is answered while the telephone rings, whatever happens to the API; the delivery is kept first."""

import asyncio
import json
from typing import Any

import httpx
import pytest

from crm.connector import Answer, Caller, CallerLookup
from crm.role_tokens import workspace_of
from crm.scalars import Id
from crm.secret_keys import SecretKeys, new_key
from services.intake.callers import ApiCallers
from tests.support.intake_server import CONNECTORS, OPEN, TINY, WORKSPACE, IntakeServer

KEYS = SecretKeys(new_key())
IRYNA = {"name": "Ірина", "email": "iryna@example.com"}
OLENA = {"contact": {"name": "Олена Вигадана"}, "answering": IRYNA, "openDeals": [{"number": 7, "title": "Двері"}]}


def find(reply: Any) -> Caller | None:
    """Who is found when the API replies so."""

    async def run() -> Caller | None:
        callers = ApiCallers("http://api", KEYS, httpx.MockTransport(reply))
        try:
            return await callers.find(WORKSPACE, "067 123 45 67")
        finally:
            await callers.close()

    return asyncio.run(run())


def test_the_name_the_open_deals_and_the_owner_are_found() -> None:
    def reply(request: httpx.Request) -> httpx.Response:
        scheme, _, token = request.headers["authorization"].partition(" ")
        assert (scheme, workspace_of(KEYS, token)) == ("Role", WORKSPACE)
        assert json.loads(request.content)["variables"] == {"phone": "067 123 45 67"}
        return httpx.Response(200, json={"data": {"caller": OLENA}})

    assert find(reply) == Caller("Олена Вигадана", "Ірина", "iryna@example.com", "D-7 Двері")


def test_an_unknown_number_is_nobody() -> None:
    nobody = {"contact": None, "answering": None, "openDeals": []}
    assert find(lambda _: httpx.Response(200, json={"data": {"caller": nobody}})) is None


async def never(_request: httpx.Request) -> httpx.Response:
    await asyncio.Event().wait()
    raise AssertionError


@pytest.mark.parametrize(
    "reply",
    [
        lambda _: httpx.Response(503, text="later"),
        lambda _: httpx.Response(200, text="<html>"),
        lambda _: httpx.Response(200, json={"data": None}),
        never,
    ],
)
def test_an_api_that_fails_or_is_slow_is_nobody(reply: Any) -> None:
    assert find(reply) is None


class Known:
    async def find(self, workspace: Id, phone: str) -> Caller | None:
        return Caller(f"{phone} of {workspace}")


def test_a_lookup_is_kept_and_answered(server: IntakeServer, monkeypatch: pytest.MonkeyPatch) -> None:
    from dataclasses import replace

    assert TINY.webhook
    lookup = CallerLookup(
        lambda delivery, _: delivery.parameters.get("who"),
        lambda caller: Answer(200, (caller.name if caller else "nobody").encode()),
    )
    monkeypatch.setitem(CONNECTORS, "tiny", replace(TINY, webhook=replace(TINY.webhook, lookup=lookup)))
    assert server.post(b"phone=1", f"/in/{OPEN}?who=067").text == "nobody"
    server.app.deliveries.callers = Known()
    assert server.post(b"phone=2", f"/in/{OPEN}?who=067").text == f"067 of {WORKSPACE}"
    assert server.post(b"phone=3").text == '{"status":"success"}'
    assert len(server.facts) == 3

"""A vendor that signs with keys it publishes is received with them, and asked to come again while there are none."""

import asyncio

import httpx
import pytest

from crm.adapters.memory.log import MemoryLog
from crm.connector import Connection, Home
from crm.scalars import Id, Micros
from services.connectors import CONNECTORS
from services.connectors.gmail import rehearse
from services.intake.app import Intake
from services.intake.published_keys import PublishedKeys
from services.intake.request import Frontend
from tests.support.connector_deliveries import NOW, in_shop, sent

BOX = in_shop("gmail", **rehearse.settings("a"))
NOTICE = rehearse.sign(sent(b'{"message": {"messageId": "1"}}', "application/json"), "a")


class OneBox:
    """Knows one connection."""

    def connection(self, id: str) -> Connection | None:
        return BOX if id == "1" else None

    def token(self, text: str, at: Micros | None = None) -> None:
        return None

    def home(self, workspace: Id) -> Home:
        return Home()

    def missing(self) -> str | None:
        return None


@pytest.mark.parametrize("document", [rehearse.key_set(), ""])
def test_a_notice_is_taken_with_the_keys_and_wanted_again_without(document: str) -> None:
    async def fetch(_url: str) -> str:
        if not document:
            raise httpx.ConnectError("down")
        return document

    async def post() -> httpx.Response:
        keys, frontend = PublishedKeys(fetch, lambda: NOW), Frontend.read("https://crm.example.com", False)
        app = Intake(OneBox(), log, CONNECTORS, clock=lambda: NOW, frontend=frontend, keys=keys)
        transport = httpx.ASGITransport(app)
        async with httpx.AsyncClient(transport=transport, base_url="https://crm.example.com") as client:
            return await client.post("/in/1", content=NOTICE.body, headers=dict(NOTICE.headers))

    log = MemoryLog()
    answer = asyncio.run(post())
    assert (answer.status_code, len(log.records)) == ((200, 1) if document else (503, 0))

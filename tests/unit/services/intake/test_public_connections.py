"""Connections that pages of every site may send to: what they may read, and how many forms one address sends."""

import asyncio
from typing import Any

import httpx
import pytest

from crm.adapters.cors import Origins
from crm.adapters.kafka.directory import Access
from crm.adapters.memory.log import MemoryLog
from crm.connector import delivery_of
from crm.contract.codec import decode, encode
from crm.facts import ConnectionDeclared, FormSubmitted
from crm.scalars import Id, Micros
from services.connectors import CONNECTORS
from services.intake.app import Intake
from services.intake.request import Frontend
from tests.support.intake_server import NOON, meta

PUBLIC, PRIVATE = Id("0b6f0c1e-27a4-4d0a-9d0b-5a9a3c1f7e55"), Id("0b6f0c1e-27a4-4d0a-9d0b-5a9a3c1f7e56")


class Server:
    """Intake with one public connection and one that is not."""

    def __init__(self, **settings: str) -> None:
        self.log, self.access, self.at = MemoryLog(), Access(), NOON
        self.access.complete = True
        for id, connector, given in ((PUBLIC, "site-form", settings), (PRIVATE, "form", {})):
            self.access.take(
                id.encode(), encode(ConnectionDeclared(meta(id), id, connector, "", "s3cret", given, True))
            )
        frontend = Frontend(trust_forwarded=True)
        self.app = Intake(self.access, self.log, CONNECTORS, max_body=1_000, clock=lambda: self.at, frontend=frontend)

    def ask(self, method: str, id: str, body: dict[str, str] | None = None, peer: str = "192.0.2.1") -> httpx.Response:
        async def ask() -> httpx.Response:
            async with httpx.AsyncClient(transport=httpx.ASGITransport(self.app), base_url="http://crm") as client:
                return await client.request(method, f"/in/{id}", data=body, headers={"x-forwarded-for": peer})

        return asyncio.run(ask())

    @property
    def facts(self) -> list[FormSubmitted]:
        facts = [decode(record.value) for record in self.log.records if record.value]
        assert all(isinstance(fact, FormSubmitted) for fact in facts)
        return facts  # type: ignore[return-value]  # just asserted


def lead(number: int) -> dict[str, str]:
    return {"name": "Olena", "phone": f"06720415{number:02}", "_took": "9000"}


@pytest.mark.parametrize(
    ("method", "id", "body", "status", "readable"),
    [
        ("POST", PUBLIC, lead(1), 200, True),
        ("GET", PUBLIC, None, 200, True),
        ("POST", PUBLIC, {"name": "x" * 2_000}, 413, True),
        ("DELETE", PUBLIC, None, 405, True),
        ("POST", "unknown", lead(1), 404, True),
        ("POST", PRIVATE, lead(1), 200, False),
        ("GET", PRIVATE, None, 405, False),
        ("POST", PRIVATE, {"name": "x" * 2_000}, 413, False),
    ],
)
def test_a_page_may_read_every_answer_of_a_public_connection(
    method: str, id: str, body: dict[str, str] | None, status: int, readable: bool
) -> None:
    answer = Server().ask(method, id, body)
    assert answer.status_code == status
    assert answer.headers.get("access-control-allow-origin") == ("*" if readable else None)


def test_a_page_may_read_that_it_shall_send_again() -> None:
    server = Server()
    server.access.complete = False
    for method in ("POST", "GET"):
        answer = server.ask(method, "not known yet", lead(1) if method == "POST" else None)
        assert (answer.status_code, answer.headers["access-control-allow-origin"]) == (503, "*")


def test_the_script_reads_what_to_show_and_nothing_else() -> None:
    shown = {"fields": "name*,phone", "title": "Заявка", "button": "Далі", "thanks": "Дякуємо"}
    answer = Server(**shown, origins="https://www.example.com", honeypot="fax").ask("GET", PUBLIC)
    assert (answer.json(), answer.headers["content-type"]) == (shown, "application/json")


def test_a_flood_is_kept_and_doubted_and_nobody_else_is() -> None:
    server = Server(most_a_minute="3")
    for number in range(5):
        assert server.ask("POST", PUBLIC, lead(number)).status_code == 200
    server.ask("POST", PUBLIC, lead(5), peer="192.0.2.2")
    server.at = Micros(NOON + 120_000_000)
    server.ask("POST", PUBLIC, lead(6))
    flood = [f"Its sender's address sent {sent} forms within a minute." for sent in (4, 5)]
    assert [fact.suspicious for fact in server.facts] == ["", "", "", *flood, "", ""]


def test_what_is_read_again_is_as_suspicious_as_it_was() -> None:
    server = Server(most_a_minute="1")
    for number in range(2):
        server.ask("POST", PUBLIC, lead(number))
    connection = server.access.connection(PUBLIC)
    assert connection
    again = [CONNECTORS["site-form"].read(delivery_of(f.raw, f.meta.recorded_at), connection) for f in server.facts]
    assert [facts[0] for facts in again] == server.facts


def test_other_pages_may_send_where_some_origins_are_named() -> None:
    server = Server()
    for origin, readable in (("https://app.example.com", "https://app.example.com"), ("https://www.example.org", "*")):
        app: Any = Origins.read("https://app.example.com").for_forms(server.app)

        async def ask(app: Any = app, origin: str = origin) -> httpx.Response:
            async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://crm") as client:
                return await client.post(f"/in/{PUBLIC}", data=lead(1), headers={"origin": origin})

        answer = asyncio.run(ask())
        assert answer.headers.get_list("access-control-allow-origin") == [readable]

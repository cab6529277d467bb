"""Intake over HTTP, with a minimal connector, on any log."""

import asyncio
import hashlib
from collections.abc import AsyncIterable, Callable, Iterable, Sequence
from functools import partial
from typing import Any
from urllib.parse import parse_qs

import httpx

from crm.adapters.kafka.directory import Access
from crm.connector import Answer, Connection, Connector, Delivery, Report, Webhook, echo, expect_equal
from crm.contract.codec import decode, encode
from crm.envelope import Fact
from crm.errors import Malformed
from crm.facts import ConnectionDeclared, DeliveryKept, FormSubmitted, TokenDeclared
from crm.log import Log, Record
from crm.scalars import Id, Micros
from crm.shared import Meta
from services.intake.app import Intake
from services.intake.body import Bodies
from tests.support.timeouts import TIMEOUT

WORKSPACE = Id("5d9b2f5e-6c1e-4f0b-8f4c-2f1f0f3a9b11")
OPEN = Id("11111111-1111-4111-8111-111111111111")  # a connection that anybody may post to
CLOSED = Id("22222222-2222-4222-8222-222222222222")  # a disabled one
GREETER = Id("33333333-3333-4333-8333-333333333333")  # whose connector answers a GET
WRITER, READER, EXPIRED, ADMIN = "crm_live_writer", "crm_live_reader", "crm_live_expired", "crm_live_admin"
TOKENS = {
    WRITER: Id("44444444-4444-4444-8444-444444444444"),
    READER: Id("55555555-5555-4555-8555-555555555555"),
    EXPIRED: Id("66666666-6666-4666-8666-666666666666"),
    ADMIN: Id("77777777-7777-4777-8777-777777777777"),
}
NOON = Micros(1_760_000_000_000_000)


def verify(delivery: Delivery, connection: Connection) -> None:
    if "x-crash" in delivery.headers:
        raise RuntimeError("a connector's mistake")
    expect_equal(connection.secret, delivery.headers.get("x-proof", ""))


def parse(delivery: Delivery, connection: Connection) -> Iterable[Report]:
    try:
        text = delivery.body.decode()
    except UnicodeDecodeError as error:
        raise Malformed(f"not UTF-8: {error.reason}") from None
    fields = {name: values[0] for name, values in parse_qs(text, max_num_fields=1000).items()}
    if fields.get("kind") == "ping":
        yield Report("ping", "", delivery.received_at, lambda m, r: DeliveryKept(m, r, "tiny", "ping"))
    for number in range(int(fields.get("times", "1"))):
        amount = int(fields["amount"]) if "amount" in fields else None
        name = "\ud800" if fields.get("name") == "surrogate" else fields.get("name", "")
        yield Report(
            f"{fields.get('key', 'none')}/{number}",
            fields.get("phone", ""),
            delivery.received_at,
            partial(FormSubmitted, name=name, amount_minor=amount),
        )


def answer(delivery: Delivery, connection: Connection, facts: Sequence[Fact]) -> Answer:
    return Answer(200, b'{"status":"success"}', "application/json")


def handshake(delivery: Delivery, connection: Connection) -> Answer | None:
    """Reflects a challenge in the way of many vendors, and answers any other GET with 200."""
    if "x-crash" in delivery.headers:
        raise RuntimeError("a connector's mistake")
    if (challenge := delivery.parameters.get("challenge")) is not None:
        expect_equal(connection.secret, delivery.parameters.get("verify_token", ""), "verify token")
        return echo(challenge)
    if "page" in delivery.parameters:
        return Answer(200, delivery.parameters["page"].encode(), "text/html")
    return Answer() if delivery.method == "GET" else None


TINY = Connector("tiny", "calls", Webhook(verify, parse, answer))
GREETS = Webhook(verify, parse, handshake=handshake)
CONNECTORS = {"tiny": TINY, "greeter": Connector("greeter", "forms", GREETS)}


def declared_access() -> Access:
    """Returns the directory of senders, as crm.connections declares it."""
    access = Access()
    access.complete = True
    for id, connector, enabled in ((OPEN, "tiny", True), (CLOSED, "tiny", False), (GREETER, "greeter", True)):
        fact = ConnectionDeclared(meta(id), id, connector, "", "s3cret", {}, enabled)
        access.take(id.encode(), encode(fact))
    for text, id in TOKENS.items():
        scopes = {READER: ("read",), ADMIN: ("admin",)}.get(text, ("read", "write"))
        digest = hashlib.sha256(text.encode()).hexdigest()
        expires = NOON if text == EXPIRED else None
        access.take(id.encode(), encode(TokenDeclared(meta(id), id, "t", digest, scopes, expires)))
    return access


def meta(id: Id) -> Meta:
    return Meta(id, WORKSPACE, id, NOON, NOON, "cli", id)


class IntakeServer:
    """`run` drives its event loop; `records` returns what its log holds since the server was created."""

    def __init__(self, log: Log, run: Callable[[Any], Any], records: Callable[[], list[Record]]) -> None:
        self.log, self.run, self.records = log, run, records
        self.access = declared_access()
        self.bodies = Bodies(seconds=TIMEOUT)
        self.app = Intake(
            self.access,
            log,
            CONNECTORS,
            max_body=100_000,
            max_batch_body=2_000_000,
            bodies=self.bodies,
            clock=lambda: NOON,
        )

    def send(
        self, method: str, path: str, body: bytes | AsyncIterable[bytes] = b"", headers: Any = None
    ) -> httpx.Response:
        async def ask() -> httpx.Response:
            transport = httpx.ASGITransport(self.app)
            async with httpx.AsyncClient(transport=transport, base_url="http://intake") as client:
                return await client.request(method, path, content=body, headers=headers)

        response: httpx.Response = self.run(ask())
        return response

    def post(self, body: bytes | AsyncIterable[bytes], path: str = f"/in/{OPEN}", **headers: str) -> httpx.Response:
        """A delivery with its proof, unless another is given."""
        given = {name.replace("_", "-"): value for name, value in headers.items()}
        return self.send("POST", path, body, {"x-proof": "s3cret", **given})

    def stream(
        self, body: bytes, content_type: str = "application/json", token: str = WRITER, query: str = "", **headers: str
    ) -> Any:
        given = {name.replace("_", "-"): value for name, value in headers.items()}
        return self.send(
            "POST", f"/facts{query}", body, {"authorization": f"Bearer {token}", "content-type": content_type, **given}
        )

    @property
    def facts(self) -> list[Fact]:
        return [decode(record.value) for record in self.records() if record.value]


def single_intake(what: Any) -> Any:
    return asyncio.run(what)

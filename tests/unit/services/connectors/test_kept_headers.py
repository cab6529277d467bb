"""Which headers are kept with the raw bytes."""

from collections.abc import Iterator

import pytest

from crm.connector import Connection, Connector, Delivery, Report, Webhook
from crm.errors import Broken
from crm.facts import DeliveryKept, DeliveryQuarantined, FormSubmitted
from services.connectors import CONNECTORS
from tests.support.scenarios import CONNECTION, NOON, SHOP


def kept(connector: str, headers: dict[str, str], body: bytes) -> dict[str, str]:
    connection = Connection(CONNECTION, SHOP, connector, "secret")
    (fact,) = CONNECTORS[connector].read(Delivery(headers, body, NOON), connection)
    assert isinstance(fact, DeliveryKept | FormSubmitted)
    return fact.raw.headers


def test_what_a_vendor_says_in_a_header_can_be_read_again() -> None:
    """Five named headers were kept; an event type or a delivery id that stood in another one was lost."""
    headers = {"content-type": "application/x-www-form-urlencoded", "x-shop-topic": "orders/create", "x-id": "ї"}
    assert kept("form", headers, b"name=Olena&phone=0671234567") == headers


@pytest.mark.parametrize("name", ["authorization", "cookie", "proxy-authorization", "x-form-token"])
def test_secrets_are_not_kept(name: str) -> None:
    headers = {"content-type": "application/x-www-form-urlencoded", name: "s3cret"}
    assert kept("form", headers, b"name=Olena&phone=0671234567") == {"content-type": headers["content-type"]}


def test_a_connectors_own_secret_header_is_not_kept() -> None:
    headers = {"content-type": "application/json", "x-telegram-bot-api-secret-token": "s3cret", "user-agent": "bot"}
    assert kept("telegram", headers, b'{"update_id": 1, "poll": {}}') == {
        "content-type": "application/json",
        "user-agent": "bot",
    }


def test_a_header_that_utf_8_cannot_hold_costs_no_lead() -> None:
    headers = {"content-type": "application/x-www-form-urlencoded", "x-odd": "a\udc80"}
    connection = Connection(CONNECTION, SHOP, "form", "secret")
    (fact,) = CONNECTORS["form"].read(Delivery(headers, b"name=Olena&phone=0671234567", NOON), connection)
    assert isinstance(fact, FormSubmitted)
    assert fact.raw.headers["x-odd"] == "a\\udc80"


def test_a_secret_in_any_header_or_reason_is_hidden() -> None:
    """A proxy's header with the whole URL kept the secret forever, and so did the words of an exception."""

    def parse(delivery: Delivery, connection: Connection) -> Iterator[Report]:
        raise KeyError(f"{connection.secret} {connection.settings}")
        yield

    settings = {"bot": "123456789:AAF-x_y", "host": "www.shop.example.com", "country": "UA"}
    connection = Connection(CONNECTION, SHOP, "acme", "s3cret", settings)
    headers = {"x-original-url": "https://a/in/1?key=s3cret", "referer": "https://www.shop.example.com/a"}
    acme = Connector("acme", "calls", Webhook(lambda *_: None, parse))
    (fact,) = acme.receive(Delivery(headers, b"", NOON, base="https://a", path="/s3cret/1"), connection)
    assert isinstance(fact, DeliveryQuarantined)
    assert fact.raw.headers == {
        "x-original-url": "https://a/in/1?key=***",
        "referer": "https://www.shop.example.com/a",
        ":method": "POST",
        ":url": "https://a/***/1",
    }
    assert "s3cret" not in fact.reason and "AAF" not in fact.reason
    assert "www.shop.example.com" in fact.reason and "UA" in fact.reason


def test_what_cannot_be_decrypted_here_is_read_by_nobody() -> None:
    """Without its settings, a delivery from quarantine would have been read as another country's."""
    connection = Connection(CONNECTION, SHOP, "form", "", locked="Its key is not here.")
    with pytest.raises(Broken, match="Its key is not here"):
        CONNECTORS["form"].read(Delivery({}, b"name=Olena", NOON), connection)

"""Which headers are kept with the raw bytes."""

import pytest

from crm.connector import Connection, Delivery
from crm.facts import DeliveryKept, FormSubmitted
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

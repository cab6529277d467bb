"""A workspace's country and currency hold in every connector; a connection's own settings go before them."""

from collections.abc import Mapping
from typing import Any

import pytest

from crm.connector import Connection, Delivery, Home, country_of, currency_of_connection
from crm.scalars import Id
from services.connectors import CONNECTORS
from tests.support.rehearse import Post, binotel_call, form, liqpay_callback, telegram_message
from tests.support.scenarios import CONNECTION, NOON, SHOP

POLAND = Home("PL", "PLN", "Europe/Warsaw")


def connection(settings: Mapping[str, str], home: Home = POLAND) -> Connection:
    return Connection(Id("c"), Id("w"), "form", "s", settings, home=home)


@pytest.mark.parametrize(
    ("settings", "home", "country", "currency"),
    [
        ({}, POLAND, "PL", "PLN"),
        ({"country": "cz", "currency": " czk"}, POLAND, "CZ", "CZK"),
        ({"country": ""}, POLAND, "PL", "PLN"),
        ({}, Home(), "UA", "UAH"),
    ],
)
def test_the_setting_then_the_workspace_then_ukraine(
    settings: Mapping[str, str], home: Home, country: str, currency: str
) -> None:
    given = connection(settings, home)
    assert (country_of(given), currency_of_connection(given)) == (country, currency)


NUMBER = "601 234 567"  # of a Polish mobile, and no number of Ukraine
CARD = {"phone_number": NUMBER, "first_name": "Jan", "user_id": 7}
POSTS: list[tuple[str, Post]] = [
    ("binotel", binotel_call("receivedTheCall", 1, NUMBER)),
    ("form", form({"name": "Jan", "phone": NUMBER, "total": "99.50"})),
    ("liqpay", liqpay_callback("s3cret", 1, "99.50", sender_phone=NUMBER)),
    ("telegram", telegram_message("s3cret", 1, 7, contact=CARD)),
]


def phone_of(fact: Any) -> str:
    if hasattr(fact, "payer"):
        return str(fact.payer.phone)
    phones = getattr(fact, "phones", ())
    phone = phones[0] if phones else getattr(fact, "phone", None) or fact.shared_phone
    return str(phone.e164)


@pytest.mark.parametrize(("connector", "post"), POSTS)
def test_no_connector_has_a_country_of_its_own(connector: str, post: Post) -> None:
    headers, body = post
    given = Connection(CONNECTION, SHOP, connector, "s3cret", home=POLAND)
    (fact,) = CONNECTORS[connector].receive(Delivery(headers, body, NOON), given)
    assert phone_of(fact) == "+48601234567"
    if connector == "form":
        assert fact.currency == "PLN"

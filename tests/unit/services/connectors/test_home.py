"""A workspace's country and currency hold in every connector; a connection's own settings go before them."""

from collections.abc import Mapping

import pytest

from crm.connector import Connection, Home, country_of, currency_of_connection
from crm.scalars import Id

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

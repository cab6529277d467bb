"""How many deliveries a client sent within a minute."""

from crm.scalars import Micros
from services.intake import client_rates
from services.intake.client_rates import MINUTE, ClientRates

START = 1_000 * MINUTE
SECOND = MINUTE // 60


def counted(*seconds: int, client: str = "192.0.2.1") -> list[int]:
    rates = ClientRates()
    return [rates.count("form", client, Micros(START + second * SECOND)) for second in seconds]


def test_each_delivery_of_a_minute_counts() -> None:
    assert counted(0, 1, 59) == [1, 2, 3]


def test_of_the_minute_before_its_share_counts() -> None:
    assert counted(0, 0, 0, 0, 60, 90, 119) == [1, 2, 3, 4, 5, 4, 3]


def test_older_minutes_do_not_count() -> None:
    assert counted(0, 0, 0, 120, 30) == [1, 2, 3, 1, 1]


def test_clients_and_connections_are_counted_apart() -> None:
    rates = ClientRates()
    keys = [("a", "1"), ("a", "2"), ("b", "1"), ("a", "1")]
    assert [rates.count(connection, client, Micros(START)) for connection, client in keys] == [1, 1, 1, 2]


def test_a_flood_of_clients_takes_no_more_memory() -> None:
    rates = ClientRates()
    most = client_rates.MOST
    assert {rates.count("form", str(number), Micros(START)) for number in range(most + 10)} == {1}
    assert len(rates.now) == most
    assert rates.count("form", "0", Micros(START)) == 2

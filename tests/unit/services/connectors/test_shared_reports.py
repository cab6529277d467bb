"""What vendors of one kind share: tables of words, moments of coarse clocks, payers, the keys of parcels."""

import pytest

from crm.errors import Malformed
from crm.facts import ParcelReported
from crm.scalars import Micros
from services.connectors.calls import elapsed
from services.connectors.formats.exact_json import Tree
from services.connectors.formats.meanings import meanings
from services.connectors.orders import delivery_of, within_second
from services.connectors.parcels import ParcelReading
from services.connectors.payments import expect_merchant, payer_of
from tests.support.connector_deliveries import NOW, sent


def test_each_word_of_a_table_has_its_meaning() -> None:
    assert meanings(arrived="7 8", failed="2") == {"7": "arrived", "8": "arrived", "2": "failed"}


def test_of_two_states_of_one_second_the_later_one_is_newer_and_none_reaches_the_next_second() -> None:
    life, parts = ("new", "paid", "done"), ("", "some", "all")
    moments = [within_second(Micros(NOW), (life, state), (parts, part)) for state in life for part in parts]
    assert moments == [NOW + rank for rank in range(9)]
    assert within_second(Micros(NOW), (life, "another"), (parts, "another")) == NOW


def test_a_phone_that_cannot_be_read_stays_as_it_was_given() -> None:
    assert payer_of("UA", "050 111 22 33", "Anna@Example.com", card="4441").phone == "+380501112233"
    assert payer_of("UA", "ask Anna", "Anna@Example.com").phone == "ask Anna"
    assert payer_of("UA", "", "Anna@Example.com").email == "anna@example.com"


def test_a_payment_to_another_merchant_is_not_read() -> None:
    expect_merchant("12", "12")
    expect_merchant("", "12")
    expect_merchant("13", "")
    with pytest.raises(Malformed, match="of merchant '13'"):
        expect_merchant("13", "12")


@pytest.mark.parametrize(("phase", "seconds"), [("ringing", 0), ("answered", 5), ("completed", 65)])
def test_a_phase_is_so_many_seconds_after_the_begin(phase: str, seconds: int) -> None:
    assert elapsed(phase, 5, 60) == seconds


def test_the_first_moment_and_the_first_sum_that_can_be_read_count_and_the_others_are_said() -> None:
    reading = ParcelReading()
    parcel: Tree = {
        "never": "0001-01-01 00:00:00",
        "odd": "soon",
        "seen": "2026-09-14 15:24:19",
        "none": "0",
        "cash": "99.5",
    }
    assert reading.moment(parcel, "never", "odd", "seen") == 1789388659000000
    assert reading.minor(parcel, "none", "cash") == 9950
    assert list(reading) == ["odd is not certain: 'soon' is no time."]
    report = reading.report(sent(b"", "text/plain"), "acme", "77", "arrived", "7", None, "7", "later")
    assert (report.key, report.at) == ("77/7/later", NOW)
    assert report.fact.func is ParcelReported  # type: ignore[attr-defined]  # a partial


def test_where_to_is_one_line_without_what_is_empty() -> None:
    to: Tree = {"name": "Anna", "zip": "", "city": "Lviv"}
    assert delivery_of([{"title": "Courier"}], "title", to, "name", "zip", "city") == "Courier, Anna, Lviv"
    assert delivery_of([], "title", None, "name") == ""

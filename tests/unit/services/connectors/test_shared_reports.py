"""What vendors of one kind share: tables of words, moments of coarse clocks, payers, the keys of parcels."""

from datetime import UTC

import pytest

from crm.errors import Malformed
from crm.facts import ParcelReported
from crm.scalars import Micros
from crm.shared import Payer
from services.connectors.calls import clock_of, elapsed
from services.connectors.doubts import Doubts
from services.connectors.formats.exact_json import Tree, base64_object, object_or_empty
from services.connectors.formats.meanings import meanings
from services.connectors.formats.places import text_at, texts_at
from services.connectors.formats.times import from_day_first, from_iso
from services.connectors.orders import delivery_of, within_second
from services.connectors.parcels import ParcelReading
from services.connectors.payments import expect_merchant, part_report, payer_at, payer_of
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


def test_a_place_is_the_first_that_holds_text_and_several_fields_are_joined() -> None:
    order: Tree = {"buyer": {"first": "Anna", "last": ""}, "name": "A. Koval", "id": 7, "flag": True}
    assert text_at(order, "buyer.first buyer.last | name") == "Anna"
    assert text_at(order, "buyer.second | name") == "A. Koval"
    assert text_at(order, "name id") == "A. Koval 7"
    assert text_at(order, "flag | name.first | none") == ""
    assert (text_at(order, ""), payer_at(order, name="name")) == ("", Payer("A. Koval"))
    assert texts_at(order, reference="id", purpose="text") == {"reference": "7", "purpose": ""}


def test_a_sum_that_is_not_certain_is_said_and_one_that_is_not_there_is_not() -> None:
    doubts = Doubts()
    assert doubts.sum_at({"fee": "1.50"}, "fee", "UAH", "the fee is not certain") == 150
    assert doubts.sum_at({}, "fee", "UAH", "the fee is not certain", 7) == 7
    assert doubts == []
    assert doubts.sum_at({"fee": "1.505"}, "fee", "UAH", "the fee is not certain", 7) == 7
    assert len(doubts) == 1


def test_a_report_of_a_part_is_of_its_payment_and_of_its_own_moment() -> None:
    report = part_report(
        "acme", "77", "key", Micros(NOW), "77/1", began_at=Micros(NOW - 1), kind="refund", amount_minor=-5
    )
    assert (report.key, report.sender, report.at) == ("key", "77", NOW)
    said = report.fact.keywords  # type: ignore[attr-defined]  # a partial
    assert (said["payment"], said["part"], said["began_at"], said["changed_at"]) == ("77", "77/1", NOW - 1, NOW)
    assert said["amount_minor"] == 5  # some write what went back with a minus


def test_a_clock_says_when_a_phase_began_and_names_what_could_not_be_read() -> None:
    clock = clock_of({"wait": "5", "talk": "long"}, Micros(NOW), "begin", "wait", "talk")
    assert clock == (NOW, 5, None, "talk could not be read: 'long'")
    assert clock.at("answered", Micros(NOW + 60_000_000)) == NOW + 5_000_000
    assert clock.at("ringing", Micros(NOW + 60_000_000)) == NOW


def test_day_first_times_are_of_their_zone_and_anything_else_is_malformed() -> None:
    assert from_day_first("13.07.2024 01:23:59", UTC) == from_iso("2024-07-13T01:23:59Z")
    assert from_day_first("13.07.2024", UTC) == from_iso("2024-07-13")
    with pytest.raises(Malformed, match="is no moment"):
        from_day_first("2024-07-13", UTC)


def test_an_object_in_base64_is_read_or_malformed_and_an_object_that_cannot_be_read_says_nothing() -> None:
    assert base64_object("eyJhIjoxfQ==") == {"a": 1}
    for damaged in ("eyJhIjox*", "W10=", "і"):
        with pytest.raises(Malformed):
            base64_object(damaged)
    assert object_or_empty(lambda: base64_object("*")) == {}

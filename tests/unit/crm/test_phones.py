"""Telephone numbers are the same when their E.164 is, however they are written."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from crm.phones import phones_in, read_phone
from crm.shared import Phone


@pytest.mark.parametrize(
    "text",
    [
        "+380671234567",
        "380671234567",
        "38 067 123 45 67",
        "0671234567",
        "067 123-45-67",
        "+38(067) 123-45-67",
        "+380 (0) 67 123 45 67",
        "00380671234567",
        "671234567",
        "тел. 067-123-45-67",
        "067\u00a0123\u00a045\u00a067",
        "٠٦٧١٢٣٤٥٦٧",
    ],
)
def test_one_ukrainian_number_in_many_hands(text: str) -> None:
    assert read_phone(text) == Phone(text, "+380671234567")


@pytest.mark.parametrize(
    ("text", "country", "e164", "extension"),
    [
        ("+1 212 555 0100", "UA", "+12125550100", ""),
        ("(85) 90000-0383", "BR", "+5585900000383", ""),
        ("501 234 567", "PL", "+48501234567", ""),
        ("044 123 45 67 дод. 12", "UA", "+380441234567", "12"),
        ("+38 044 123 45 67 вн 3", "UA", "+380441234567", "3"),
        ("044 123 45 67 ext 5", "UA", "+380441234567", "5"),
        ("12.05.1985 0671234567", "UA", "+380671234567", ""),
        ("id 123456 0671234567", "UA", "+380671234567", ""),
        ("0671234567 12.05.1985", "UA", "+380671234567", ""),
        ("0671234567 (50 грн)", "UA", "+380671234567", ""),
        ("<sip:0671234567@10.0.0.1>", "UA", "+380671234567", ""),
        ("sip:+380671234567@10.0.0.1:5060;user=phone", "UA", "+380671234567", ""),
    ],
)
def test_other_countries_and_extensions(text: str, country: str, e164: str, extension: str) -> None:
    assert read_phone(text, country) == Phone(text, e164, extension)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "call me",
        "12",
        "101",
        "067123456",
        "1234567",
        "48 0671234567",
        "0671234567 89",
        "sip:901@10.0.0.1",
        "\0",
        "\ud800",
        "0" * 10_000,
        "+",
        "()",
    ],
)
def test_what_is_no_number_keeps_its_text_only(text: str) -> None:
    assert read_phone(text) == Phone(text, "")


def test_extensions_are_kept_apart() -> None:
    texts = [
        "(044) 234-56-78 вн. 12",
        "044 234 56 78, дод. 12",
        "0442345678x12",
        "044 234-56-78 #12",
        "tel:044-234-56-78;ext=12",
    ]
    assert [read_phone(text) for text in texts] == [Phone(text, "+380442345678", "12") for text in texts]


def test_a_remainder_belongs_to_the_number_before_it() -> None:
    texts = [phone.text for phone in phones_in("067 123 45 67 Олена, 050 123 45 67 Іван")]
    assert texts == ["067 123 45 67 Олена", "050 123 45 67 Іван"]


def test_a_number_with_a_damaged_letter_in_it_is_none() -> None:
    assert phones_in("+49 151 2345678\ufffd") == []
    assert read_phone("067 123 45 67 (Олен\ufffd").e164 == "+380671234567"


@pytest.mark.parametrize("country", ["UA", "PL", "SI", ""])
def test_a_code_of_eleven_digits_that_two_countries_have(country: str) -> None:
    """+386 31 234567 is Slovenia's; +38 063 123 45 67 without its zero is spelled with the same digits."""
    assert read_phone("+386 31 234 567", country).e164 == "+38631234567"
    assert read_phone("+38 (63) 123-45-67", country).e164 == "+380631234567"
    assert read_phone("+38631234567", country).e164 == ("" if country == "UA" else "+38631234567")


def test_two_numbers_that_end_alike_are_not_the_same() -> None:
    assert read_phone("+380671234567").e164 != read_phone("+48671234567").e164 != ""


@settings(deadline=None)
@given(st.from_regex(r"\+?[38]{0,2}[ (]?0\d\d[ )-]?[\d -]{6,10}", fullmatch=True))
def test_the_short_way_gives_what_the_long_way_gives(text: str) -> None:
    """A zero-width mark keeps the text off the short way, and is no part of the number."""
    assert read_phone("\u200b" + text).e164 == read_phone(text).e164


@settings(deadline=None)
@given(st.text())
def test_any_text_is_a_phone_or_none(text: str) -> None:
    phone = read_phone(text)
    assert phone.text == text
    assert phone.e164 == "" or (phone.e164[0] == "+" and phone.e164[1:].isdecimal() and phone.e164.isascii())
    assert read_phone(phone.e164).e164 == phone.e164 or phone.e164 == ""

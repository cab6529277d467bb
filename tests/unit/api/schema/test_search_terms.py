"""The text of a search, parsed into terms."""

import pytest

from api.errors import BadInput
from api.schema.search_terms import SearchTerms, matched_fields, parse_terms, stem
from projections import PROJECTIONS


@pytest.mark.parametrize(
    ("text", "words", "number"),
    [
        ("Олена Шевченко", ("olena", "shevtshenko"), None),
        ("Shevchenko, OLENA", ("shevtshenko", "olena"), None),
        ("067 123-45-67", ("671234567",), None),
        ("+38 (067) 1234567", ("380671234567",), None),
        ("00380671234567", ("380671234567",), 380671234567),
        ("4567", ("4567",), 4567),
        ("D-7", (), 7),
        ("д-7", (), 7),
        ("#7", (), 7),
        ("7", ("7",), 7),
        ("olena@exam", ("olena", "eksam"), None),
        ("раз раз два три чотири п'ять шість сім", ("raz", "dva", "tri", "tshotiri", "piat", "shist"), None),
    ],
)
def test_words_of_a_text(text: str, words: tuple[str, ...], number: int | None) -> None:
    assert parse_terms(text) == SearchTerms(words, number)


@pytest.mark.parametrize("text", ["", " ", "а", "% _ \\", "'", "a b c", "+"])
def test_a_short_text_is_refused(text: str) -> None:
    with pytest.raises(BadInput, match="two letters, four digits or a deal's number"):
        parse_terms(text)


def test_a_long_text_is_refused() -> None:
    with pytest.raises(BadInput, match="`text` has 201 characters"):
        parse_terms("a" * 201)


def test_patterns_are_beginnings_of_words_and_any_part_of_a_number() -> None:
    assert parse_terms("Олена 67123").patterns == ["% olena%", "%67123%"]


def test_an_ending_is_not_looked_at_in_long_texts() -> None:
    assert {stem(word) for word in ("dostavka", "dostavku", "dostavki")} == {"dostavk"}
    assert [stem(word) for word in ("olia", "aeiou", "7")] == ["olia", "aeiou", "7"]
    assert parse_terms("доставка столу").query == "'dostavk':* & 'stol':*"


@pytest.mark.parametrize(
    ("text", "fields"),
    [
        ("Shevchenko", ["name"]),
        ("0671234567", ["phones"]),
        ("olena", ["name", "emails"]),
        ("Shevcenko", ["name"]),
        ("example", ["emails"]),
    ],
)
def test_a_hit_names_its_matching_fields(text: str, fields: list[str]) -> None:
    row = {"name": "Олена Шевченко", "phones": ["+380671234567"], "emails": ["olena@example.com"]}
    assert matched_fields(parse_terms(text), PROJECTIONS["contact"], row) == fields


def test_a_deal_is_found_by_its_number() -> None:
    row = {"title": "Стіл 7", "reference": "", "number": 7}
    assert matched_fields(parse_terms("7"), PROJECTIONS["deal"], row) == ["title", "number"]
    assert matched_fields(parse_terms("D-7"), PROJECTIONS["deal"], row | {"title": "Шафа"}) == ["number"]

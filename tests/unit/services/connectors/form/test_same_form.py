"""By what a form is the same: its vendor's id, else what it means and when it was sent."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from crm.facts import FormSubmitted
from tests.support.connector_deliveries import NOW, connection, only
from tests.support.rehearse import form, json_form

SITE = connection("form")
HOUR = 3_600_000_000
WISH = {"name": "Данута Ворон", "phone": "0671234568", "message": "Потрібна консультація"}
CLOCKS = ("g-recaptcha-response", "_wpnonce", "timestamp", "time_on_page", "session_id", "gclid", "attempt", "_ga")


def read(fields: dict[str, Any], at: int = NOW) -> FormSubmitted:
    fact = only(SITE, json_form(fields), at)
    assert isinstance(fact, FormSubmitted)
    return fact


@given(st.permutations([*WISH]), st.dictionaries(st.sampled_from(CLOCKS), st.text("abc012", max_size=9)))
def test_neither_order_nor_clocks_nor_tokens_make_another_form(order: list[str], clocks: dict[str, str]) -> None:
    once, again = read(WISH), read({**clocks, **{name: WISH[name] for name in order}})
    assert (once.meta.id, once.digest) == (again.meta.id, again.digest)


@given(st.sampled_from(["name", "message"]), st.text("абв", min_size=3, max_size=9))
def test_another_word_is_another_form(name: str, value: str) -> None:
    assert read(WISH).meta.id != read(WISH | {name: WISH[name] + " " + value}).meta.id


def test_a_question_is_the_same_for_every_sender() -> None:
    """The decision compares it with what the same person asked before, also after a number was put right."""
    assert read(WISH).digest == read(WISH | {"name": "Данута", "phone": "067 123 45"}).digest
    assert read(WISH).digest != read(WISH | {"message": "Хочу замовити"}).digest


def test_the_page_that_only_a_header_says_is_a_part_of_it() -> None:
    """The same form on two products' pages was one within ten minutes."""
    headers, body = json_form(WISH)
    one, two = (only(SITE, (headers | {"referer": f"https://a.com.ua/{page}"}, body)) for page in ("shafa", "stil"))
    assert one.meta.id != two.meta.id


@pytest.mark.parametrize(
    "ids",
    [
        {"submission_id": "sub-1234"},
        {"entry_id": 57},
        {"order_key": "wc_order_1", "total": "5"},
        {"lead_id": "l-123456"},
        {"id": 7, "formId": "f"},
        {"submitted_at": "2026-10-05T09:02:00Z"},
    ],
)
def test_what_says_which_submission_it_is_is_the_same_for_ever(ids: dict[str, Any]) -> None:
    """Eleven minutes later it was a second lead."""
    assert read(WISH | ids).meta.id == read(WISH | ids, NOW + HOUR).meta.id
    other = WISH | {"phone": "0501112239"}
    assert read(WISH | ids).meta.id != read(other | ids).meta.id or "order_key" in ids


def test_a_form_that_says_nothing_of_it_is_known_by_what_it_says() -> None:
    later = read(WISH, NOW + HOUR)
    assert read(WISH).meta.id != later.meta.id
    assert read(WISH).digest == later.digest  # the decision sees that it is the same


def test_a_urlencoded_form_and_json_mean_the_same() -> None:
    assert only(SITE, form(WISH)).digest == read(WISH).digest

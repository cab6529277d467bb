"""Which side of a leg is ours."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.connectors.call_sides import Sides, number, sides_of

LINE, MOBILE, CALLER = "+380441234567", "+380509990077", "+380671234567"
OWN = f"{LINE}, 050 999 00 77, 10101"


def side(caller: str, called: str, said: str = "", own: str = OWN, **how: bool) -> tuple[str, str, str, str, bool]:
    found = sides_of(caller, called, own, "UA", said, **how)
    return (found.direction, found.phone.e164 or found.phone.text, found.line, found.employee, found.internal)


@pytest.mark.parametrize(
    ("caller", "called", "expected"),
    [
        (CALLER, LINE, ("in", CALLER, LINE, "", False)),
        ("0671234567", "380441234567", ("in", CALLER, "380441234567", "", False)),
        (LINE, CALLER, ("out", CALLER, LINE, "", False)),
        ("901", "0671234567", ("out", CALLER, "", "901", False)),
        (CALLER, "sip:901@pbx.example", ("in", CALLER, "", "901", False)),
        ("anonymous", "901", ("in", "anonymous", "", "901", False)),
        ("+266696687", "901", ("in", "anonymous", "", "901", False)),  # the word by the letters of the keys
        ("", LINE, ("in", "", LINE, "", False)),
        ("901", "902", ("", "", "", "902", True)),
        ("901", "10101", ("", "", "", "", True)),
        ("901", MOBILE, ("", "", "", "", True)),
        ("voicemail", "", ("", "", "", "", True)),
        (CALLER, "client:anna", ("in", CALLER, "", "anna", False)),
        (CALLER, "s", ("in", CALLER, "s", "", False)),
        ("+380501230077", CALLER, ("", "", "", "", True)),
    ],
)
def test_who_is_outside(caller: str, called: str, expected: tuple[object, ...]) -> None:
    assert side(caller, called) == expected


def test_the_vendors_word_counts_where_neither_number_is_known_as_ours() -> None:
    assert side("+380501230077", CALLER, "out") == ("out", CALLER, "+380501230077", "", False)
    assert side("+380501230077", CALLER, "in") == ("in", "+380501230077", CALLER, "", False)
    assert side(CALLER, LINE, "out") == ("in", CALLER, LINE, "", False)


def test_a_leg_that_joins_somebody_names_no_customer() -> None:
    assert side(CALLER, MOBILE, joins=True) == ("in", CALLER, "", MOBILE, False)
    assert sides_of("901", CALLER, OWN, "UA", joins=True) == Sides(internal=True, note=f"this leg called {CALLER}")
    assert side("901", CALLER, joins=True, beyond=True) == ("out", CALLER, "", "901", False)


def test_digits_in_full_international_form_get_their_plus() -> None:
    assert [number(text) for text in ("442079460000", "0671234567", "901", "anonymous")] == [
        "+442079460000", "0671234567", "901", "anonymous",
    ]  # fmt: skip


@given(st.text(), st.text(), st.text(), st.sampled_from(("", "in", "out")), st.booleans(), st.booleans())
def test_any_texts_have_sides(caller: str, called: str, own: str, said: str, joins: bool, beyond: bool) -> None:
    found = sides_of(caller, called, own, "UA", said, joins, beyond)
    assert found.internal == (found.direction == "")
    assert not (found.internal and found.phone.text)

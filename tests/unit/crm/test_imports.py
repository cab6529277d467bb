"""A text is guarded from spreadsheets, and an import takes the guard away."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from crm.imports import guarded, unguarded


@pytest.mark.parametrize(
    ("text", "safe"),
    [
        ("=1+1", "'=1+1"),
        ("@x", "'@x"),
        ("-2+3*cmd|' /C calc'!A0", "'-2+3*cmd|' /C calc'!A0"),
        ("+380 (50) 111-22-33", "+380 (50) 111-22-33"),
        ("-5.00", "-5.00"),
        ("Олена", "Олена"),
        ("", ""),
    ],
)
def test_what_would_be_run_is_not(text: str, safe: str) -> None:
    assert guarded(text) == safe


@given(st.text().filter(lambda text: not (text[:1] == "'" and text[1:2] in tuple("=+-@\t\r"))))
def test_a_guard_is_taken_away_again(text: str) -> None:
    assert unguarded(guarded(text)) == text

"""application/x-www-form-urlencoded: the pass for usual bodies reads what the one for all others does."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.connectors.formats.nested_names import nest
from services.connectors.formats.urlencoded import pairs_in, texts_in

PIECES = [b"%D0%9E", b"%d1%96", b"%26", b"%3D", b"%2B", b"%25", b"%0D%0A", b"%20", b"%00", b"%5B", b"[", b"]"]
PIECES += [b"a", b"Z", b"0", b"=", b"&", b"+", b"%", b"_", b".", b"~", b" ", b"\t", b"\r\n", b"\n", "ї".encode()]


@given(st.lists(st.sampled_from(PIECES), max_size=30).map(b"".join))
def test_both_passes_read_the_same(body: bytes) -> None:
    """Escapes are decoded as quoted-printable, which has rules of its own for ends of lines and for a bare sign."""
    texts = texts_in(body, "")
    assert texts is None or texts == [(name.decode(), value.decode()) for name, value in pairs_in(body)]


@pytest.mark.parametrize(
    "body", [b"a=%", b"a=%2", b"a=%zz", b"a=%u041E", b"a=%1E", b"a=\x1f", b"_charset_=x", b"a=%FF"]
)
def test_a_body_that_may_be_read_otherwise_is_left_to_the_other_pass(body: bytes) -> None:
    assert texts_in(body, "") is None


def test_the_shape_of_names_is_kept_and_the_values_are_not() -> None:
    """The shape of a form is found once; each form has containers of its own."""
    names = ("a[0][x]", "a[1][x]", "b", "b", "c[y]", "c[z][]")
    first = nest([(name, f"1{name}") for name in names])
    again = nest([(name, f"2{name}") for name in names])
    assert first == {
        "a": [{"x": "1a[0][x]"}, {"x": "1a[1][x]"}],
        "b": ["1b", "1b"],
        "c": {"y": "1c[y]", "z": ["1c[z][]"]},
    }
    first["a"] = first["c"] = ""
    assert again == {
        "a": [{"x": "2a[0][x]"}, {"x": "2a[1][x]"}],
        "b": ["2b", "2b"],
        "c": {"y": "2c[y]", "z": ["2c[z][]"]},
    }

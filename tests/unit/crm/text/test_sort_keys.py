"""Names sort as in a phone book, and are found by their beginnings."""

from unicodedata import normalize

from hypothesis import given
from hypothesis import strategies as st

from crm.text.sort_keys import LAST, LONGEST, sort_key

LETTERS = st.text(st.sampled_from("абвгґдеєжиіїйьюя АЄЇҐabcéèłÉz'’-09"), max_size=40)


def test_names_sort_in_the_ukrainian_alphabet_whatever_their_case() -> None:
    names = ["", "9 life", "Adam", "émile", "Zoe", "анна", "Ганна", "ґанна", "Дарина", "Емма", "Євген", "Захар"]
    names += ["Игорь", "Іван", "їжак", "Йосип", "Карина", "Яна"]
    assert sorted(reversed(names), key=sort_key) == names


def test_spellings_of_one_text_have_one_key() -> None:
    assert sort_key("  Їжак \t Й. ") == sort_key(normalize("NFD", "їжак й.")) == sort_key("ЇЖАК Й.")
    assert sort_key("Straße") == sort_key("STRASSE")
    assert sort_key("émile").startswith(sort_key("em"))
    assert sort_key("ѓ") == sort_key("г")
    assert not sort_key("Іван").startswith(sort_key("и"))


@given(LETTERS, LETTERS)
def test_the_key_of_a_beginning_is_the_beginning_of_the_key(begin: str, rest: str) -> None:
    assert sort_key(f"x{begin}{rest}").startswith(sort_key(f"x{begin}"))


@given(st.text())
def test_a_key_is_short_and_has_no_character_above_all_others(name: str) -> None:
    key = sort_key(name)
    assert len(key) <= LONGEST
    assert LAST not in key
    assert len(key.encode("utf-8", "surrogatepass")) <= 4 * LONGEST

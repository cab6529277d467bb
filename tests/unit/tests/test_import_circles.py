"""The checker of import circles finds injected ones."""

from tests.support.import_circles import circles


def test_no_circle() -> None:
    assert circles({"a": {"b", "c"}, "b": {"c"}, "c": set()}) == []


def test_a_pair() -> None:
    assert circles({"a": {"b"}, "b": {"a"}, "c": {"a"}}) == [["a", "b"]]


def test_a_long_way_round_and_another_one() -> None:
    imports = {"a": {"b"}, "b": {"c"}, "c": {"d"}, "d": {"b", "e"}, "e": set(), "x": {"y"}, "y": {"x"}}
    assert circles(imports) == [["b", "c", "d"], ["x", "y"]]

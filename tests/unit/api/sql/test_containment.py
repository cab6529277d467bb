"""Two filters on one custom field: a row contains the merged value exactly when it contains both."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from api.sql.containment import NEVER, needle


def contains(left: Any, right: Any) -> bool:
    """As jsonb's @> has it below an object: https://www.postgresql.org/docs/current/datatype-json.html."""
    if isinstance(right, dict):
        return isinstance(left, dict) and all(name in left and contains(left[name], right[name]) for name in right)
    if isinstance(right, list):
        return isinstance(left, list) and all(any(contains(one, wanted) for one in left) for wanted in right)
    return type(left) is type(right) and bool(left == right)


SCALARS = st.sampled_from([None, True, False, 0, 1, 2, "", "a", "never"])
VALUES = st.recursive(
    SCALARS, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from("xy"), inner, max_size=2)
)
NAMES = st.sampled_from("ab")


@given(st.lists(st.tuples(NAMES, VALUES), max_size=4), st.dictionaries(NAMES, VALUES))
def test_the_needle_is_all_of_them_together(wanted: list[tuple[str, Any]], row: dict[str, Any]) -> None:
    each = all(contains(row, {name: value}) for name, value in wanted)
    assert contains(row, needle(wanted)) == each


@given(st.lists(st.tuples(NAMES, VALUES), max_size=4))
def test_contradicting_filters_find_nothing(wanted: list[tuple[str, Any]]) -> None:
    """The widest row that could have all of it is tried in each way that it could be put together."""
    if needle(wanted) == NEVER:
        rows = [dict(wanted), dict(reversed(wanted))]
        assert not any(all(contains(row, {name: value}) for name, value in wanted) for row in rows)


@pytest.mark.parametrize(
    ("wanted", "found"),
    [
        ([], {}),
        ([("a", 1), ("b", 2)], {"a": 1, "b": 2}),
        ([("a", 1), ("a", 1)], {"a": 1}),
        ([("a", 1), ("a", 2)], NEVER),  # the second was looked for alone
        ([("a", 1), ("a", True)], NEVER),
        ([("a", "x"), ("a", ["x"])], NEVER),
        ([("a", ["x"]), ("a", ["y"])], {"a": ["x", "y"]}),
        ([("a", {"x": 1, "y": [1]}), ("a", {"z": 2, "y": [2]})], {"a": {"x": 1, "y": [1, 2], "z": 2}}),
        ([("a", {"x": 1}), ("a", {"x": 2})], NEVER),
    ],
)
def test_the_needle(wanted: list[tuple[str, Any]], found: Any) -> None:
    assert needle(wanted) == found

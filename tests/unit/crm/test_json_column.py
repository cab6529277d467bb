"""A JSON column holds JSON: values are encoded by type, texts that are no JSON are refused."""

import json
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from crm import json_of
from crm.events import DealOpened
from crm.json_column import check, encoded
from crm.projection import Projection, projection
from crm.scalars import Id
from projections.deal import DealRow, deal, opened
from streams.project import ProjectionBatch
from tests.support.scenarios import SHOP, meta

PLAIN = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**63), 2**63 - 1) | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    max_leaves=5,
)


def test_each_value_is_encoded_by_its_type() -> None:
    values = {"source": "facebook", "id": "7", "n": 7, "sum": Decimal("12345678901234567890.10"), "no": None}
    assert json_of(values) == {
        "source": '"facebook"',
        "id": '"7"',
        "n": "7",
        "sum": "12345678901234567890.10",
        "no": "null",
    }
    assert encoded(json_of({"a": "1", "б": [1, {"c": None}]})) == '{"a":"1","б":[1,{"c":null}]}'.encode()


@given(st.dictionaries(st.text(), PLAIN))
def test_what_is_encoded_is_read_as_it_was(values: dict[str, Any]) -> None:
    assert json.loads(encoded(json_of(values))) == values


@pytest.mark.parametrize("text", ["facebook", "", " ", '1, "x": 2', '"a","b":"c"', "NaN", "[1", "'a'", "\ud800", 7])
def test_what_is_no_json_text_is_refused(text: Any) -> None:
    """`1, "x": 2` made a second field of the column, which Postgres could not notice."""
    with pytest.raises(ValueError, match=r"of 'source' is no JSON text; make the column with json_of\(\.\.\.\)"):
        check({"id": "7", "source": text})
    with pytest.raises(ValueError):
        encoded({"source": text})


@projection(key="deal_id", version=1)
def careless(row: DealRow | None, event: DealOpened) -> DealRow | None:
    """The planted mistake: utm labels are plain texts in the event."""
    return replace(opened(event), utm=event.utm)


def folded(under_test: Projection[Any]) -> ProjectionBatch:
    event = DealOpened(
        meta("d", stream=SHOP), SHOP, Id(SHOP), 7, "", 0, "UAH", "new", "form", utm={"source": "facebook"}
    )
    batch = ProjectionBatch(under_test, [event])
    batch.fold()
    return batch


def test_the_project_role_halts_a_projection_that_writes_no_json() -> None:
    """Postgres refused the whole transaction with `invalid input syntax for type json` and named neither column nor
    projection."""
    with pytest.raises(ValueError, match="value 'facebook' of 'source' is no JSON text") as error:
        folded(careless)
    assert error.value.__notes__ == [f"careless.utm of row {SHOP}"]
    (row,) = folded(deal).after.values()
    assert row is not None
    assert row.utm == {"source": '"facebook"'}

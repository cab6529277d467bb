"""Types of objects: defined and redefined by one command, with columns for their indexed fields."""

from typing import Any

import pytest

from crm.commands import Code
from crm.events import FactQuarantined, ObjectTypeDefined
from tests.support.object_scenarios import SELLER, marketplace, reported
from tests.support.operator_session import operator_session
from tests.support.scenarios import an


def test_a_type_is_redefined_and_a_file_may_be_sent_again() -> None:
    session = marketplace().then(an(ObjectTypeDefined, key="seller", statuses=("new", "active", "blocked")))
    assert [field.slot for field in session.events[0].fields] == ["slot1", "slot2", "", "", "", "", ""]
    session.refuses("object_type_define", "", Code.UNCHANGED, **SELLER)
    fewer = SELLER | {"fields": [{"key": "since", "type": "date", "indexed": True}, SELLER["fields"][0]]}
    session.do("object_type_define", **fewer)
    assert [(field.key, field.slot) for field in session.events[0].fields] == [("since", "slot2"), ("rating", "slot1")]


def test_a_column_with_values_is_given_to_no_other_field() -> None:
    session = marketplace().when(reported(fields={"rating": 5}))
    session.do("object_type_define", key="seller", fields=[{"key": "city", "type": "text", "indexed": True}])
    assert [(field.key, field.slot) for field in session.events[0].fields] == [("city", "slot2")]
    session.do("object_type_define", key="seller", fields=[{"key": "n", "type": "number", "indexed": True}])
    assert [(field.key, field.slot) for field in session.events[0].fields] == [("n", "slot2")]
    session.do("object_type_define", key="seller", fields=[{"key": "rating", "type": "number", "indexed": True}])
    assert [(field.key, field.slot) for field in session.events[0].fields] == [("rating", "slot1")]


def test_the_type_of_a_field_with_values_does_not_change() -> None:
    session = marketplace()
    text = [{"key": "rating", "type": "text"}]
    session.do("object_type_define", key="seller", fields=text)
    session.when(reported(fields={"rating": "high"}))
    number = [{"key": "rating", "type": "number"}]
    for definition in ([], text):  # also when it is no longer defined
        if definition != text:
            session.do("object_type_define", key="seller", fields=definition)
        message = session.refuses("object_type_define", "fields", Code.INVALID, key="seller", fields=number)
        assert message == (
            "The field 'rating' takes text and has values, which stay. Use another key for a number. "
            "Nothing was changed."
        )


@pytest.mark.parametrize(
    ("said", "field", "message"),
    [
        ({"key": "Seller"}, "key", "'Seller' is no key of a type"),
        ({"key": "deal"}, "key", "'deal' is no key of a type"),
        (
            {"fields": [{"key": f"f{n}", "type": "text"} for n in range(10_000)]},
            "fields",
            "A type has at most 200 fields, and 10000 were given. Nothing was changed. Use several types with "
            "relations.",
        ),
        (
            {"fields": [{"key": f"f{n}", "type": "text", "indexed": True} for n in range(9)]},
            "fields",
            "At most 8 fields of a type are indexed, those included that were and have values. 8 are free, and 9 more "
            "were asked for. Nothing was changed.",
        ),
        ({"fields": [{"key": "a", "type": "text"}] * 2}, "fields", "The field 'a' is given twice."),
        ({"fields": [{"key": " a", "type": "text"}]}, "fields", "The field ' a' is no key of a field"),
        ({"fields": [{"key": "status", "type": "text"}]}, "fields", "The field 'status' is no key of a field"),
        ({"fields": [{"key": "a", "type": "choice"}]}, "fields", "The field 'a' needs options"),
        ({"fields": [{"key": "a", "type": "relation"}]}, "fields", "The field 'a' needs a target"),
        ({"fields": [{"key": "a", "type": "relation", "target": "A b"}]}, "fields", "The field 'a' points to 'A b'"),
        (
            {"fields": [{"key": "a", "type": "choices", "options": ["x"], "indexed": True}]},
            "fields",
            "The field 'a' is a list of choices",
        ),
    ],
)
def test_a_definition_that_cannot_be_is_refused(said: dict[str, Any], field: str, message: str) -> None:
    session = operator_session()
    given = session.refuses("object_type_define", field, Code.INVALID, **{"key": "x", **said})
    assert given.startswith(message)


def test_a_workspace_has_at_most_50_types() -> None:
    session = operator_session()
    for n in range(50):
        session.do("object_type_define", key=f"t{n}")
    message = session.refuses("object_type_define", "key", Code.INVALID, key="t50")
    assert message == "There are 50 types of objects already, which is the most. Nothing was changed."


def test_reports_of_a_retired_type_are_quarantined() -> None:
    session = marketplace().do("object_type_retire", key="seller").when(reported(status="new"))
    session.then(an(FactQuarantined))
    assert session.events[0].reason.startswith("The type of objects 'seller' was retired. The report is kept.")
    session.refuses("object_type_retire", "key", Code.NOT_FOUND, key="seller")

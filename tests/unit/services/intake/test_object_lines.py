"""Lines of POST /facts that report objects of a workspace's own."""

import json
from typing import Any

import pytest

from crm.envelope import Fact
from crm.facts import FormSubmitted, ObjectReported
from crm.scalars import Id, Micros
from services.intake.fact_lines import parse_line
from services.intake.refusals import Refusal
from services.intake.values import LineContext
from tests.support.scenarios import NOON

ID = Id("00000000-0000-4000-8000-00000000000a")
CONTEXT = LineContext(ID, ID, Micros(NOON))


def parsed(**said: Any) -> Fact:
    line = {"type": "ObjectReported", "object": "seller", "key": "42", **said}
    return parse_line(json.dumps(line).encode(), lambda: ID, CONTEXT)


def test_a_status_is_the_workspaces_own_word_and_null_in_fields_removes() -> None:
    fact = parsed(status="on holiday", title=None, fields={"city": None, "tags": [None, 1]}, deleted=None)
    assert isinstance(fact, ObjectReported)
    assert (fact.status, fact.title, fact.deleted) == ("on holiday", None, None)
    assert fact.fields == {"city": "null", "tags": "[null, 1]"}


def test_in_a_form_null_still_means_not_given() -> None:
    line = b'{"type": "FormSubmitted", "fields": {"city": null, "size": "L"}}'
    fact = parse_line(line, lambda: ID, CONTEXT)
    assert isinstance(fact, FormSubmitted) and fact.fields == {"size": '"L"'}


def test_reports_of_one_object_have_one_order() -> None:
    one, other, third = parsed(status="a"), parsed(title="b"), parsed(key="43")
    assert one.meta.stream == other.meta.stream != third.meta.stream


MANY = "It has 201 fields; an object has at most 200. Use several types with relations."
BLANKS = "The key '42 ' has blanks around it: two keys would look the same. Send it without them."
TYPE = "`object` is the key of a type: a to z, 0 to 9 and _, at most 40, a letter first."


@pytest.mark.parametrize(
    ("said", "field", "sentence"),
    [
        ({"key": "42 "}, "key", BLANKS),
        ({"key": ""}, "key", "A key has 1 to 200 characters, and this one has 0."),
        ({"merged_into": "42"}, "merged_into", "An object cannot be merged into itself."),
        ({"object": "Seller"}, "object", TYPE),
        ({"version": 0}, "version", "A version is a whole number from 1 on."),
        ({"version": 2**63}, "version", "In `version`: it does not fit into 64 bits."),
        ({"fields": {f"f{n}": n for n in range(201)}}, "fields", MANY),
        ({"key": 42}, "key", "Expected `str`, got `int` in `key`. Send it as text, in quotes."),
        (
            {"version": "7"},
            "version",
            "Expected `int | null`, got `str` in `version`. Send a whole number, without quotes.",
        ),
        ({"fields": {"": 1}}, "fields", "The key of a field has 1 to 100 characters."),
    ],
)
def test_a_line_that_can_never_be_taken_is_refused_with_a_sentence(
    said: dict[str, Any], field: str, sentence: str
) -> None:
    with pytest.raises(Refusal) as refused:
        parsed(**said)
    assert (refused.value.field, str(refused.value)) == (field, sentence)


def test_a_form_has_no_more_fields_than_connectors_keep() -> None:
    """One of 10,000 fields became a deal that had all of them, each in the index of values."""
    line = {"type": "FormSubmitted", "phones": ["0671112233"], "fields": {f"f{n}": n for n in range(501)}}
    with pytest.raises(Refusal) as refused:
        parse_line(json.dumps(line).encode(), lambda: ID, CONTEXT)
    assert (refused.value.field, str(refused.value)) == (
        "fields",
        "It has 501 fields; a form has at most 500. Leave out some, or put several into one as a list or an object.",
    )


@pytest.mark.parametrize(
    ("said", "hint"),
    [
        ({"phones": "0671112233"}, "Expected `array`, got `str` in `phones`. Send a list, in brackets."),
        ({"name": 7}, "Expected `str`, got `int` in `name`. Send it as text, in quotes."),
        ({"occurred_at": "2026-01-01"}, "Write a time with its zone, such as 2026-11-25T12:00:00+02:00."),
        ({"occurred_at": 1.5}, "Write a time with its zone, such as 2026-11-25T12:00:00+02:00."),
        ({"amount": 12.5}, 'Send it as text, such as "12.50": a JSON number may be rounded.'),
    ],
)
def test_a_value_of_another_kind_is_refused_with_what_to_send(said: dict[str, Any], hint: str) -> None:
    with pytest.raises(Refusal) as refused:
        parse_line(json.dumps({"type": "FormSubmitted", **said}).encode(), lambda: ID, CONTEXT)
    assert hint in str(refused.value)

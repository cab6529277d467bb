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
        ({"fields": {"": 1}}, "fields", "The key of a field has 1 to 100 characters."),
    ],
)
def test_a_line_that_can_never_be_taken_is_refused_with_a_sentence(
    said: dict[str, Any], field: str, sentence: str
) -> None:
    with pytest.raises(Refusal) as refused:
        parsed(**said)
    assert (refused.value.field, str(refused.value)) == (field, sentence)

"""Lines of POST /facts that update a record: which moment they have, what null means, which keys are refused."""

import json
from typing import Any

import pytest

from crm.envelope import named_id
from crm.facts import ContactReported, DealReported
from crm.moments import written
from crm.scalars import Id, Micros
from crm.shared import Phone
from services.intake.avro_file import read_container
from services.intake.fact_lines import parse_line
from services.intake.refusals import Refusal
from services.intake.values import LineContext
from tests.support.facts_suite import container
from tests.support.scenarios import MINUTE, NOON

ID = Id("00000000-0000-4000-8000-00000000000a")
CONTEXT = LineContext(ID, ID, Micros(NOON))


def read(**line: Any) -> Any:
    return parse_line(json.dumps({"type": "DealReported", "key": "17", **line}).encode(), lambda: ID, CONTEXT)


def test_a_report_gives_any_subset_of_fields() -> None:
    report = read(system="shop", amount="12.50", fields={"a": 1, "b": None}, title=None, phones=["050 123 45 67"])
    assert isinstance(report, DealReported)
    assert (report.system, report.key, report.title, report.stage, report.deleted) == ("shop", "17", None, None, None)
    assert (report.amount_minor, report.currency) == (1250, "UAH")
    assert report.fields == {"a": "1", "b": "null"}
    assert report.phones == (Phone("050 123 45 67", "+380501234567"),)
    assert (read().system, read().amount_minor, read(amount="5 EUR").currency) == ("api", None, "EUR")


def test_null_removes_a_field_of_a_report_and_is_nothing_in_a_form() -> None:
    form = parse_line(b'{"type":"FormSubmitted","fields":{"a":1,"b":null}}', lambda: ID, CONTEXT)
    contact = parse_line(b'{"fields":{"b":null},"name":null,"key":"1","type":"ContactReported"}', lambda: ID, CONTEXT)
    assert isinstance(contact, ContactReported)
    assert (getattr(form, "fields", None), contact.fields, contact.name) == ({"a": "1"}, {"b": "null"}, None)


def test_a_report_happened_when_its_source_changed_it() -> None:
    earlier, ahead = Micros(NOON - MINUTE), Micros(NOON + MINUTE)
    assert read(changed_at=written(earlier)).meta.occurred_at == earlier
    assert read(changed_at=ahead).meta.occurred_at == NOON
    assert read(changed_at=earlier, occurred_at=NOON - 2 * MINUTE).meta.occurred_at == NOON - 2 * MINUTE
    assert read().meta.occurred_at == NOON


def test_reports_of_one_key_are_in_one_order_unless_the_sender_names_another() -> None:
    assert read(system="shop").meta.stream == named_id(ID, "sender/shop:17")
    assert read(sender="42").meta.stream == read(ordered_by="42").meta.stream == named_id(ID, "sender/42")


@pytest.mark.parametrize(
    ("line", "field", "message"),
    [
        ({"key": "17 "}, "key", "In `key`: '17 ' is empty or has blanks around it. Send it exactly as it is stored."),
        ({"key": "k" * 197}, "key", "In `key`: system and key are longer than 200 characters together."),
        ({"system": "email"}, "system", "'email' means something else already. Choose another name of the system."),
        ({"version": 2**63}, "version", "In `version`: it does not fit into 64 bits."),
        ({"merged_into": "17"}, "merged_into", "'17' cannot be merged into itself."),
        ({"fields": {"": 1}}, "fields", "In `fields`: the name '' has 0 characters; it has 1 to 200."),
        ({"fields": {str(n): n for n in range(501)}}, "fields",
         "It has 501 fields; a report has at most 500. Send it in parts."),
    ],
)  # fmt: skip
def test_a_report_that_cannot_be_taken_is_refused(line: dict[str, Any], field: str, message: str) -> None:
    with pytest.raises(Refusal) as refusal:
        read(**line)
    assert (refusal.value.code, refusal.value.field, str(refusal.value)) == ("INVALID_VALUE", field, message)


def test_reports_come_in_avro_files_too() -> None:
    shape = {
        "type": "record",
        "name": "DealReported",
        "fields": [
            {"name": "key", "type": "string"},
            {"name": "stage", "type": ["null", "string"]},
            {"name": "version", "type": "long"},
            {"name": "fields", "type": {"type": "map", "values": ["null", "long"]}},
        ],
    }
    body = container(shape, {"key": "17", "stage": None, "version": 7, "fields": {"a": None, "b": 2}})
    (line,) = read_container(body)
    assert isinstance(line, bytes)
    report = parse_line(line, lambda: ID, CONTEXT)
    assert isinstance(report, DealReported)
    assert (report.stage, report.version, report.fields) == (None, 7, {"a": "null", "b": "2"})

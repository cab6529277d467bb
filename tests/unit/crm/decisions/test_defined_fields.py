"""Definitions apply to forms: text becomes a number, a yes, a day, an option; what does not fit stays and is said."""

import json
from typing import Any

import pytest

from crm.events import DealOpened
from crm.shared import AssignmentRule
from tests.support.operator_session import operator_session
from tests.support.scenarios import form, shop

OPTIONS = ("Стандарт", "Преміум", "Під ключ, з меблями")
CASES: list[tuple[str, Any, Any]] = [
    ("number", "2", "2"),
    ("number", "2,0", "2.0"),
    ("number", "54,50", "54.50"),
    ("number", "120 000", "120000"),
    ("number", "1 234,5", "1234.5"),
    ("number", "1.234,56", "1234.56"),
    ("number", "1,234.56", "1234.56"),
    ("number", "12345678901234567890.123", "12345678901234567890.123"),
    ("number", "0", "0"),
    ("number", "-3", "-3"),
    ("number", "120 м²", "120"),
    ("number", ["7"], "7"),
    ("boolean", "on", "true"),
    ("boolean", " Так ", "true"),
    ("boolean", "Так, передзвоніть", "true"),
    ("boolean", "Ні, дякую!", "false"),
    ("boolean", "ні", "false"),
    ("boolean", 1, "true"),
    ("boolean", ["0", "1"], "true"),
    ("boolean", "x", "true"),
    ("date", "2026-12-01", '"2026-12-01"'),
    ("date", "01.12.2026", '"2026-12-01"'),
    ("date", "1.12.26", '"2026-12-01"'),
    ("date", "31/12/2026", '"2026-12-31"'),
    ("date", "12/31/2026", '"2026-12-31"'),
    ("date", "25 грудня 2026 р.", '"2026-12-25"'),
    ("date", "2026-11-30T22:00:00.000Z", '"2026-12-01"'),
    ("date", "01.12.2026 14:00", '"2026-12-01"'),
    ("time", "2026-12-01T10:00:00Z", '"2026-12-01T10:00:00Z"'),
    ("time", "2026-12-01T10:00", '"2026-12-01T10:00:00+02:00"'),
    ("time", "01.07.2026 09:30", '"2026-07-01T09:30:00+03:00"'),
    ("choice", "преміум ", '"Преміум"'),
    ("choice", ["Преміум"], '"Преміум"'),
    ("choice", "ПІД КЛЮЧ,  з меблями", '"Під ключ, з меблями"'),
    ("choices", "преміум", '["Преміум"]'),
    ("choices", "стандарт, Преміум", '["Стандарт","Преміум"]'),
    ("choices", "Під ключ, з меблями", '["Під ключ, з меблями"]'),
    ("choices", ["стандарт ", "преміум"], '["Стандарт","Преміум"]'),
    ("text", "0071", '"0071"'),
    ("text", 71, '"71"'),
]
UNREAD = [
    ("number", "два поверхи", "a number"),
    ("number", "1,500", "a number"),
    ("number", "від 2000", "a number"),
    ("number", "10-15", "a number"),
    ("number", "5 тис", "a number"),
    ("boolean", "можливо", "yes or no"),
    ("date", "якомога швидше", "a day"),
    ("date", "01/02/2026", "a day"),
    ("date", "31.02.2026", "a day"),
    ("time", "14:30", "a moment"),
    ("choice", "Люкс", "one of its options"),
    ("choices", ["Преміум", "Люкс"], "some of its options"),
]


def opened(kind: str, given: Any) -> DealOpened:
    story = operator_session()
    options = {"options": OPTIONS} if kind.startswith("choice") else {}
    story.do("field_define", entity="deal", key="x", label="Поле", type=kind, **options)
    story.when(form("1", fields={"x": json.dumps(given, ensure_ascii=False), "y": '"on"'}))
    deal: DealOpened = story.every(DealOpened)[0]
    return deal


@pytest.mark.parametrize(("kind", "given", "becomes"), CASES)
def test_what_certainly_is_a_value_becomes_one(kind: str, given: Any, becomes: str) -> None:
    deal = opened(kind, given)
    assert deal.fields == {"x": becomes, "y": '"on"'}
    assert deal.doubts == ()
    if kind not in ("text",) and json.dumps(given) != becomes and given != json.loads(becomes) and given != becomes:
        assert deal.written == {"x": json.dumps(given, ensure_ascii=False)}, "the original is kept"


@pytest.mark.parametrize(("kind", "given", "wanted"), UNREAD)
def test_what_does_not_fit_stays_as_it_came_and_is_said(kind: str, given: Any, wanted: str) -> None:
    deal = opened(kind, given)
    text = json.dumps(given, ensure_ascii=False)
    assert deal.fields["x"] == text
    assert deal.doubts == (f"'Поле' should be {wanted}, and {text} is none: kept as it came.",)
    assert deal.written == {}


def test_what_was_left_empty_has_no_value() -> None:
    assert opened("number", "").fields == {"y": '"on"'}
    assert opened("text", "").fields == {"x": '""', "y": '"on"'}


def test_a_retired_field_is_not_converted() -> None:
    story = operator_session().do("field_define", entity="deal", key="x", type="number")
    story.do("field_retire", entity="deal", key="x").when(form("1", fields={"x": '"2"'}))
    assert story.every(DealOpened)[0].fields == {"x": '"2"'}


def test_a_rule_may_still_name_what_the_form_said() -> None:
    story = operator_session(*shop(AssignmentRule("VIP", ("anna",), field="vip", value="ON")))
    story.do("field_define", entity="deal", key="vip", type="boolean").when(form("1", fields={"vip": '"on"'}))
    assert story.events[-1].owner == "anna"

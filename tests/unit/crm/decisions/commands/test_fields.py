"""Custom fields: defined once, values of their type, required of those who type."""

import json
from typing import Any

import pytest

from crm.commands import Code
from crm.events import DealChanged, DealOpened, FieldDefined, FieldRetired
from crm.state import Fields
from tests.support.operator_session import OperatorSession, operator_session
from tests.support.scenarios import an, form


def shop(**field: Any) -> OperatorSession:
    """One deal, and a field of deals if one is given."""
    session = operator_session(form("1", phones=["+380671234567"]))
    return session.do("field_define", entity="deal", **field) if field else session


def test_a_field_is_defined_and_redefined() -> None:
    session = shop(key="size", type="choice", label="Розмір", options=["S", "L", "S", " "])
    session.then(
        an(FieldDefined, entity="deal", key="size", label="Розмір", type="choice", options=("S", "L"), required=False)
    )
    (first,) = session.events
    session.do("field_define", entity="deal", key="size", type="choice", options=["S", "L", "XL"], required=True)
    session.then(an(FieldDefined, field_id=first.field_id, label="size", options=("S", "L", "XL"), required=True))
    message = session.refuses("field_define", "type", Code.INVALID, entity="deal", key="size", type="text")
    assert message == "'size' takes choice; fieldRetire it first. Nothing was changed."
    session.refuses("field_define", "options", Code.INVALID, entity="deal", key="x", type="choice")
    session.refuses("field_define", "options", Code.INVALID, entity="deal", key="x", type="text", options=["a"])
    session.refuses("field_define", "key", Code.REQUIRED, entity="deal", key=" ", type="text")
    session.refuses(
        "field_define",
        "expectedVersion",
        Code.VERSION_CONFLICT,
        entity="deal",
        key="size",
        type="choice",
        expected_version=1,
    )


def test_a_retired_field_takes_no_values_until_it_is_defined_again() -> None:
    session = shop(key="size", type="text", required=True).do("field_retire", entity="deal", key="size")
    session.then(an(FieldRetired, entity="deal", key="size"))
    id = session.id_of()
    session.refuses("deal_change", "fields.size", Code.NOT_FOUND, deal_id=id, fields={"size": '"L"'})
    session.refuses("field_retire", "key", Code.NOT_FOUND, entity="deal", key="size")
    session.do("field_define", entity="deal", key="size", type="text")
    session.do("deal_change", deal_id=id, fields={"size": '"L"'}).then(an(DealChanged, fields={"size": '"L"'}))
    fields = session.state.get(Fields, "deal")
    assert fields and fields.known["size"].version == 3


def test_the_key_of_a_retired_field_can_be_used_for_another_type() -> None:
    """The bug: a field that was defined with the wrong type by mistake took its key forever."""
    session = shop(key="size", type="text")
    (first,) = session.events
    session.do("field_retire", entity="deal", key="size").do("field_define", entity="deal", key="size", type="number")
    (second,) = session.then(an(FieldDefined, key="size", type="number")).events
    assert second.field_id != first.field_id
    fields = session.state.get(Fields, "deal")
    assert fields and (fields.known["size"].version, fields.known["size"].retired) == (1, False)
    session.do("deal_change", deal_id=session.id_of(), fields={"size": "7"}).then(an(DealChanged, fields={"size": "7"}))


@pytest.mark.parametrize(
    ("type", "good", "bad"),
    [
        ("text", ["", "L", "x" * 19_000], [7, None, True, ["L"], "x" * 20_001]),
        ("number", [7, -1.5, 10**30, "1.10"], ["7 kg", True, [1], "1e5"]),
        ("boolean", [True, False], ["true", 1]),
        ("date", ["2026-02-28"], ["2026-02-30", "20260228", "28.02.2026", "2026-02-28T10:00:00Z"]),
        ("time", ["2026-02-28T10:00:00Z", "2026-02-28T10:00:00+02:00"], ["2026-02-28T10:00:00", "noon"]),
        ("choice", ["a"], ["c", ["a"], ""]),
        ("choices", [[], ["a"], ["b", "a"]], ["a", ["c"], [["a"]]]),
    ],
)
def test_a_value_is_of_its_type(type: str, good: list[Any], bad: list[Any]) -> None:
    options = ["a", "b"] if type.startswith("choice") else []
    session = shop(key="f", type=type, options=options)
    for value in good:
        session.do("deal_change", deal_id=session.id_of(), fields={"f": json.dumps(value)})
    for value in bad:
        if value is not None:
            session.refuses(
                "deal_change", "fields.f", Code.INVALID, deal_id=session.id_of(), fields={"f": json.dumps(value)}
            )
    session.do("deal_change", deal_id=session.id_of(), fields={"f": "null"}).then(an(DealChanged, fields={"f": "null"}))


def test_a_decimal_given_as_text_keeps_its_digits() -> None:
    session = shop(key="price", type="number")
    session.do("deal_change", deal_id=session.id_of(), fields={"price": '"1.10"'}).then(
        an(DealChanged, fields={"price": "1.10"})
    )


def test_what_is_required_is_given_by_who_types_and_never_taken_away() -> None:
    session = shop(key="size", type="text", label="Розмір", required=True)
    said = {"contact_id": session.contact().contact_id, "title": "Desk"}
    message = session.refuses("deal_open", "fields.size", Code.REQUIRED, **said)
    assert message == "'Розмір' must have a value. Nothing was changed."
    session.refuses("deal_change", "fields.size", Code.REQUIRED, deal_id=session.id_of(), fields={"size": "null"})
    session.do("deal_open", **said, fields={"size": '"L"'})
    session.do("deal_change", deal_id=session.id_of(), title="Form's own deal has none, and may be changed")


def test_a_form_may_still_bring_what_nobody_defined() -> None:
    session = shop(key="size", type="number").when(
        form("2", phones=["+380501112233"], fields={"size": '"XL"', "x": "1"})
    )
    assert session.every(DealOpened)[-1].fields == {"size": '"XL"', "x": "1"}

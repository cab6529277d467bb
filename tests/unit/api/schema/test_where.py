"""`where` is read as single conditions; what cannot be answered is refused with a sentence, and nothing is read."""

from typing import Any

import pytest

from api.errors import BadInput
from api.schema.filters import key_and_value, parameter
from api.schema.lists import LISTS
from api.schema.where import conditions_in
from api.schema.where_inputs import FieldFilter, TextFilter
from api.sql.plan.plan import ABSENT, GIVEN, NULL, shape_of

DEALS = LISTS["deals"].where


def test_conditions_have_the_names_of_their_fields_and_operators() -> None:
    where = {
        "stage": {"in": ["new", "won"]},
        "owner": None,
        "openedAt": {"gte": "a", "lt": None},
        "number": {"between": [1, 9]},
        "contactId": {},
    }
    assert conditions_in(DEALS, where) == {
        "stage__in": ["new", "won"], "opened_at__gte": "a", "number__gte": 1, "number__lte": 9,
    }  # fmt: skip
    assert conditions_in(DEALS, None) == {}


@pytest.mark.parametrize(
    ("amount", "found"),
    [
        ({"gte": "100.00"}, {"currency": "0 ", "gte": "100.00 "}),
        ({"gt": "-5 EUR"}, {"currency": "0 EUR", "gt": "-5 EUR"}),
        ({"eq": "1.5", "currency": "eur"}, {"currency": "0 EUR", "gte": "1.5 EUR", "lte": "1.5 EUR"}),
        ({"between": ["1", "2 JPY"]}, {"currency": "0 JPY", "gte": "1 JPY", "lte": "2 JPY"}),
        ({"currency": "UAH"}, {"currency": "0 UAH"}),
        ({}, {}),
    ],
)
def test_amounts_are_compared_in_one_currency(amount: dict[str, Any], found: dict[str, str]) -> None:
    expected = {f"amount__{operator}": text for operator, text in found.items()}
    assert conditions_in(DEALS, {"amount": amount}) == expected


def test_custom_fields_are_looked_up_together() -> None:
    same = {"fields": [{"key": "size", "equals": "L"}, {"key": "floors", "equals": 2}]}
    assert conditions_in(DEALS, same) == {"fields__equals": [("size", "L"), ("floors", 2)]}
    assert conditions_in(DEALS, {"fields": []}) == {}
    among = {"fields": [{"key": "size", "in": ["L", "XL"]}, {"key": "floors", "equals": 2}]}
    assert conditions_in(DEALS, among) == {
        "fields__in": ['{"size":"L","floors":2}', '{"size":"XL","floors":2}'],
    }  # fmt: skip


@pytest.mark.parametrize(
    ("where", "sentence"),
    [
        ({"amount": {"gte": "1,000"}}, '`amount.gte` is \'1,000\'. Write an amount as "100.00" or "100.00 UAH"'),
        ({"amount": {"currency": "hryvnia", "gte": "1"}}, "`amount.currency` is 'hryvnia', which is no ISO 4217 code."),
        ({"amount": {"gte": "1" * 15}}, "at most 14 digits before the point"),
        ({"amount": {"gte": "1 UAH", "lt": "2 EUR"}}, "`amount` names several currencies"),
        ({"number": {"between": [1]}}, "`number.between` takes two values, the lowest and the highest"),
        ({"number": {"between": [1, 2], "gt": 5}}, "and no other bound"),
        ({"stage": {"in": [str(n) for n in range(51)]}}, "`stage.in` give more than 50 combinations"),
        ({"stage": {"in": list("abcdefgh")}, "owner": {"in": list("abcdefg")}}, "`stage.in` and `owner.in` give more"),
        ({"fields": [{"key": "size"}]}, "The custom field `size` takes either `equals` or `in`."),
        ({"fields": [{"key": "size", "equals": 1, "in": [1]}]}, "takes either `equals` or `in`."),
        ({"fields": [{"key": "size", "equals": {}}]}, "The custom field `size` is compared with nothing"),
        ({"fields": [{"key": "size", "in": [1, None]}]}, "The custom field `size` is compared with nothing"),
        ({"fields": [{"key": k, "in": list(range(8))} for k in "ab"]}, "`fields` has more than 50 combinations"),
    ],
)
def test_what_cannot_be_compared_is_refused(where: dict[str, Any], sentence: str) -> None:
    with pytest.raises(BadInput) as refused:
        conditions_in(DEALS, where)
    assert sentence in refused.value.message
    assert "Nothing was read." in refused.value.message


@pytest.mark.parametrize("value", ["", "x" * 201])
def test_a_look_up_of_no_text_or_of_a_long_one_is_refused(value: str) -> None:
    for condition, given in (("eq", value), ("in", ["R-1", value])):
        with pytest.raises(BadInput, match=r"Values of 1 to 200 can be looked up\. Nothing was read\."):
            parameter(DEALS["reference"].conditions[condition], given)


def test_a_custom_field_is_named_by_its_key() -> None:
    """`name` was its only name, while everything else says `key`; it still works."""
    assert (
        key_and_value({"key": "size", "equals": "L"}) == key_and_value({"name": "size", "equals": "L"}) == ("size", "L")
    )
    for wrong in ({"equals": "L"}, {"key": "a", "name": "b", "equals": "L"}):
        with pytest.raises(BadInput, match="takes its `key`, and `equals`"):
            key_and_value(wrong)


def test_an_input_is_read_in_both_forms() -> None:
    """A plan has inputs as dicts, a resolver as objects."""
    where = {"stage": TextFilter(in_=["new"]), "fields": [FieldFilter(key="size", equals="L")]}
    plain = {"stage": {"in": ["new"]}, "fields": [{"key": "size", "equals": "L"}]}
    assert conditions_in(DEALS, where) == conditions_in(DEALS, plain)


def test_the_shape_of_an_input_is_what_its_statement_depends_on() -> None:
    assert shape_of({"stage": {"in": ["a", "b"]}}) == shape_of({"stage": {"in": []}}) == (("stage", (("in", GIVEN),)),)
    assert shape_of({"stage": {"eq": None}}) == (("stage", (("eq", NULL),)),)
    assert shape_of({"dueAt": {"isNull": False}}) != shape_of({"dueAt": {"isNull": True}})
    one, other = ([{"key": "a", how: value}] for how, value in (("equals", {"x": 1}), ("in", [1])))
    assert shape_of({"fields": one}) != shape_of({"fields": other})
    assert shape_of({"fields": one}) == shape_of({"fields": [{"key": "b", "equals": {"y": [True]}}]})
    assert shape_of(ABSENT) == ABSENT

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
    ("given", "low", "high"),
    [
        ({"gte": 5, "lt": 7.5}, "n250005", "n2500075"),
        ({"gt": 5, "lte": -2}, "n250005\x01", "n049997~\x01"),
        ({"gt": 5}, "n250005\x01", "o"),
        ({"lt": "2026-01-31"}, "s", "s2026-01-31"),
        ({"between": ["L", "XL"]}, "sL", "sXL\x01"),
        ({"isNull": False}, "a", "z"),
    ],
)
def test_a_range_of_a_custom_field_is_two_bounds(given: dict[str, Any], low: str, high: str) -> None:
    one = {"key": "size", **given}
    other = {"key": "floors", "equals": 2}
    assert conditions_in(DEALS, {"fields": [one]}) == {"fields__range": ["size", low, high]}
    assert conditions_in(DEALS, {"fields": [other, one]}) == {
        "fields__range": ["size", low, high], "fields__equals": [("floors", 2)],
    }  # fmt: skip
    assert parameter(DEALS["fields"].conditions["range"], ['a "b"', low, "z"]) == f'{{"a \\"b\\"","{low}","z"}}'


def test_a_custom_field_is_an_order_of_its_range_only() -> None:
    deals = LISTS["deals"]
    assert deals.order("FIELD_ASC", ["fields__range"]).columns == ("field_value", "field_time", "field_row")
    assert deals.order("FIELD_ASC", ["fields__range", "reference__eq", "stage__eq"]) is deals.orders["FIELD_ASC"]
    assert deals.order("TOUCHED_AT_DESC", ["fields__range", "reference__eq"]) is deals.orders["TOUCHED_AT_DESC"]
    with pytest.raises(BadInput, match=r"FIELD_ASC sorts by one custom field\. Nothing was read\. Name it in `where`"):
        deals.order("FIELD_ASC", ["fields__equals"])
    assert deals.order("FIELD_DESC", ["fields__range", "stage__eq"]) is deals.orders["FIELD_DESC"]
    with pytest.raises(BadInput, match=r"No index serves TOUCHED_AT_DESC together .*FIELD with a range of `fields`"):
        deals.order("TOUCHED_AT_DESC", ["fields__range"])


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
        ({"fields": [{"key": "size"}]}, "The custom field `size` takes either `equals` or `in`, or a range."),
        ({"fields": [{"key": "size", "equals": 1, "in": [1]}]}, "takes either `equals` or `in`, or a range."),
        ({"fields": [{"key": "size", "equals": {}}]}, "The custom field `size` is compared with nothing"),
        ({"fields": [{"key": "size", "in": [1, None]}]}, "The custom field `size` is compared with nothing"),
        ({"fields": [{"key": "size", "equals": 1, "gt": 1}]}, "takes either `equals` or `in`, or a range."),
        ({"fields": [{"key": "size", "isNull": True}]}, "no index has the rows without a custom field"),
        ({"fields": [{"key": "size", "isNull": False, "gt": 1}]}, "takes `isNull: false`, alone"),
        ({"fields": [{"key": "size", "gt": 1, "gte": 1}]}, "takes one lower and one upper bound"),
        ({"fields": [{"key": "size", "gt": 1, "lt": "2"}]}, "are of two types, number and text"),
        ({"fields": [{"key": "size", "gt": True}]}, "A bound of the custom field `size` is a number or a text."),
        ({"fields": [{"key": "size", "gt": "x" * 200}]}, "has less than 200 characters"),
        ({"fields": [{"key": "size", "between": [1]}]}, "`fields.size.between` takes two values"),
        ({"fields": [{"key": k, "gt": 1} for k in "ab"]}, "a range of more than one custom field"),
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


@pytest.mark.parametrize(
    ("given", "found"),
    [
        ("+380671234567", "+380671234567"),
        ("+38 (067) 123-45-67", "+380671234567"),
        ("067 123 45 67", "067 123 45 67"),  # whose country is not known here
        ("+", "+"),
        ("+1 2", "+1 2"),
    ],
)
def test_a_number_with_its_country_is_looked_up_however_it_is_written(given: str, found: str) -> None:
    """A number as people write it found nobody, without a word."""
    assert parameter(LISTS["contacts"].filters["phone"], given) == found
    assert parameter(LISTS["contacts"].where["phones"].conditions["contains"], given) == found

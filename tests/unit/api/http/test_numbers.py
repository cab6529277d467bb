"""Numbers in requests keep all their digits; numbers that JSON cannot hold are refused, never null."""

import json
from decimal import Decimal
from types import SimpleNamespace
from typing import Any

import pytest
from graphql import GraphQLError, parse_value
from graphql.execution.values import get_variable_values
from hypothesis import given
from hypothesis import strategies as st

from api.engine import Engine
from api.http.numbers import ENCODER, Number, exact, exact_literal
from api.http.refusal import Refusal
from api.http.request import from_body, from_query_string
from api.live.subscriptions.cohort import cohort_key
from api.live.subscriptions.socket import read as dispatched

SHOP = "11111111-1111-4111-8111-111111111111"
READER: Any = SimpleNamespace(id="t", workspace=SHOP, scopes=("read",))
LONG = "12345678901234567890.12345678901234567890"
NUMBERS = ["1.10", LONG, "0.1", "-0.0", "1E5", "1e-7", "9007199254740993", "1" * 300, "1e308", "3.80671234567E+11"]
TOO_LARGE = ["1e309", "1e400", "-1e400", "1e-400", "0e400", "1e999999999", "9" * 310, "1." + "1" * 1_000]
FILTER = 'query {given} {{ deals(field: [{{name: "a", equals: {equals}}}]) {{ nodes {{ id }} }} }}'


def body(query: str, variables: str = "{}") -> bytes:
    return f'{{"query": {json.dumps(query)}, "variables": {variables}}}'.encode()


def filtered_by(query: str, variables: str = "{}") -> Any:
    """What Postgres is asked for."""
    request = from_body(body(query, variables))
    plan = Engine().prepare(request.query or "", None, READER)
    assert not plan.errors, plan.errors
    coerced = plan.variables(request.variables or {})
    assert coerced, get_variable_values(plan.schema, plan.operation.variable_definitions or (), request.variables or {})  # type: ignore[union-attr]  # it has one
    statement = plan.statement(coerced)
    assert statement
    return statement.parameters(SHOP, coerced)[-1]


def refused(query: str, variables: str = "{}") -> str:
    with pytest.raises((Refusal, AssertionError)) as error:
        filtered_by(query, variables)
    return str(error.value.body() if isinstance(error.value, Refusal) else error.value)


def same(text: str, number: str) -> bool:
    """The digits too: 1.10 is not 1.1 here."""
    return Decimal(text).as_tuple() == Decimal(number).as_tuple()


@pytest.mark.parametrize("number", NUMBERS)
def test_a_number_reaches_postgres_with_all_its_digits(number: str) -> None:
    """It went through a float: as a literal, as a variable, and inside of either."""
    wanted = str(int(number)) if number.isdigit() else str(Decimal(number))
    assert filtered_by(FILTER.format(given="", equals=number)) == f'{{"a":{wanted}}}'
    assert filtered_by(FILTER.format(given="", equals=f"{{b: [{number}]}}")) == f'{{"a":{{"b":[{wanted}]}}}}'
    variable = f'{{"v": {number}}}'
    assert filtered_by(FILTER.format(given="($v: JSON!)", equals="$v"), variable) == f'{{"a":{wanted}}}'
    assert filtered_by(FILTER.format(given="($v: JSON)", equals="{b: [$v]}"), variable) == f'{{"a":{{"b":[{wanted}]}}}}'
    default = FILTER.format(given=f"($v: JSON! = {number})", equals="$v")
    assert filtered_by(default) == f'{{"a":{wanted}}}'


@pytest.mark.parametrize("number", TOO_LARGE)
def test_a_number_that_json_cannot_carry_is_refused(number: str) -> None:
    """1e400 became Infinity, and that null."""
    for literal_ in (number, f"[{number}]", f"{{b: {number}}}"):
        assert "out of range" in refused(FILTER.format(given="", equals=literal_))
    found = refused(FILTER.format(given="($v: JSON!)", equals="$v"), f'{{"v": {number}}}')
    assert "out of range" in found or "at most 309 digits" in found


@pytest.mark.parametrize("number", ["NaN", "Infinity", "-Infinity", "1_000", "+1", "01", "0x1F", "٣"])
def test_a_number_that_json_cannot_hold_is_refused(number: str) -> None:
    assert "is not JSON" in refused(FILTER.format(given="($v: JSON!)", equals="$v"), f'{{"v": {number}}}')
    with pytest.raises(GraphQLError, match="out of range"):
        exact(float("nan"))
    with pytest.raises(GraphQLError, match="out of range"):
        exact([Decimal("NaN")])


@given(st.decimals(allow_nan=False, allow_infinity=False, places=20, min_value=-(10**60), max_value=10**60))
def test_any_decimal_comes_back_as_it_was_written(number: Decimal) -> None:
    text = f"{number:f}"
    found = from_body(body("{ a }", f'{{"v": [{text}]}}')).variables
    assert found
    assert same(ENCODER.encode(found["v"][0]).decode(), text)
    assert same(ENCODER.encode(exact(found["v"][0])).decode(), text)
    assert same(ENCODER.encode(exact_literal(parse_value(text))).decode(), text)


def test_a_url_and_a_websocket_keep_the_digits_too() -> None:
    found = from_query_string(b"query=%7B+a+%7D&variables=%7B%22v%22%3A1.10%7D").variables
    assert ENCODER.encode(found) == b'{"v":1.10}'
    said = dispatched(b'{"type": "subscribe", "id": "1", "payload": {"query": "{ a }", "variables": {"v": 1.10}}}')
    assert ENCODER.encode(said.payload["variables"]) == b'{"v":1.10}'


def test_an_int_may_still_be_written_with_a_point() -> None:
    query = "query ($n: Int!) { deals(first: $n) { nodes { id } } }"
    assert filtered_by(query, '{"n": 7.0}') == "7"
    assert "Int cannot represent non-integer value: 7.5" in refused(query, '{"n": 7.5}')


@pytest.mark.parametrize(
    ("equals", "wanted"),
    [("{b: $v}", '{"a":{}}'), ("[$v]", '{"a":[null]}'), ("[1, {b: [$v], c: 2}]", '{"a":[1,{"b":[null],"c":2}]}')],
)
def test_a_variable_in_json_that_is_not_given_is_left_out(equals: str, wanted: str) -> None:
    """It was a server error."""
    assert filtered_by(FILTER.format(given="($v: JSON)", equals=equals)) == wanted


def test_a_variable_of_another_type_may_stand_in_json() -> None:
    given = "($s: String, $n: Int, $l: Long, $b: Boolean, $t: DateTime, $o: DealOrder, $i: ID)"
    query = FILTER.format(given=given, equals="[$s, $n, $l, $b, $t, $o, $i]")
    variables = '{"s": "x", "n": 1, "l": 2, "b": true, "t": "2026-01-01T12:00:00Z", "o": "NUMBER_ASC", "i": "7"}'
    wanted = '{"a":["x",1,2,true,"2026-01-01T12:00:00+00:00","NUMBER_ASC","7"]}'
    assert filtered_by(query, variables) == wanted


def test_json_of_any_depth_is_not_a_server_error() -> None:
    deep: Any = 1
    for _ in range(5_000):
        deep = [deep]
    with pytest.raises(GraphQLError, match="nested too deeply"):
        exact(deep)


def test_subscriptions_with_other_digits_are_not_alike() -> None:
    query = """subscription ($v: JSON!) { dealChanged { deal { contact {
      deals(field: [{name: "a", equals: $v}]) { nodes { id } } } } } }"""
    texts = ["1.1", "1.10", "1.1000000000000000000001"]
    keys = {cohort_key(query, from_body(body(query, f'{{"v": {text}}}'))) for text in texts}
    assert len(keys) == 3


def test_a_number_is_shown_as_it_was_written() -> None:
    assert repr(Number("1.10")) == "1.10"
    with pytest.raises(NotImplementedError):
        ENCODER.encode(object())

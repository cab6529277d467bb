"""Any JSON in a document, with or without variables, keeps its meaning and causes no server error."""

import json
from decimal import Decimal
from types import SimpleNamespace
from typing import Any

import msgspec
from hypothesis import given
from hypothesis import strategies as st

from api.engine import Engine
from api.http.numbers import ENCODER
from api.http.request import from_body

SHOP = "11111111-1111-4111-8111-111111111111"
READER: Any = SimpleNamespace(id="t", workspace=SHOP, scopes=("read",))
exact = msgspec.json.Decoder(float_hook=Decimal).decode
NUMBERS = st.decimals(allow_nan=False, allow_infinity=False, min_value=-(10**40), max_value=10**40, places=12)
SCALARS = st.one_of(st.none(), st.booleans(), st.text("aї'\"\\\n", max_size=4), st.integers(-(10**30), 10**30), NUMBERS)
NAMES = st.sampled_from(["a", "b", "_c"])
VALUES = st.recursive(SCALARS, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(NAMES, inner, max_size=2))
VARIABLES = st.sampled_from(["$x", "$y"]).map(lambda name: Variable(name))


class Variable(str):
    """A variable inside of a literal."""


LITERALS = st.recursive(
    SCALARS | VARIABLES, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(NAMES, inner, max_size=2)
)


def written(value: Any) -> str:
    """As GraphQL."""
    if isinstance(value, Variable):
        return str(value)
    if isinstance(value, dict):
        return "{" + ", ".join(f"{name}: {written(one)}" for name, one in value.items()) + "}"
    if isinstance(value, list):
        return "[" + ", ".join(map(written, value)) + "]"
    return f"{value:f}" if isinstance(value, Decimal) else json.dumps(value)


MISSING = object()


def meant(value: Any, given: dict[str, Any]) -> Any:
    """With the variables put in."""
    if isinstance(value, Variable):
        return given.get(value.removeprefix("$"), MISSING)
    if isinstance(value, dict):
        fields = {name: meant(one, given) for name, one in value.items()}
        return {name: one for name, one in fields.items() if one is not MISSING}
    if isinstance(value, list):
        return [None if one is MISSING else one for one in (meant(one, given) for one in value)]
    return value


def digits(value: Any) -> Any:
    """For comparing: 1.10 is not 1.1, and an integer is no decimal."""
    if isinstance(value, dict):
        return {name: digits(one) for name, one in value.items()}
    if isinstance(value, list):
        return [digits(one) for one in value]
    return value.as_tuple() if isinstance(value, Decimal) else (type(value), value)


@given(literal=LITERALS, given=st.dictionaries(st.sampled_from("xy"), VALUES))
def test_json_in_a_document_means_what_it_says(literal: Any, given: dict[str, Any]) -> None:
    query = f"""query ($x: JSON, $y: JSON) {{
      deals(field: [{{name: "f", equals: {{v: {written(literal)}, x: $x, y: $y}}}}]) {{ nodes {{ id }} }} }}"""
    variables = "{" + ", ".join(f'"{name}": {json_of(value)}' for name, value in given.items()) + "}"
    request = from_body(f'{{"query": {json.dumps(query)}, "variables": {variables}}}'.encode())
    plan = Engine().prepare(request.query or "", None, READER)
    assert not plan.errors, plan.errors
    coerced = plan.variables(request.variables or {})
    assert coerced
    statement = plan.statement(coerced)
    assert statement
    wanted = meant({"v": literal, "x": Variable("$x"), "y": Variable("$y")}, given)
    assert digits(exact(statement.parameters(SHOP, coerced)[-1])) == digits({"f": wanted})


def json_of(value: Any) -> str:
    return ENCODER.encode(value).decode()

"""The committed schema is the one that is served."""

import pytest
from graphql import GraphQLError, GraphQLObjectType

from api.schema.names import type_name
from api.schema.nodes import HIDDEN
from api.schema.root import schema
from api.schema.scalars import Money, formatted_money, long, parsed_moment
from api.sdl import sdl
from projections import PROJECTIONS
from tests.support.tools import ROOT

COMMITTED = ROOT / "schema.graphql"


def test_the_committed_schema_is_todays() -> None:
    assert COMMITTED.read_text() == sdl(), "run `python -m api.sdl > schema.graphql` and look at the difference"


@pytest.mark.parametrize("name", sorted(PROJECTIONS.keys()))
def test_every_column_can_be_read_and_its_type_is_described(name: str) -> None:
    projection = PROJECTIONS[name]
    node = schema._schema.type_map[type_name(name)]
    assert isinstance(node, GraphQLObjectType)
    assert node.description == projection.about
    shown = {c.name.removesuffix("_minor") for c in projection.columns} - HIDDEN - {projection.key}
    camel = {"".join(p.title() if n else p for n, p in enumerate(column.split("_"))) for column in shown}
    assert camel | {"id"} <= node.fields.keys()


def test_money_is_exact_text() -> None:
    assert formatted_money(Money(minor=9_007_199_254_740_993, currency="UAH")) == "90071992547409.93 UAH"
    assert formatted_money(Money(minor=-5, currency="JPY")) == "-5 JPY"
    assert formatted_money(Money(minor=0, currency="")) == "0"


def test_a_long_is_a_whole_number_of_64_bits() -> None:
    assert [long(n) for n in (-(2**63), 0, 2**63 - 1)] == [-(2**63), 0, 2**63 - 1]
    for wrong in (2**63, 1.0, "1", True, None):
        with pytest.raises(GraphQLError, match="signed 64-bit"):
            long(wrong)


def test_a_moment_has_a_zone() -> None:
    assert parsed_moment("2026-11-25T12:00:00+02:00").isoformat() == "2026-11-25T12:00:00+02:00"


@pytest.mark.parametrize("value", ["", "soon", "2026-11-25T12:00:00", "2026-11-25", 1795600000, None])
def test_an_invalid_datetime_is_the_callers_mistake(value: object) -> None:
    """`dueAt: "soon"` was answered as a bug of ours: validation takes any other error for one."""
    with pytest.raises(GraphQLError, match="has an offset"):
        parsed_moment(value)

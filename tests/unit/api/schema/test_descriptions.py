"""Everything in the schema says what it is."""

from graphql import build_schema

from api.schema.descriptions import FIELDS, OWN, describe, undescribed
from api.schema.root import schema
from api.sdl import sdl

PLANTED = """
"Asked." type Query { "Told." told: Int, stage(id: ID, odd: Int): Order, new: Int }
"Ways." enum Order { TOUCHED_AT_DESC NEW }
"""


def test_everything_is_described() -> None:
    assert undescribed(schema._schema) == [], "say it where it is declared, or in api/schema/descriptions.py"
    assert undescribed(build_schema(sdl())) == [], "and it is printed"


def test_what_is_missing_is_filled_in_and_what_is_said_stays() -> None:
    planted = build_schema(PLANTED)
    describe(planted)
    fields, values = planted.type_map["Query"].fields, planted.type_map["Order"].values
    assert (fields["told"].description, fields["stage"].description) == ("Told.", FIELDS["stage"])
    assert values["TOUCHED_AT_DESC"].description == "By `touchedAt`, downwards."
    assert undescribed(planted) == ["Query.new", "Query.stage(odd:)", "Order.NEW"]


def test_nothing_is_described_that_is_not_there() -> None:
    types = schema._schema.type_map
    fields = {name for kind in types.values() for name in getattr(kind, "fields", {})}
    assert sorted(FIELDS.keys() - fields) == []
    assert [
        name for name in OWN if name.split(".")[1] not in getattr(types.get(name.split(".")[0]), "fields", {})
    ] == []

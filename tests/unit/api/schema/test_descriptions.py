"""Everything in the schema has a description."""

from graphql import GraphQLSchema, build_schema

from api.schema.descriptions import COMMON, FIELDS, VALUES, describe
from api.schema.root import schema
from api.sdl import sdl

PLANTED = """
"Queries." type Query { "Declared." version: Int, title(id: ID, odd: Int): FieldEntity, new: Int }
"Deals." type Deal { owner: String, title: String }
"Entities." enum FieldEntity { deal NEW }
"""


def test_everything_is_described() -> None:
    assert undescribed(schema._schema) == [], "say it where it is declared, or in api/schema/descriptions.py"
    assert undescribed(build_schema(sdl())) == [], "and it is printed"


def test_missing_descriptions_are_added_and_declared_ones_stay() -> None:
    planted = build_schema(PLANTED)
    describe(planted)
    fields, values = planted.type_map["Query"].fields, planted.type_map["FieldEntity"].values
    assert (fields["version"].description, fields["title"].description) == ("Declared.", COMMON["title"])
    deal = planted.type_map["Deal"].fields
    assert (deal["owner"].description, deal["title"].description) == (FIELDS["Deal"]["owner"], COMMON["title"])
    assert fields["title"].args["id"].description == "Id of the object to fetch."
    assert values["deal"].description == VALUES["FieldEntity"]["deal"]
    assert undescribed(planted) == ["Query.new", "Query.title(odd:)", "FieldEntity.NEW"]


def test_every_description_is_used() -> None:
    types = schema._schema.type_map
    fields = {name for kind in types.values() for name in getattr(kind, "fields", {})}
    assert sorted(COMMON.keys() - fields) == []
    for kind, texts in FIELDS.items():
        shown = getattr(types.get(kind), "fields", {})
        assert [name for name, text in texts.items() if name not in shown or shown[name].description != text] == []
    for kind, texts in VALUES.items():
        assert texts.keys() <= getattr(types.get(kind), "values", {}).keys(), kind


def undescribed(schema: GraphQLSchema) -> list[str]:
    """Returns types, fields, arguments and enum values without a description."""
    found = []
    for kind in schema.type_map.values():
        if kind.name.startswith("__"):
            continue
        items = {**getattr(kind, "fields", {}), **getattr(kind, "values", {})}
        found += [kind.name] * (not kind.description)
        found += [f"{kind.name}.{name}" for name, item in items.items() if not item.description]
        found += [
            f"{kind.name}.{name}({given}:)"
            for name, item in items.items()
            for given, argument in getattr(item, "args", {}).items()
            if not argument.description
        ]
    return found

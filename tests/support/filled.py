"""Answers of GraphQL to a document without a server: each field has a value of its type, or as little as it may."""

from typing import Any

from graphql import (
    FieldNode,
    FragmentDefinitionNode,
    FragmentSpreadNode,
    GraphQLEnumType,
    GraphQLInterfaceType,
    GraphQLList,
    GraphQLNonNull,
    GraphQLObjectType,
    GraphQLSchema,
    GraphQLUnionType,
    InlineFragmentNode,
    OperationDefinitionNode,
    SelectionSetNode,
    parse,
)

VALUES: dict[str, Any] = {
    "ID": "00000000-0000-4000-8000-000000000001",
    "String": "<b>text</b>",
    "Int": 3,
    "Long": 1_234,
    "Float": 0.5,
    "Boolean": True,
    "DateTime": "2026-10-05T09:01:00+00:00",
    "JSON": {"key": "<i>value</i>"},
}
ENCODED = "PGI+dGV4dDwvYj4="  # the text in base 64
MONEY = {"text": "1250.50 UAH", "currency": "UAH", "minor": 125_050}


class Filler:
    """Fills answers. `whole`: nothing is null and lists have two items; else all is null that may be, lists empty."""

    def __init__(self, schema: GraphQLSchema, whole: bool) -> None:
        self.schema, self.whole = schema, whole

    def answer(self, document: str) -> dict[str, Any]:
        parsed = parse(document)
        self.fragments = {one.name.value: one for one in parsed.definitions if isinstance(one, FragmentDefinitionNode)}
        (operation,) = [one for one in parsed.definitions if isinstance(one, OperationDefinitionNode)]
        root = self.schema.get_root_type(operation.operation)
        assert root
        return self.of_object(root, operation.selection_set)

    def of_object(self, type: GraphQLObjectType, selected: SelectionSetNode) -> dict[str, Any]:
        found: dict[str, Any] = {}
        for one in selected.selections:
            if isinstance(one, FieldNode):
                name = one.alias.value if one.alias else one.name.value
                field = type.fields.get(one.name.value)
                value = self.of(field.type, one.selection_set, type.name) if field else type.name
                found[name] = merged(found[name], value) if name in found else value
                if name == "base64":
                    found[name] = ENCODED
                if name.endswith("At") and found[name] == VALUES["String"]:  # a moment, as text
                    found[name] = VALUES["DateTime"]
            elif isinstance(one, FragmentSpreadNode):
                found = merged(found, self.of_object(type, self.fragments[one.name.value].selection_set))
            elif (
                isinstance(one, InlineFragmentNode)
                and one.type_condition
                and one.type_condition.name.value == type.name
            ):
                found |= self.of_object(type, one.selection_set)
        return found

    def of(self, type: Any, selected: SelectionSetNode | None, within: str = "") -> Any:
        if isinstance(type, GraphQLNonNull):
            type = type.of_type
        elif not self.whole and within not in ("Query", "Subscription"):
            return None
        if isinstance(type, GraphQLList):
            return [self.of(type.of_type, selected) for _ in range(2)] if self.whole else []
        if type.name == "Money":
            return MONEY
        if isinstance(type, GraphQLUnionType | GraphQLInterfaceType):
            type = self.schema.get_possible_types(type)[0]
        if isinstance(type, GraphQLObjectType):
            assert selected
            return self.of_object(type, selected)
        if isinstance(type, GraphQLEnumType):
            return next(iter(type.values))
        return (
            VALUES[type.name]
            if self.whole or type.name not in ("String", "JSON")
            else {"String": "", "JSON": {}}[type.name]
        )


def merged(one: Any, other: Any) -> Any:
    """Returns what a field has that is selected in two places."""
    if isinstance(one, dict) and isinstance(other, dict):
        return one | {name: merged(one[name], value) if name in one else value for name, value in other.items()}
    if isinstance(one, list):
        return [merged(*pair) for pair in zip(one, other, strict=True)]
    return other

"""Questions made from the schema itself: one for each field that takes an id, so that a new field is asked too."""

from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

from graphql import (
    GraphQLArgument,
    GraphQLEnumType,
    GraphQLField,
    GraphQLInputField,
    GraphQLInputObjectType,
    GraphQLInterfaceType,
    GraphQLList,
    GraphQLNonNull,
    GraphQLObjectType,
    GraphQLScalarType,
    GraphQLSchema,
    get_named_type,
    is_leaf_type,
    is_required_argument,
    is_required_input_field,
)

NUMBERS, MOMENT = dict.fromkeys(("Int", "Long", "Float", "JSON"), "1"), '"2026-01-01T00:00:00Z"'
ANYTHING = {**NUMBERS, "Boolean": "true", "DateTime": MOMENT}
DEEP = 4  # levels of objects that are selected


class Question(NamedTuple):
    """`document` takes the id as $id, wherever in the field's arguments it stands."""

    name: str
    document: str


def questions(schema: GraphQLSchema, operation: str) -> Iterator[Question]:
    """Of query, mutation or subscription: each argument that takes an id, by itself."""
    root = getattr(schema, f"{operation}_type")
    for name, field in (root.fields if root else {}).items():
        for argument, given in field.args.items():
            for value in with_id(given):
                arguments = ", ".join([f"{argument}: {value}", *required(field.args, argument)])
                asked = f"{operation} ($id: ID!) {{ {name}({arguments}) {selection(field, DEEP)} }}"
                yield Question(f"{name}({argument})", asked)


def with_id(given: GraphQLArgument | GraphQLInputField) -> list[str]:
    """Literals of an argument in which $id stands, one for each place that an id may have."""
    kind = get_named_type(given.type)
    if isinstance(kind, GraphQLScalarType) and kind.name == "ID":
        return ["[$id]" if is_list(given.type) else "$id"]
    if not isinstance(kind, GraphQLInputObjectType):
        return []
    found = []
    for name, field in kind.fields.items():
        for value in with_id(field):
            whole = f"{{{', '.join([f'{name}: {value}', *required(kind.fields, name)])}}}"
            found.append(f"[{whole}]" if is_list(given.type) else whole)
    return found


def required(fields: Mapping[str, GraphQLArgument] | Mapping[str, GraphQLInputField], but: str = "") -> list[str]:
    """What has to be given besides, with some value."""
    return [f"{n}: {literal(f.type)}" for n, f in fields.items() if n != but and needed(f)]


def needed(given: GraphQLArgument | GraphQLInputField) -> bool:
    return is_required_argument(given) if isinstance(given, GraphQLArgument) else is_required_input_field(given)


def literal(kind: Any) -> str:
    """Some value of an input type."""
    if isinstance(kind, GraphQLNonNull):
        return literal(kind.of_type)
    if isinstance(kind, GraphQLList):
        return f"[{literal(kind.of_type)}]"
    if isinstance(kind, GraphQLEnumType):
        return next(iter(kind.values))
    if isinstance(kind, GraphQLInputObjectType):
        return f"{{{', '.join(required(kind.fields))}}}"
    return "$id" if kind.name == "ID" else ANYTHING.get(kind.name, '"x"')


def selection(field: GraphQLField, levels: int) -> str:
    """All that can be read without arguments, so many levels deep; lists by `nodes` alone."""
    kind = get_named_type(field.type)
    if is_leaf_type(kind):
        return ""
    if not isinstance(kind, GraphQLObjectType | GraphQLInterfaceType):
        return "{ __typename }"
    parts = ["__typename"]
    for name, inner in kind.fields.items():
        if name in ("edges", "pageInfo") or any(is_required_argument(a) for a in inner.args.values()):
            continue
        if is_leaf_type(get_named_type(inner.type)):
            parts.append(name)
        elif levels > 1:
            short = "(first: 2)" if "first" in inner.args else ""
            parts.append(f"{name}{short} {selection(inner, levels - 1)}")
    return f"{{ {' '.join(parts)} }}"


def is_list(kind: Any) -> bool:
    return isinstance(kind.of_type if isinstance(kind, GraphQLNonNull) else kind, GraphQLList)

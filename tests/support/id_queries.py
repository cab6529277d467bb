"""Queries generated from the schema: one for each argument that takes an id, so that new fields are covered."""

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
DEEP = 3  # levels of objects that are selected


class IdQuery(NamedTuple):
    """`document` takes the id as $id, wherever in the field's arguments it stands."""

    name: str
    document: str


def id_queries(schema: GraphQLSchema, operation: str) -> Iterator[IdQuery]:
    """Yields a query for each argument of the operation that takes an id."""
    root = getattr(schema, f"{operation}_type")
    for name, field in (root.fields if root else {}).items():
        for argument, given in field.args.items():
            for value in with_id(given):
                arguments = ", ".join([f"{argument}: {value}", *required(field.args, argument)])
                document = f"{operation} ($id: ID!) {{ {name}({arguments}) {selection(field, DEEP)} }}"
                yield IdQuery(f"{name}({argument})", document)


def with_id(given: GraphQLArgument | GraphQLInputField) -> list[str]:
    """Returns literals of an argument that contain $id, one for each place of an id."""
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
    """Returns the other required arguments, with some value."""
    return [f"{n}: {literal(f.type)}" for n, f in fields.items() if n != but and needed(f)]


def needed(given: GraphQLArgument | GraphQLInputField) -> bool:
    return is_required_argument(given) if isinstance(given, GraphQLArgument) else is_required_input_field(given)


def literal(kind: Any) -> str:
    """Returns some value of an input type."""
    if isinstance(kind, GraphQLNonNull):
        return literal(kind.of_type)
    if isinstance(kind, GraphQLList):
        return f"[{literal(kind.of_type)}]"
    if isinstance(kind, GraphQLEnumType):
        return str(next(iter(kind.values)))
    if isinstance(kind, GraphQLInputObjectType):
        return f"{{{', '.join(required(kind.fields))}}}"
    return "$id" if kind.name == "ID" else ANYTHING.get(kind.name, '"x"')


def selection(field: GraphQLField, levels: int) -> str:
    """Returns a selection of all fields without required arguments, `levels` deep; of lists only `nodes`."""
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

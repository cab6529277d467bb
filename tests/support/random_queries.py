"""Random queries over the whole schema, for tests that compare two implementations."""

from collections.abc import Callable
from typing import Any

from graphql import (
    GraphQLArgument,
    GraphQLEnumType,
    GraphQLField,
    GraphQLInterfaceType,
    GraphQLNamedType,
    GraphQLObjectType,
    get_named_type,
    is_abstract_type,
    is_leaf_type,
    is_required_argument,
)
from hypothesis import strategies as st

from api.schema.root import schema

SCHEMA = schema._schema
Draw = Callable[[st.SearchStrategy[Any]], Any]
# The values of arguments by their name, those of `where` by its type: literals of GraphQL.
Values = dict[str, list[str]]


class QueryBuilder:
    """Draws one operation: fields, aliases, arguments, fragments, and fields that a variable leaves out."""

    def __init__(self, draw: Draw, values: Values, depth: int = 4) -> None:
        self.draw, self.values, self.depth = draw, values, depth
        self.fragments: list[str] = []
        self.apart = 0  # inside of an interface one key must not have two types
        self.left = 28  # fields: an answer stays readable, and each may have an alias

    def document(self) -> str:
        """Draws an operation with the variables `yes` and `no`."""
        query = SCHEMA.query_type
        assert query
        used = "__typename @include(if: $yes) @skip(if: $no)"
        selected = f"{{ {used} {self.selected(query, self.depth)[1:]}"
        return "\n".join([f"query Asked($yes: Boolean!, $no: Boolean!) {selected}", *self.fragments])

    def selected(self, kind: GraphQLObjectType | GraphQLInterfaceType, depth: int) -> str:
        names = [
            name
            for name, field in kind.fields.items()
            if (depth > 1 or is_leaf_type(get_named_type(field.type)))
            and all(a in self.values for a, argument in field.args.items() if is_required_argument(argument))
        ]
        chosen = self.draw(st.lists(st.sampled_from(["__typename", *names]), min_size=1, max_size=4))
        return "{ " + " ".join(self.wrapped(kind, self.field(kind, name, depth)) for name in chosen) + " }"

    def wrapped(self, kind: GraphQLNamedType, field: str) -> str:
        """Draws the field as it is or in a fragment."""
        how = self.draw(st.sampled_from(["plain"] * 5 + ["inline", "bare", "named"]))
        if how == "inline":
            return f"... on {kind.name} {{ {field} }}"
        if how == "bare":
            return f"... @include(if: $yes) {{ {field} }}"
        if how == "named":
            self.fragments.append(f"fragment F{len(self.fragments)} on {kind.name} {{ {field} }}")
            return f"...F{len(self.fragments) - 1}"
        return field

    def field(self, kind: GraphQLObjectType | GraphQLInterfaceType, name: str, depth: int) -> str:
        self.left -= 1
        if name == "__typename" or self.left < 0:
            return "__typename"
        field = kind.fields[name]
        arguments = self.arguments(field)
        if arguments or self.apart or self.draw(st.booleans()):
            name = f"a{self.left}: {name}"
        wanted = self.draw(st.sampled_from([""] * 8 + [" @skip(if: $yes)", " @skip(if: $no)", " @include(if: $no)"]))
        return f"{name}{arguments}{wanted}{self.inside(field, depth - 1)}"

    def inside(self, field: GraphQLField, depth: int) -> str:
        named = get_named_type(field.type)
        if is_abstract_type(named):
            kinds = self.draw(
                st.lists(st.sampled_from(list(SCHEMA.get_possible_types(named))), max_size=3, unique=True)
            )
            self.apart += 1
            parts = [f"... on {kind.name} {self.selected(kind, depth)}" for kind in kinds]
            self.apart -= 1
            return " { __typename " + " ".join(parts) + " }"
        return f" {self.selected(named, depth)}" if isinstance(named, GraphQLObjectType) else ""

    def arguments(self, field: GraphQLField) -> str:
        given = [
            f"{name}: {self.draw(st.sampled_from(values))}"
            for name, argument in field.args.items()
            if (values := self.values_of(name, argument))
            and (is_required_argument(argument) or self.draw(st.sampled_from([True, False, False])))
        ]
        return f"({', '.join(given)})" if given else ""

    def values_of(self, name: str, argument: GraphQLArgument) -> list[str]:
        named = get_named_type(argument.type)
        if isinstance(named, GraphQLEnumType):
            return list(named.values)
        return self.values.get(named.name if name == "where" else name, [])


def documents(values: Values) -> st.SearchStrategy[str]:
    @st.composite
    def drawn(draw: Draw) -> str:
        return QueryBuilder(draw, values).document()

    return drawn()

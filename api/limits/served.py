"""What there is instead: the names that a document could have used where it names something that is not there."""

import re

from graphql import GraphQLEnumType, GraphQLError, GraphQLInputObjectType, GraphQLObjectType, GraphQLSchema

ARGUMENT = re.compile(r"Unknown argument '\w+' on field '(?P<type>\w+)\.(?P<field>\w+)'")
INPUT = re.compile(r"Expected value of type '(?P<type>\w+)!?' not to include unknown field '\w+'")
FIELD = re.compile(r"Cannot query field '\w+' on type '(?P<type>\w+)'\.$")  # and nothing has a name like it
VALUE = re.compile(r"does not exist in '(?P<type>\w+)' enum")
FOLLOWED = (
    "Nothing was read. A subscription is filtered by columns that have an index, here: {names}. "
    "Choose by other columns in your program, or declare an index in the projection."
)
FILTERED = "Nothing was read. A list is filtered by columns that have an index, here: {names}."
OWN_FIELDS = " Custom fields stand in `fields`, each by its `key`."
MOST = 60  # names in a sentence


def with_served(schema: GraphQLSchema, error: GraphQLError) -> GraphQLError:
    """Returns the error with the names that there are, if it is about one that there is not."""
    advice = next((found for look in LOOKS if (found := look(schema, error.message))), "")
    if not advice:
        return error
    place = error.nodes, error.source, error.positions, error.path, error.original_error, error.extensions
    return GraphQLError(f"{error.message} {advice}", *place)


def followed(schema: GraphQLSchema, message: str) -> str:
    """Returns by what a subscription can be filtered, or which arguments a query takes."""
    found = ARGUMENT.search(message)
    for root, advice in ((schema.subscription_type, FOLLOWED), (schema.query_type, "It takes {names}.")):
        if found and root and found["type"] == root.name and found["field"] in root.fields:
            names = sorted({*root.fields[found["field"]].args} - ({"after"} if advice is FOLLOWED else set()))
            return advice.format(names=", ".join(names) or "nothing")
    return ""


def inputs(schema: GraphQLSchema, message: str) -> str:
    """Returns what an input type has."""
    found = INPUT.search(message)
    kind = schema.get_type(found["type"]) if found else None
    if not isinstance(kind, GraphQLInputObjectType) or len(kind.fields) > MOST:
        return ""
    names = ", ".join(sorted(kind.fields))
    if not kind.name.endswith("Where"):
        return f"It has {names}."
    return FILTERED.format(names=names) + (OWN_FIELDS if "fields" in kind.fields else "")


def values(schema: GraphQLSchema, message: str) -> str:
    """Returns the values of an enum."""
    found = VALUE.search(message)
    kind = schema.get_type(found["type"]) if found else None
    if not isinstance(kind, GraphQLEnumType) or len(kind.values) > MOST:
        return ""
    return f"There are {', '.join(kind.values)}."


def fields(schema: GraphQLSchema, message: str) -> str:
    """Returns the fields of a type."""
    found = FIELD.search(message)
    kind = schema.get_type(found["type"]) if found else None
    if not isinstance(kind, GraphQLObjectType) or len(kind.fields) > MOST:
        return ""
    return f"It has {', '.join(sorted(kind.fields))}."


LOOKS = (followed, inputs, values, fields)

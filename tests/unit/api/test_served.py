"""A name that is not there is refused with those that are, unless the caller may not read the schema."""

from typing import Any

import pytest
from graphql import GraphQLError, OperationDefinitionNode, parse
from graphql.execution.values import get_variable_values

from api.limits.documents import DETAILS_HIDDEN, problems
from api.limits.served import with_served
from api.schema.lists import LISTS
from api.schema.names import camel
from api.schema.root import schema

WHERE = ", ".join(sorted(camel(name) for name in LISTS["deals"].where))
FILTERED = f"Nothing was read. A list is filtered by columns that have an index, here: {WHERE}. Custom fields stand in"
ORDERS = ", ".join(LISTS["deals"].orders)


@pytest.mark.parametrize(
    ("document", "advice"),
    [
        ('{ deals(where: {title: {eq: "x"}}) { nodes { id } } }', f"{FILTERED} `fields`, each by its `key`."),
        ("{ deals(orderBy: TITLE_ASC) { nodes { id } } }", f"There are {ORDERS}."),
        ('{ contacts(where: {name: {contains: "a"}}) { nodes { id } } }', "It has startsWith."),
        ('{ objectsBy(type: "a", field: "b", where: {}) { nodes { id } } }', "It takes after, anyOf, descending, "),
        (
            "{ objects(where: {fields: []}) { nodes { id } } }",
            "here: createdAt, mergedKeys, relatedTo, status, touchedAt",
        ),
        ("{ deals { rows { id } } }", "It has edges, nodes, pageInfo, totalCount."),
        ('mutation { noteAdd(input: {text: "x", body: "x"}) { userErrors { code } } }', "It has contactId, "),
    ],
)
def test_a_name_that_is_not_there_is_refused_with_those_that_are(document: str, advice: str) -> None:
    assert advice in problems(schema._schema, parse(document), suggest=True)[0].message
    assert {error.message for error in problems(schema._schema, parse(document), suggest=False)} == {DETAILS_HIDDEN}


@pytest.mark.parametrize(
    ("kind", "given", "advice"),
    [
        ("DealWhere", {"title": {"eq": "x"}}, FILTERED),
        ("DealWhere", {"stage": {"neq": "x"}}, "It has eq, in."),
        ("DealOrder", "TITLE_ASC", f"There are {ORDERS}."),
    ],
)
def test_the_same_in_a_variable(kind: str, given: Any, advice: str) -> None:
    (operation,) = parse(f"query ($given: {kind}) {{ __typename }}").definitions
    assert isinstance(operation, OperationDefinitionNode)
    found = get_variable_values(schema._schema, operation.variable_definitions, {"given": given})
    assert isinstance(found, list)
    assert advice in with_served(schema._schema, found[0]).message


@pytest.mark.parametrize(
    "message", ["Something else.", "does not exist in 'Nothing' enum", "Unknown argument 'x' on field 'A.b'."]
)
def test_other_errors_stay_as_they_are(message: str) -> None:
    error = GraphQLError(message)
    assert with_served(schema._schema, error) is error

"""GraphiQL's files and examples: all files are served, and all examples are valid."""

import json

import pytest
from graphql import parse, validate

from api.graphiql import examples, static
from api.schema.root import schema

EXAMPLES = {example["name"]: example for example in json.loads(examples())}


@pytest.mark.parametrize("name", EXAMPLES)
def test_an_example_is_a_valid_query(name: str) -> None:
    example = EXAMPLES[name]
    assert validate(schema._schema, parse(example["query"])) == []
    assert example["about"].endswith(".") and not name.startswith("#") and not name.endswith(".")


def test_a_planted_wrong_example_is_found() -> None:
    (error,) = validate(schema._schema, parse("{ leads { nodes { id } } }"))
    assert error.message.startswith("Cannot query field 'leads' on type 'Query'.")


def test_each_subscription_has_an_example() -> None:
    """The menu shows how to subscribe. Subscriptions to rows are the same for all types, so one example is enough."""
    queries = " ".join(example["query"] for example in EXAMPLES.values())
    subscriptions = schema._schema.subscription_type
    assert subscriptions and "dealChanged" in queries
    assert [name for name in subscriptions.fields if name not in queries and not name.endswith("Changed")] == []


def test_every_file_that_the_page_names_is_served() -> None:
    status, page, kind = static("/graphql")
    assert (status, kind) == (200, "text/html; charset=utf-8")
    named = [part.split('"')[0] for part in page.decode().replace("src=", "href=").split('href="')[1:]]
    assert len(named) == 10 and all(static(name)[0] == 200 for name in named if name.startswith("/"))
    assert static("/graphiql/examples.json") == (200, examples(), "application/json")
    status, start, kind = static("/")
    assert (status, kind) == (200, "text/plain; charset=utf-8")
    assert all(path in start for path in (b"/graphql", b"GraphiQL", b"/livez", b"/readyz", b"/metrics", b"docs/"))
    assert static("/graphiql/__init__.py")[0] == static("/graphiql/../app.py")[0] == 404

"""docs/graphql.md lists every error code, and every GraphQL snippet of the docs is valid."""

import ast
import re
from collections.abc import Iterator

import pytest
from graphql import parse, validate

from api.schema import filter_table, totals_table
from api.schema.root import schema
from tests.support.tools import ROOT

TABLE = re.compile(r"^\| `([A-Z_]+)` \| .+ \| .+ \|$", re.MULTILINE)
SNIPPETS = [
    pytest.param(text, id=f"{page.stem} {number}")
    for page in sorted((ROOT / "docs").rglob("*.md"))
    for number, text in enumerate(
        re.findall(r"^```graphql\n(.*?)^```", page.read_text("utf-8"), re.DOTALL | re.MULTILINE)
    )
]


def codes(text: str) -> Iterator[str]:
    """Of `code = "X"` in a class, of Refusal(status, "X", …) and of {"code": "X"}."""
    for node in ast.walk(ast.parse(text)):
        match node:
            case ast.Assign(targets=[ast.Name(id="code")], value=ast.Constant(value=str(code))):
                yield code
            case ast.Call(func=ast.Name(id="Refusal"), args=[_, ast.Constant(value=str(code)), *_]):
                yield code
            case ast.Dict(keys=keys, values=values):
                for key, value in zip(keys, values, strict=True):
                    match key, value:
                        case ast.Constant(value="code"), ast.Constant(value=str(code)):
                            yield code


def test_codes_are_found_however_they_are_given() -> None:
    planted = 'class A(E):\n    code = "A"\nraise Refusal(400, "B", "…")\nsaid = {"x": 1, "code": "C"}\ncode = at("D")'
    assert sorted(codes(planted)) == ["A", "B", "C"]


def test_the_table_has_every_code() -> None:
    documented = TABLE.findall((ROOT / "docs" / "graphql.md").read_text("utf-8"))
    thrown = {code for file in (ROOT / "api").rglob("*.py") for code in codes(file.read_text("utf-8"))}
    assert len(documented) == len(set(documented)) and sorted(thrown - set(documented)) == []


@pytest.mark.parametrize("text", SNIPPETS)
def test_a_snippet_fits_the_schema(text: str) -> None:
    assert validate(schema._schema, parse(text)) == []


def test_the_tables_of_lists_and_totals_are_todays() -> None:
    for generated in (filter_table, totals_table):
        assert generated.page() == generated.PAGE.read_text("utf-8"), "run `make schema`"

"""Plans without a database: the text of statements, their shapes, and that it has nothing from the caller."""

import json
import re
from types import SimpleNamespace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from api.engine import Engine
from api.errors import ApiError
from api.sql.plan.plan import Plan
from api.sql.plan.statement import NotPlannable, Statement

SHOP = "11111111-1111-4111-8111-111111111111"
READER: Any = SimpleNamespace(id="t", workspace=SHOP, scopes=("read",))
ENGINE = Engine()


def planned(document: str) -> Plan:
    plan = ENGINE.prepare(document, None, READER)
    assert not plan.errors, plan.errors
    return plan


def statement(document: str, **given: Any) -> Statement:
    plan = planned(document)
    variables = plan.variables(given)
    assert variables
    found = plan.statement(variables)
    assert found
    return found


def test_a_row_by_its_id() -> None:
    found = statement("query ($id: ID!) { contact(id: $id) { id name } }", id=SHOP)
    assert found.text.decode() == (
        'SELECT (SELECT row_to_json("row!") FROM (SELECT (SELECT (SELECT row_to_json("row!") FROM '
        '(SELECT t1.contact_id AS "id", t1.name AS "name") AS "row!") '
        "FROM read.contact AS t1 WHERE t1.workspace = $1::uuid AND t1.contact_id = $2::uuid) "
        'AS "contact") AS "row!")::text WHERE $1::uuid IS NOT NULL'
    )
    assert found.projections == {"contact"}


def test_a_page_walks_along_an_index_and_reads_one_more_row_only_for_page_info() -> None:
    plain = statement("{ deals(first: 3) { nodes { number } } }").text.decode()
    assert "LIMIT 101) AS p LIMIT $2::bigint) AS t1" in plain
    assert "row_number" not in plain
    peeking = statement("{ deals(first: 3) { nodes { number } pageInfo { hasNextPage } } }").text.decode()
    assert "LIMIT 101) AS p LIMIT $2::bigint + 1) AS t1" in peeking
    assert "FILTER (WHERE t1.rn <= $2::bigint)" in peeking


def test_a_key_longer_than_a_postgres_name_is_complete() -> None:
    key = "a" * 64
    assert (
        f"json_object('{key}' : t1.number, 'b' : "
        in statement(f"{{ deal(number: 7) {{ {key}: number b: title }} }}").text.decode()
    )


def test_more_than_fifty_fields_are_no_trouble() -> None:
    fields = " ".join(f"a{n}: number" for n in range(29)) + " id title stage owner source form page reference currency"
    assert "json_build_object" not in statement(f"{{ deal(number: 7) {{ {fields} }} }}").text.decode()


SHAPED = """query ($stage: String, $after: String, $with: Boolean = false, $by: DealOrder = TOUCHED_AT_DESC) {
  deals(stage: $stage, after: $after, orderBy: $by) { nodes { id title @include(if: $with) } } }"""


def test_a_plan_has_one_statement_for_each_shape_of_its_variables() -> None:
    """Their values are parameters, but for flags and enums."""
    plan = planned(SHAPED)
    texts: dict[str, bytes] = {}
    for given_variables in (
        {}, {"stage": None}, {"stage": "new"}, {"stage": "won"}, {"with": True}, {"by": "TOUCHED_AT_ASC"},
        {"stage": "'; DROP TABLE read.deal; --"},
    ):  # fmt: skip
        variables = plan.variables(given_variables)
        assert variables
        found = plan.statement(variables)
        assert found and found is plan.statement(variables)
        texts[str(given_variables)] = found.text
    assert len(set(texts.values())) == 4
    assert len(plan.statements) == 5  # a variable that is null has another shape than one that is not there
    assert texts["{'stage': 'new'}"] == texts["{'stage': 'won'}"]


def test_a_document_is_planned_once_for_each_role() -> None:
    document = "{ deals { nodes { id } } } # once"
    admin: Any = SimpleNamespace(id="a", workspace=SHOP, scopes=("admin",))
    assert ENGINE.prepare(document, None, READER) is ENGINE.prepare(document, None, READER)
    assert ENGINE.prepare(document, None, READER) is not ENGINE.prepare(document, None, admin)


NAMES = st.from_regex(r"[A-Za-z][_0-9A-Za-z]{0,70}", fullmatch=True)
QUERY = """query ($text: String, $json: JSON!) {{
  {root}: deals(owner: $text, stage: {literal}, field: [{{name: {literal}, equals: $json}}]) {{
    {many}: nodes {{ {leaf}: title {money}: amount {{ {leaf}: text }} }} }} }}"""


@given(root=NAMES, many=NAMES, leaf=NAMES, money=NAMES, text=st.text(min_size=1), literal=st.text(min_size=1))
def test_nothing_of_the_caller_is_in_the_text_but_response_keys(
    root: str, many: str, leaf: str, money: str, text: str, literal: str
) -> None:
    """Without its quoted keys, the text is that of a query with other keys and values."""
    leaf = leaf if leaf != money else leaf + "_"
    keys = {root, many, leaf, money}
    document = QUERY.format(root=root, many=many, leaf=leaf, money=money, literal=json.dumps(literal))
    plan = Engine().prepare(document, None, READER)
    if plan.errors:  # such as a name that is kept for introspection, or a lone surrogate
        return
    variables = plan.variables({"text": text, "json": text})
    assert variables
    found = plan.statement(variables)
    assert found
    assert without(found.text.decode(), keys) == without(
        statement(
            QUERY.format(root="a", many="b", leaf="c", money="d", literal='"e"'), text="f", json="g"
        ).text.decode(),
        {"a", "b", "c", "d"},
    )
    try:
        assert text in found.parameters(SHOP, variables)
    except (ApiError, NotPlannable, UnicodeError):
        return


def without(text: str, keys: set[str]) -> str:
    """A key too long for a name is in another form of object, which is brought to the same."""
    for key in sorted(keys, key=len, reverse=True):
        text = re.sub(rf"""(?<= AS )"{key}"|'{key}'(?= : )""", "KEY", text)
    text = re.sub(r"json_object\(((?:KEY : [\w.]+(?:, )?)+) RETURNING json\)", "OBJECT", text)
    return re.sub(
        r"""\(SELECT row_to_json\("row!"\) FROM \(SELECT ((?:[\w.]+ AS KEY(?:, )?)+)\) AS "row!"\)""", "OBJECT", text
    )


@pytest.mark.parametrize("document", ['{ search(text: "Olena") { hasMore } }', "{ __schema { queryType { name } } }"])
def test_fields_without_a_plan_are_resolved(document: str) -> None:
    plan = planned(document)
    variables = plan.variables({})
    assert variables and plan.statement(variables) is None

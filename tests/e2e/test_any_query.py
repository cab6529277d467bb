"""Any query that the schema allows, with and without the right to write, is answered without a server error."""

from collections.abc import Iterator
from typing import Any

import pytest
import schemathesis
from hypothesis import HealthCheck, Phase, given, seed, settings
from hypothesis import strategies as st
from schemathesis.core.result import Ok
from schemathesis.graphql import nodes, scalar

from tests.support import rehearse
from tests.support.running_stack import RunningStack, wait_until
from tests.support.tools import ROOT

MOMENTS = st.datetimes().map(lambda moment: nodes.String(moment.isoformat() + "+00:00"))
LEAVES = st.one_of(st.text().map(nodes.String), st.integers().map(nodes.Int), st.booleans().map(nodes.Boolean))
scalar("Long", st.one_of(st.integers(0, 100), st.integers()).map(nodes.Int))
scalar("DateTime", st.one_of(MOMENTS, st.text().map(nodes.String)))
scalar("JSON", st.one_of(LEAVES, st.lists(LEAVES, max_size=3).map(lambda leaves: nodes.List([*leaves]))))
SCHEMA = schemathesis.graphql.from_path(ROOT / "schema.graphql")
OPERATIONS = {o.ok().label: o.ok() for o in SCHEMA.get_all_operations() if isinstance(o, Ok)}
QUICK = settings(
    max_examples=20, deadline=None, database=None, phases=[Phase.generate], suppress_health_check=list(HealthCheck)
)
SERVERS_FAULT = {"INTERNAL", "UNAVAILABLE", "TOO_SLOW"}
TOKENS = {"reads": "--scope read", "does everything": "--scope read --scope write --scope connect --scope admin"}


@pytest.fixture(scope="module")
def tokens(stack: RunningStack) -> Iterator[dict[str, str]]:
    """Returns tokens of a workspace of its own with a deal."""
    workspace = stack.terminal.run_json("workspace create --name Any")["workspace"]
    made = {
        name: stack.terminal.run_json(f"token create --workspace {workspace} {scopes}")
        for name, scopes in TOKENS.items()
    }
    form = stack.terminal.run_json(f"connect form --workspace {workspace}")["url"]
    headers, body = rehearse.form({"Name": "Випадок", "Phone": "067 700 55 66"})
    wait_until(
        lambda: None if stack.http.post(form, content=body, headers=headers).is_success else "the form is not known yet"
    )
    stack.settle()
    yield {name: token["token"] for name, token in made.items()}


def wrong(status: int, answer: Any) -> str | None:
    """Returns what is wrong with an answer, whatever the query was."""
    codes = {error.get("extensions", {}).get("code") for error in answer.get("errors", ())}
    if status not in (200, 400, 403):
        return f"status {status}"
    return f"codes {codes}" if codes & SERVERS_FAULT or None in codes else None


def test_a_planted_server_error_is_seen() -> None:
    assert wrong(200, {"errors": [{"message": "…", "extensions": {"code": "INTERNAL"}}]}) == "codes {'INTERNAL'}"
    assert wrong(200, {"errors": [{"message": "…"}]}) == "codes {None}"
    assert (wrong(502, {}), wrong(200, {"data": {}})) == ("status 502", None)


@pytest.mark.parametrize("label", OPERATIONS)
def test_an_operation_is_answered(stack: RunningStack, tokens: dict[str, str], label: str) -> None:
    @seed(2026)
    @QUICK
    @given(case=OPERATIONS[label].as_strategy())
    def check_case(case: Any) -> None:
        for name, token in tokens.items():
            answer = stack.http.post(
                stack.graphql_url, json={"query": case.body}, headers={"authorization": f"Bearer {token}"}
            )
            found = wrong(answer.status_code, answer.json())
            assert not found, f"{name}: {found} of {case.body}\n{answer.text}"

    check_case()

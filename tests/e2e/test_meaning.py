"""A sample of the meaning corpus through a running stack, from HTTP to GraphQL."""

import json
from typing import Any

import httpx
import msgspec
import pytest

from tests.meaning.corpus import Case, cases, request
from tests.meaning.judge import CHECKS
from tests.support.running_stack import RunningStack, wait_until

CHECKED = ("contacts", "deals")
READ = """{
  contacts(first: 100, orderBy: CREATED_AT_ASC) { nodes {
    contact_id: id name phones emails merged_into: mergedInto touched_at: touchedAt } }
  deals(first: 100, orderBy: NUMBER_ASC) { nodes { deal_id: id contact_id: contactId number title stage owner reference
    suspicious fields doubts currency amount { minor } paid { minor } held { minor } } } }"""
CONNECT = """mutation ($i: ConnectionAddInput!) {
  connectionAdd(input: $i) { connection { id } userErrors { message } } }"""
SAMPLE = 24


def sample() -> list[Case]:
    """Draws evenly from all cases that are forms or facts and need no setup."""
    fitting = [
        case
        for case in cases()
        if not (case.deals or case.fields or case.workspace)
        and all(step["to"].partition(":")[0] in ("form", "facts") and "after_s" not in step for step in case.steps)
        and {*case.expect} & {*CHECKED}
        and (len(case.steps) > 1 or not several(case.expect.get("deals")))  # senders of one delivery have no order
    ]
    return fitting[:: max(1, len(fitting) // SAMPLE)]


def several(deals: Any) -> bool:
    """Tells whether more than one deal is expected: a list of them, or their number."""
    return (deals if isinstance(deals, int) else len(deals or ())) > 1


class Rows:
    """Reads a workspace's rows through GraphQL, in the form that the judge takes."""

    def __init__(self, stack: RunningStack, token: str) -> None:
        self.stack, self.token = stack, token
        self.http = stack.http
        wait_until(lambda: None if self.answer("{ __typename }").status_code == 200 else "the token is not known yet")

    def answer(self, query: str, variables: dict[str, Any] | None = None) -> httpx.Response:
        return self.post(self.stack.graphql_url, json={"query": query, "variables": variables or {}})

    def post(self, url: str, **sent: Any) -> httpx.Response:
        headers = {"authorization": f"Bearer {self.token}", **sent.pop("headers", {})}
        return self.http.post(url, headers=headers, **sent)

    def ask(self, query: str, variables: dict[str, Any] | None = None) -> Any:
        body = self.answer(query, variables).json()
        assert "errors" not in body, body
        return body["data"]

    def rows(self, name: str) -> list[Any]:
        return [row(node) for node in self.ask(READ)[f"{name}s"]["nodes"]]

    def connect(self, name: str, settings: dict[str, str]) -> str:
        pairs = [{"key": key, "value": value} for key, value in settings.items()]
        made = self.ask(CONNECT, {"i": {"connector": name.partition(":")[0], "name": name, "settings": pairs}})
        assert not made["connectionAdd"]["userErrors"], made
        url = f"{self.stack.intake_url}/in/{made['connectionAdd']['connection']['id']}"
        wait_until(lambda: None if self.http.get(url).status_code != 404 else "the connection is not known yet")
        return url


def row(node: dict[str, Any]) -> Any:
    """Converts a node to the columns' names and types."""
    for name in ("amount", "paid", "held"):
        if name in node:
            node[f"{name}_minor"] = int(node.pop(name)["minor"])
    if "fields" in node:
        node["fields"] = {key: json.dumps(value, ensure_ascii=False) for key, value in node["fields"].items()}
    return msgspec.defstruct("Row", node.keys())(**node)


@pytest.mark.parametrize("case", sample(), ids=lambda case: case.id)
def test_the_stack_means_the_same(stack: RunningStack, case: Case) -> None:
    made = stack.terminal.run_json("workspace create --name Meaning --owner first --owner second")
    shop = Rows(stack, made["token"])
    urls: dict[str, str] = {"facts": f"{stack.intake_url}/facts"}
    for step in case.steps:
        to = step["to"]
        if to not in urls:
            urls[to] = shop.connect(to, step.get("settings", {}))
        headers, body = request(step)
        taken = (200, 422) if to == "facts" else (200,)  # 422: none of the lines was accepted
        assert shop.post(urls[to], content=body, headers=headers).status_code in taken
        stack.settle()
    wanted = [(name, case.expect[name]) for name in CHECKED if name in case.expect]
    problems = [sentence for name, said in wanted for sentence in CHECKS[name](said, shop)]
    assert not problems, case.why

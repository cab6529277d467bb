"""An export by GraphQL on a running stack: begun, written by the role, fetched by its link without a token."""

import csv
from typing import Any

import httpx

from tests.support.running_stack import RunningStack, wait_until
from tests.support.timeouts import TIMEOUT

START = """mutation($what: String!, $where: String! = "", $format: ExportFormat! = CSV) {
  exportStart(what: $what, where: $where, format: $format) { fileExport { id phase } userErrors { message } } }"""
FOUND = "query($id: ID!) { fileExport(id: $id) { phase rows message link expiresAt } }"


def exported(stack: RunningStack, **given: Any) -> dict[str, Any]:
    id = stack.ask(START, **given)["exportStart"]["fileExport"]["id"]
    seen: dict[str, Any] = {}

    def missing() -> str | None:
        seen.update(stack.ask(FOUND, id=id)["fileExport"])
        return "it is waiting" if seen["phase"] == "WAITING" else None

    wait_until(missing)
    return seen


def test_a_view_is_exported_behind_a_link(stack: RunningStack) -> None:
    fact = {
        "type": "ContactReported", "id": "export-1", "system": "exporting", "key": "1", "name": "=Олена",
        "phones": ["0509777701"], "changed_at": "2026-01-02T03:04:05Z",
    }  # fmt: skip
    assert stack.facts(httpx.Request("POST", "http://x", json=fact).content).status_code == 200
    stack.settle()
    done = exported(stack, what="contact", where="'+380509777701' = ANY (phones)")
    assert (done["phase"], done["rows"], done["message"]) == ("DONE", 1, None)
    server = stack.graphql_url.removesuffix("/graphql")
    answer = httpx.get(f"{server}{done['link']}", timeout=TIMEOUT)
    header, row = csv.reader(answer.content.decode("utf-8-sig").splitlines())
    assert row[header.index("name")] == "'=Олена"
    book = exported(stack, what="contact", where="'+380509777701' = ANY (phones)", format="XLSX")
    assert httpx.get(f"{server}{book['link']}", timeout=TIMEOUT).content.startswith(b"PK")
    assert httpx.get(f"{server}{done['link'][:-4]}AAAA", timeout=TIMEOUT).status_code == 404


def test_a_condition_that_postgres_refuses_is_said(stack: RunningStack) -> None:
    done = exported(stack, what="deal", where="no_such_column = 1")
    assert (done["phase"], done["link"]) == ("FAILED", None)
    assert done["message"].startswith('column "no_such_column" does not exist')
    done = exported(stack, what="deal", where="true) TO PROGRAM 'id' --")
    assert (done["phase"], done["link"]) == ("FAILED", None)

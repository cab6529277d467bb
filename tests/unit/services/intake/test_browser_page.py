"""docs/browser.md: its form and its scripts do what the page says."""

import asyncio
import json
import re
from pathlib import Path
from typing import Any

import httpx
import pytest
from graphql import parse, validate

from api.schema.root import schema
from crm.adapters.cors import Origins
from crm.adapters.kafka.directory import Access
from crm.adapters.memory.log import MemoryLog
from crm.contract.codec import decode, encode
from crm.facts import ConnectionDeclared, FormSubmitted
from crm.scalars import Id
from services.connectors import CONNECTORS
from services.intake.app import Intake
from tests.support.intake_server import meta
from tests.support.tools import NODE, ROOT, run

PAGE = (ROOT / "docs" / "browser.md").read_text("utf-8")
(FORM,) = re.findall(r"^```html\n(.*?)^```", PAGE, re.DOTALL | re.MULTILINE)
SEND, BOARD = re.findall(r"^```js\n(.*?)^```", PAGE, re.DOTALL | re.MULTILINE)
(ACTION,) = re.findall(r'action="https://crm\.example\.com(/in/([^"]+))"', FORM)
SITE = "https://app.example.com"
BROWSER = "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8"


@pytest.fixture
def log() -> MemoryLog:
    return MemoryLog()


def ask(log: MemoryLog, method: str, headers: dict[str, str], body: str = "") -> httpx.Response:
    """Sends a request to intake, with a form connection and the setting of the page."""
    access = Access()
    access.complete = True
    id = Id(ACTION[1])
    settings = {"redirect_hosts": "www.example.com"}
    access.take(id.encode(), encode(ConnectionDeclared(meta(id), id, "form", "", "s3cret", settings, True)))
    app: Any = Origins.read(f"{SITE},http://localhost:5173").for_forms(Intake(access, log, CONNECTORS))

    async def answer() -> httpx.Response:
        async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://crm") as client:
            return await client.request(method, ACTION[0], headers=headers, content=body)

    return asyncio.run(answer())


def test_the_form_sends_its_visitor_on(log: MemoryLog) -> None:
    names = re.findall(r'name="([^"]+)"', FORM)
    assert names == ["name", "phone", "message", "_next"]
    values = ["Olena", "067 123 45 67", "A kitchen", *re.findall(r'name="_next" value="([^"]+)"', FORM)]
    body = str(httpx.QueryParams(dict(zip(names, values, strict=True))))
    headers = {"content-type": "application/x-www-form-urlencoded", "accept": BROWSER, "origin": "https://a.example"}
    answer = ask(log, "POST", headers, body)
    assert (answer.status_code, answer.headers["location"]) == (303, "https://www.example.com/thanks.html")
    fact = decode(log.records[0].value or b"")
    assert isinstance(fact, FormSubmitted)
    assert (fact.name, fact.phones[0].e164, fact.fields) == ("Olena", "+380671234567", {"message": '"A kitchen"'})


def test_the_script_sends_a_form_and_reads_its_id(log: MemoryLog, tmp_path: Path) -> None:
    script = tmp_path / "send.mjs"
    stand_ins = """
globalThis.FormData = class { constructor(form) { return new Map(Object.entries(form)); } };
globalThis.fetch = async (address, { method, body }) => {
  const { headers } = new Request(address, { method, body });
  console.log(JSON.stringify({ method, type: headers.get("content-type"), body: String(body) }));
  return Response.json({ id: "1" });
};
console.log(await sendForm({ name: "Olena", phone: "067 123 45 67" }, "https://crm.example.com"));
"""
    script.write_text(SEND + stand_ins)
    sent, id = run(NODE, script).splitlines()
    request = json.loads(sent)
    headers = {"content-type": request["type"], "accept": "*/*", "origin": SITE}
    answer = ask(log, request["method"], headers, request["body"])
    assert (answer.status_code, answer.headers["access-control-allow-origin"], id) == (200, SITE, "1")
    assert answer.json() == {"id": decode(log.records[0].value or b"").meta.id}


def test_the_board_shows_what_is_in_its_columns(tmp_path: Path) -> None:
    (tmp_path / "package.json").write_text('{"type": "module"}')
    (tmp_path / "board.js").write_text(BOARD)
    (tmp_path / "potik.ts").write_text("""
export async function read(access: object, document: string, { stage }: { stage: string }) {
  console.log(JSON.stringify(document));
  return { data: { deals: { nodes: [{ id: stage, stage }] } }, position: `at ${stage}` };
}
export async function* follow(access: object, document: string, variables: object) {
  console.log(JSON.stringify(document));
  console.log(JSON.stringify(variables));
  yield { dealChanged: { id: "7", left: false, deal: { id: "7" } } };
  yield { dealChanged: { id: "new", left: true, deal: { id: "new" } } };
}
""")
    (tmp_path / "run.js").write_text("""
import { board } from "./board.js";
await board({}, ["new", "talks"], (cards) => console.log(JSON.stringify(cards.map(({ id }) => id))));
""")
    lines = [json.loads(line) for line in run(NODE, "run.js", cwd=tmp_path).splitlines()]
    documents = [line for line in lines if isinstance(line, str)]
    assert len(documents) == 3
    for document in documents:
        assert validate(schema._schema, parse(document)) == []
    assert [line for line in lines if not isinstance(line, str)] == [
        ["new", "talks"],
        {"stages": ["new", "talks"], "after": "at new"},
        ["new", "talks", "7"],
        ["talks", "7"],
    ]


def test_a_ready_proxy_passes_on_nothing_but_what_others_need() -> None:
    caddyfile = (ROOT / "deploy" / "caddy" / "Caddyfile").read_text("utf-8")
    assert re.findall(r"^\t(?:handle|@\w+ path) (.*?)(?: \{)?$", caddyfile, re.MULTILINE) == [
        "/in/* /form.js /oauth/callback",
        "@intake",
        "/facts",
        "/ /graphql /graphiql/* /screen-pop /attachments /imports /imports/* /exports/* /console /console/*",
        "@api",
        "{",
    ]
    compose = (ROOT / "docker-compose.yml").read_text("utf-8")
    for name in ("CRM_PUBLIC_URL", "CRM_CORS_ORIGINS", "CRM_TRUST_FORWARDED"):
        assert f"    {name}: ${{{name}:-" in compose

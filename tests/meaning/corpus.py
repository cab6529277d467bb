"""The corpus: what people and systems send, and what a careful person would make of it. One case is one workspace."""

import base64
import json
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import quote_plus

import msgspec

from crm.money import to_minor
from crm.scalars import Id
from tests.meaning.stage import SECOND, Stage

FOLDER = Path(__file__).parent
NOON = 1_795_860_000 * SECOND  # 2026-11-28 10:00 UTC, 12:00 in Kyiv
BOUNDARY = "----meaning"
URLENCODED = "application/x-www-form-urlencoded"


class Case(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What is sent (`steps`), what is right (`expect`), and `why`. The README has every key."""

    id: str
    why: str
    steps: list[dict[str, Any]]
    expect: dict[str, Any]
    workspace: dict[str, str] = {}  # msgspec gives each its own
    fields: list[dict[str, Any]] = []
    deals: list[dict[str, Any]] = []
    topic: str = ""


def cases() -> Iterator[Case]:
    """Every case of every file, its file's name as topic. Raises msgspec.ValidationError for an unknown key."""
    for path in sorted(FOLDER.glob("*.toml")):
        for case in tomllib.loads(path.read_text(encoding="utf-8"))["case"]:
            yield msgspec.convert({**case, "topic": path.stem}, Case)


def played(case: Case) -> Stage:
    """The workspace after all steps of a case."""
    stage = Stage(NOON, **case.workspace)
    for field in case.fields:
        stage.define(**field)
    for deal in case.deals:
        opened(stage, **deal)
    answers: dict[str, Id] = {}
    for step in case.steps:
        stage.now += int(step.get("after_s", 0)) * SECOND
        to = step["to"]
        if to == "command":
            id = stage.command(step["command"], referred(step["input"], answers))
            answers[step.get("as", "")] = id
            continue
        headers, body = request(paid(step, stage) if to == "payment" else step)
        if to in ("facts", "payment"):
            stage.facts(headers, body)
        else:
            stage.connect(to, step.get("settings", {}), **({"secret": step["secret"]} if "secret" in step else {}))
            stage.deliver(to, headers, body)
    return stage


def opened(stage: Stage, amount: str, contact: dict[str, Any], stage_to: str = "", reference: str = "") -> None:
    """A deal that somebody opens by hand. Contacts that are given alike are one contact."""
    name = json.dumps(contact, sort_keys=True)
    if name not in stage.contacts:
        stage.contacts[name] = stage.command("contactCreate", contact)
    units, currency = amount.split()
    given = {"minor": to_minor(units, currency), "currency": currency}
    deal = {"contactId": stage.contacts[name], "title": "By hand", "amount": given, "reference": reference}
    id = stage.command("dealOpen", deal)
    if stage_to == "won":
        stage.command("dealWin", {"dealId": id})
    if stage_to == "lost":
        stage.command("dealLose", {"dealId": id, "why": "They bought elsewhere"})


def paid(step: dict[str, Any], stage: Stage) -> dict[str, Any]:
    """A settled payment as a bank's program sends it to POST /facts."""
    units, currency = step["amount"].split()
    report = {"provider": "bank", "status": "settled", "currency": currency, "amount": units, "changed_at": stage.now}
    given = {name: value for name, value in step.items() if name not in ("to", "amount", "after_s")}
    return {"json": {"type": "PaymentReported", "payment": "p", **report, **given}}


def referred(given: Any, answers: dict[str, Id]) -> Any:
    """`$key` stands for the id that the step with `as = "key"` was answered with."""
    if isinstance(given, dict):
        return {name: referred(value, answers) for name, value in given.items()}
    if isinstance(given, list):
        return [referred(value, answers) for value in given]
    return answers[given[1:]] if isinstance(given, str) and given.startswith("$") else given


def request(step: dict[str, Any]) -> tuple[dict[str, str], bytes]:
    """Headers (lower case) and bytes of one request."""
    charset = step.get("charset", "utf-8")
    kind = URLENCODED
    if "form" in step:
        pairs = step["form"].items() if isinstance(step["form"], dict) else step["form"]
        body = "&".join(f"{quoted(name, charset)}={quoted(value, charset)}" for name, value in pairs).encode()
    elif "multipart" in step:
        body = b"".join(part(*pair, charset=charset) for pair in step["multipart"]) + f"--{BOUNDARY}--\r\n".encode()
        kind = f"multipart/form-data; boundary={BOUNDARY}"
    elif "json" in step:
        given = step["json"]
        body = (given if isinstance(given, str) else json.dumps(given, ensure_ascii=False)).encode(charset)
        kind = "application/json"
    elif "base64" in step:
        body = base64.b64decode(step["base64"])
    else:
        body = step["body"].encode(charset)
    headers = {"content-type": step.get("content_type", kind), **step.get("headers", {})}
    return {name.lower(): value for name, value in headers.items() if value}, body


def quoted(text: str, charset: str) -> str:
    return quote_plus(text, encoding=charset, errors="xmlcharrefreplace")


def part(name: str, value: str, charset: str) -> bytes:
    head = f'--{BOUNDARY}\r\nContent-Disposition: form-data; name="{name}"\r\n\r\n'
    return f"{head}{value}\r\n".encode(charset)

"""`crm tail` shows what happened without showing whom it happened to."""

from types import SimpleNamespace
from typing import Any

from crm.contract.codec import encode
from crm.facts import ConnectionDeclared, FormSubmitted
from crm.scalars import Id, Micros
from crm.shared import Meta, Phone, Raw
from services.cli.commands.tail import describe, line

ID = Id("6f0d2f0e-3c5c-4f0e-9a64-2f1f6f4f8a01")
META = Meta(ID, ID, ID, Micros(1_700_000_000_000_000), Micros(1_700_000_000_000_000), "form", ID)
FORM = FormSubmitted(
    META,
    Raw("application/json", {"user-agent": "curl"}, "", b'{"name": "Olena"}'),
    name="Olena",
    phones=(Phone("067 123 45 67", "+380671234567"),),
    fields={"status": "divorced"},
    amount_minor=20_200,
    currency="UAH",
)


def record(value: bytes | None) -> Any:
    return SimpleNamespace(topic="crm.intake.forms", partition=1, offset=7, value=value)


def test_persons_are_masked_and_figures_are_not() -> None:
    described = describe(record(encode(FORM)), show=False)
    assert described == {
        "topic": "crm.intake.forms",
        "partition": 1,
        "offset": 7,
        "type": "FormSubmitted",
        "at": "2023-11-14T22:13:20+00:00",
        "workspace": ID,
        "stream": ID,
        "raw": {"content_type": "application/json", "headers": {"user-agent": "***"}, "query": "", "body": "17 bytes"},
        "form": "",
        "page": "",
        "name": "***",
        "phones": [{"text": "***", "e164": "***", "extension": ""}],
        "emails": [],
        "utm": {},
        "fields": {"status": "***"},
        "files": [],
        "amount_minor": 20_200,
        "currency": "UAH",
        "reference": "",
        "suspicious": "",
        "doubts": [],
        "digest": "",
    }


def test_show_shows_all_of_it() -> None:
    described = describe(record(encode(FORM)), show=True)
    assert (described["name"], described["fields"], described["raw"]["body"]) == (
        "Olena",
        {"status": "divorced"},
        '{"name": "Olena"}',
    )


def test_a_secret_is_masked() -> None:
    connection = ConnectionDeclared(META, ID, "telegram", "Bot", "s3cret", {"bot_token": "1:a"})
    assert "s3cret" not in str(describe(record(encode(connection)), show=False))
    assert describe(record(encode(connection)), show=False)["settings"] == {"bot_token": "***"}


def test_what_cannot_be_read_says_why() -> None:
    assert describe(record(b"junk"), show=False) == {
        "topic": "crm.intake.forms",
        "partition": 1,
        "offset": 7,
        "type": "unreadable",
        "error": "the record is not framed: it must begin with a zero byte and a schema id",
    }


def test_a_line_leaves_out_what_is_empty() -> None:
    described = {
        "type": "DealPaid",
        "partition": 3,
        "offset": 9,
        "at": "2023-11-14T22:13:20+00:00",
        "why": "",
        "number": 4,
    }
    assert line(described) == "2023-11-14T22:13:20+00:00        DealPaid             3/9 number=4"

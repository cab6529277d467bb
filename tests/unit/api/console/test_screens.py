"""Every screen, with everything that its document may bring and with nothing of it, in both languages."""

import asyncio
import re
from pathlib import Path
from typing import Any

import pytest
from babel.messages.pofile import read_po
from graphql import parse, validate
from starlette.requests import Request

from api.console.languages import LANGUAGES, WORDS, Speaker
from api.console.pages import HERE, environment
from api.console.questions import DOCUMENTS, document
from api.console.screens import SCREENS
from api.console.tables import Table, as_csv
from api.console.view import View
from api.schema.root import schema
from tests.support.filled import VALUES, Filler

SCHEMA = schema._schema
ME = {
    "name": "Olena",
    "scopes": ["read", "write", "connect"],
    "intakeUrl": "http://127.0.0.1:8080",
    "workspace": {"name": "<S>", "timezone": "Europe/Kyiv"},
    "stages": {"new": "<S>"},
    "owners": [{"key": "olena", "name": "<b>Olena</b>"}],
}
NAMES = {
    "id": VALUES["ID"],
    "stage": "new",
    "type": "deal",
    "field": "stage",
    "name": VALUES["String"],
    "kind": "deals",
}
TAG = re.compile(r"<(b|i|S)>")


class Answered:
    """Questions that are answered at once."""

    first_seen = "0:1"

    def __init__(self, whole: bool) -> None:
        self.filler = Filler(SCHEMA, whole)

    async def ask(self, name: str, /, **variables: Any) -> dict[str, Any]:
        return self.filler.answer(document(name))

    async def run(self, name: str, /, **fields: Any) -> dict[str, Any]:
        raise AssertionError("a screen that is looked at changes nothing")

    async def change(self, name: str, /, **fields: Any) -> dict[str, Any]:
        raise AssertionError("a screen that is looked at changes nothing")


def view(language: str, whole: bool, query: str = "", part: bool = False) -> View:
    headers = [(b"hx-request", b"true")] if part else []
    scope = {
        "type": "http",
        "method": "GET",
        "path": "/",
        "query_string": query.encode(),
        "headers": headers,
        "path_params": NAMES,
    }
    return View(Request(scope), Answered(whole), Speaker(language, "Europe/Kyiv"), ME)  # type: ignore[arg-type]  # a fake


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("path", SCREENS)
@pytest.mark.parametrize("query", ["", "q=olena&at=2026-10-05T09:01:00%2B00:00&owner=olena&id=x&other=" + VALUES["ID"]])
@pytest.mark.parametrize("part", [False, True])
def test_with_everything_there(path: str, language: str, query: str, part: bool) -> None:
    shown = asyncio.run(SCREENS[path](view(language, True, query, part)))
    assert shown.status_code == 200
    assert not TAG.search(bytes(shown.body).decode()), "what is put into a page is escaped"


@pytest.mark.parametrize("path", SCREENS)
@pytest.mark.parametrize("query", ["", "at=2026-10-05T09:01:00%2B00:00"])
def test_with_nothing_there(path: str, query: str) -> None:
    if "{name}" in path or path == "/console/rules/{id}":  # found in a list
        with pytest.raises(LookupError):
            asyncio.run(SCREENS[path](view("uk", False, query)))
    else:
        assert asyncio.run(SCREENS[path](view("uk", False, query))).status_code == 200


@pytest.mark.parametrize("file", sorted(DOCUMENTS.glob("*.graphql")), ids=lambda file: file.stem)
def test_a_document_fits_the_schema(file: Path) -> None:
    assert validate(SCHEMA, parse(file.read_text("utf-8"))) == []


def test_all_that_is_said_is_said_in_ukrainian() -> None:
    with (WORDS / "uk.po").open("rb") as lines:
        known = {one.id for one in read_po(lines, locale="uk") if one.id and one.string}
    said: set[str] = set()
    for file in (HERE / "templates").rglob("*.html"):
        found = environment("en").extract_translations(file.read_text("utf-8"))  # type: ignore[attr-defined]  # of i18n
        said |= {text for _, _, text in found if isinstance(text, str)}
    said |= {
        text
        for file in HERE.rglob("*.py")
        for text in re.findall(r"""gettext\("([^"]+)"\)|\b_\("([^"]+)"\)""", file.read_text())
        for text in text
        if text
    }
    assert said == known


@pytest.mark.parametrize(
    ("language", "text", "said"),
    [
        ("uk", "1250.00 UAH", "1 250 ₴"),
        ("uk", "1250.50 UAH", "1 250,50 ₴"),
        ("en", "1250.50 UAH", "1,250.50 UAH"),
        ("en", "-7.00 USD", "$-7"),
        ("uk", "9007199254740993.01 UAH", "9 007 199 254 740 993,01 ₴"),
    ],
)
def test_a_sum_is_said_to_the_last_kopeck(language: str, text: str, said: str) -> None:
    amount = {"text": text, "currency": text[-3:]}
    assert Speaker(language).money(amount).replace("\u00a0", " ") == said


def test_a_spreadsheet_runs_nothing_that_somebody_typed() -> None:
    table = Table(["Source"], [["=1+1"], ["@x"], ["form"], ["-2"], ["-2+3"]], [1, 1, 1, 1, 1])
    assert as_csv(table) == "\ufeffSource\r\n'=1+1\r\n'@x\r\nform\r\n-2\r\n'-2+3\r\n"


def test_a_card_to_merge_with_is_found_by_what_is_known_of_it() -> None:
    page = asyncio.run(SCREENS["/console/contacts/{id}/merge"](view("en", True, "other=olena")))
    assert "Who is the same person?" in bytes(page.body).decode()


def test_what_happened_is_said_in_the_language_of_the_person() -> None:
    said = Speaker("uk").vocabulary.sentence
    assert [
        said(title) for title in ("Stage new → in_progress", "Learnt phone +380671234567", "Call hung up", "?")
    ] == [
        "Етап: Новий → В роботі",
        "Дізналися: телефон +380671234567",
        "Дзвінок: завершено",
        "?",
    ]
    assert Speaker("en").vocabulary.sentence("Stage new → in_progress") == "Stage New → In progress"
    assert said("Answer of {0} new") == "Відповідь від {0} new", "what a person wrote is no template"


@pytest.mark.parametrize(
    ("seconds", "said"), [(None, ""), (0.4, "1 sec"), (90, "90 sec"), (129_600, "36 hr"), (864_000, "10 days")]
)
def test_how_long_something_took_is_said_in_one_unit(seconds: float | None, said: str) -> None:
    assert Speaker("en").duration(seconds) == said


def test_a_moment_without_an_offset_is_of_the_workspace() -> None:
    assert view("uk", True).in_zone("2026-11-30T12:00") == "2026-11-30T12:00:00+02:00"
    assert view("uk", True).in_zone("2026-11-30T12:00:00+01:00") == "2026-11-30T12:00:00+01:00"
    assert (view("uk", True).in_zone("noon"), view("uk", True).in_zone("")) == ("noon", None)

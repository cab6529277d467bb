"""`crm import` talks to the API: what is there already is not sent again, and what is refused is a sentence."""

from pathlib import Path
from typing import Any

import httpx
import msgspec
import pytest
import typer

from crm.imports import Kept, Options, Phase, Status, Undo, Wish, digest_of
from crm.scalars import Id
from services.cli.import_undo import take_back
from services.operations.imports import client as followed
from services.operations.imports.client import ImportClient
from tests.support.page import Page

ID = Id("00000000-0000-4000-8000-00000000000a")


class Api:
    """Answers in turn, and keeps what it was asked."""

    def __init__(self, *answers: Status | str | Exception) -> None:
        self.answers, self.requests = list(answers), list[tuple[str, str, bytes]]()

    def __call__(self, request: httpx.Request) -> httpx.Response:
        self.requests.append((request.method, request.url.raw_path.decode(), request.read()))
        answer = self.answers.pop(0)
        if isinstance(answer, Exception):
            raise answer
        if isinstance(answer, str):
            return httpx.Response(404, json={"errors": [{"message": answer}]})
        return httpx.Response(200, content=msgspec.json.encode(answer))


def client(folder: Path, api: Api, **options: Any) -> ImportClient:
    file = folder / "a.csv"
    file.write_bytes(b"Name\nAnn\n")
    return ImportClient("http://api", "t", file, Options(**options), httpx.MockTransport(api))


def test_a_file_is_sent_once(tmp_path: Path) -> None:
    api = Api("no such import", Status(ID), Status(ID), Status(ID))
    with client(tmp_path, api, system="crm1") as one:
        one.check()
        one.check()
    sha256 = digest_of(tmp_path / "a.csv")
    assert api.requests == [
        ("GET", f"/imports/{sha256}", b""),
        ("POST", "/imports?name=a.csv&options=%7B%22system%22%3A%22crm1%22%7D", b"Name\nAnn\n"),
        ("GET", f"/imports/{sha256}", b""),
        ("POST", f"/imports/{sha256}?wish=check", b'{"system":"crm1"}'),
    ]


def test_an_import_is_checked_by_its_id() -> None:
    """Of a table that came by mail nobody at the terminal has the file."""
    api = Api(Status(ID), Status(ID), "This workspace has no such import.")
    with ImportClient("http://api", "t", Path(ID), None, httpx.MockTransport(api)) as one:
        one.check()
        with pytest.raises(ValueError, match=r"^This workspace has no such import\.$"):
            one.check()
    assert api.requests == [
        ("GET", f"/imports/{ID}", b""),
        ("POST", f"/imports/{ID}?wish=check", b""),
        ("GET", f"/imports/{ID}", b""),
    ]


def test_the_page_shows_what_an_undo_prints(capsys: pytest.CaptureFixture[str]) -> None:
    blocks = Page("imports.md").blocks
    place = next(n for n, (kind, text) in enumerate(blocks) if kind == "sh" and "crm import undo" in text)
    commands = [line.split()[2:] for line in blocks[place][1].splitlines()]
    assert commands == [["undo", "clients.csv", "--dry-run"], ["undo", "clients.csv", "--yes"], ["redo", "clients.csv"]]
    why = "It was renamed to 'Олена Коваль' by ivan@example.com on 2026-11-29."
    undo = Undo(contacts=698, set_back=1, kept=1, reasons=[Kept("contact", ID, "Олена Коваль", why)])
    known = Status(ID, Phase.UNDO_CHECKED, name="clients.csv", undo=undo)
    gone = Status(ID, Phase.UNDONE, name="clients.csv", undo=undo)
    again = Status(ID, Phase.DONE, name="clients.csv", decided=699)
    answers = {"--dry-run": [known] * 2, "--yes": [known, known, gone, gone], "clients.csv": [again] * 2}
    printed = []
    for word, file, *flags in commands:
        api = Api(*answers[flags[0] if flags else file])
        one = ImportClient("http://api", "t", Path(file), None, httpx.MockTransport(api))
        with pytest.raises(typer.Exit) as ended:
            take_back(word, Path(file), one, "--dry-run" in flags, "--yes" in flags, json=False)
        assert ended.value.exit_code == 0 and api.answers == []
        said = capsys.readouterr()
        printed.append(said.out + said.err)
    assert blocks[place + 1] == ("text", printed[0])
    assert "clients.csv: 698 contacts are gone, 1 are as before, 1 kept." in printed[1]
    assert printed[2] == "clients.csv: 699 rows came again in 0.0 s.\n"


def test_a_file_that_is_too_large_is_not_sent(tmp_path: Path) -> None:
    """The API answered while it was being sent, and the command said that the API cannot be reached."""
    file = tmp_path / "large.csv"
    with file.open("wb") as made:
        made.truncate(2_000_000_001)
    with pytest.raises(ValueError, match=r"large.csv has 2,000,000,001 bytes, .* Nothing was sent."):
        ImportClient("http://api", "t", file, Options())


def test_it_is_followed_while_the_api_starts_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(followed, "LOOK_SECONDS", 0)
    away, seen = httpx.ConnectError("refused"), list[Phase]()
    api = Api(Status(ID, Phase.CHECKING), away, away, Status(ID, Phase.CHECKED))
    with client(tmp_path, api) as one:
        assert one.follow(lambda status: seen.append(status.phase)).phase is Phase.CHECKED
    assert seen == [Phase.CHECKING, Phase.CHECKED]


def test_an_api_that_stays_away_and_a_refusal_are_sentences(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(followed, "PATIENCE", -1)
    with client(tmp_path, Api(httpx.ConnectError("refused"), "no such import")) as one:
        with pytest.raises(ValueError, match=r"cannot be reached at http://api/imports: refused. The import goes on"):
            one.follow(lambda _: None)
        with pytest.raises(ValueError, match="no such import"):
            one.ask(Wish.CANCEL)

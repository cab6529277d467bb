"""`crm import` talks to the API: what is there already is not sent again, and what is refused is a sentence."""

from pathlib import Path
from typing import Any

import httpx
import msgspec
import pytest

from crm.imports import Options, Phase, Status, Wish, digest_of
from crm.scalars import Id
from services.operations.imports import client as followed
from services.operations.imports.client import ImportClient

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

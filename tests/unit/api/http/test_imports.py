"""POST /imports: a file is kept by its content and waits for the role; the same content is the same import."""

import asyncio
import hashlib
import json
from pathlib import Path
from typing import Any

import httpx
import msgspec
import pytest
from obstore.store import MemoryStore

from api.http.imports import Imports
from crm.adapters.import_store import ImportStore
from crm.imports import Phase, Request, Status, Wish, import_id
from crm.scalars import Id
from tests.unit.api.http.test_attachments import HERE, THERE, Known

TEXT = b"Name,Phone\nAnn,0671234567\n"
SHA256 = hashlib.sha256(TEXT).hexdigest()
WORKSPACE = Id(HERE)
ID = import_id(WORKSPACE, SHA256)


class Tokens:
    """Each text is a token: of which workspace, and for what."""

    def token(self, text: str) -> Known | None:
        scopes = {"write": (HERE, "write"), "read": (HERE, "read"), "there": (THERE, "write")}
        return Known("1", scopes[text][0], scopes[text][1:]) if text in scopes else None

    def role(self, text: str) -> None:
        return None


class Api:
    """The handler behind an HTTP client."""

    def __init__(self, store: ImportStore | None) -> None:
        handler: Any = Imports(store, Tokens(), lambda: None)
        self.transport = httpx.ASGITransport(handler)

    def ask(self, method: str, path: str, token: str = "write", **rest: Any) -> tuple[int, Any]:
        async def answered() -> tuple[int, Any]:
            headers = {"authorization": f"Bearer {token}"}
            async with httpx.AsyncClient(transport=self.transport, base_url="http://api") as http:
                answer = await http.request(method, path, headers=headers, **rest)
            kind = answer.headers["content-type"]
            return answer.status_code, answer.json() if kind.startswith("application/json") else answer.content

        return asyncio.run(answered())


@pytest.fixture
def store() -> ImportStore:
    return ImportStore(MemoryStore())


def test_a_file_is_kept_and_waits_to_be_checked(store: ImportStore, tmp_path: Path) -> None:
    async def waits() -> tuple[list[tuple[Id, Id]], Request | None]:
        await store.fetch(WORKSPACE, SHA256, tmp_path / "file")
        return await store.waiting(), await store.request(WORKSPACE, ID)

    said = {"name": "C:\\temp\\люди.csv", "options": '{"record":"contact"}'}
    status, body = Api(store).ask("POST", "/imports", content=TEXT, params=said)
    assert (status, body["id"], body["phase"], body["name"], body["size"]) == (
        202,
        ID,
        "waiting",
        "люди.csv",
        len(TEXT),
    )
    waiting, request = asyncio.run(waits())
    assert (tmp_path / "file").read_bytes() == TEXT
    assert waiting == [(WORKSPACE, ID)] and request is not None
    assert (request.wish, request.options.record, request.number) == (Wish.CHECK, "contact", 1)


def test_the_same_content_is_the_same_import_from_its_first_moment_on(store: ImportStore) -> None:
    api = Api(store)
    first = api.ask("POST", "/imports", content=TEXT, params={"name": "a.csv"})[1]
    again = api.ask("POST", "/imports", content=TEXT, params={"name": "b.csv"})[1]
    other = api.ask("POST", "/imports", content=TEXT + b"Bob,1\n", params={"name": "a.csv"})[1]
    assert first["id"] == again["id"] != other["id"]
    assert first["uploaded_at"] == again["uploaded_at"]


def test_a_file_that_waits_says_so() -> None:
    """What was as it begins was left out: a program that read `phase` of a file just sent failed."""
    waiting = json.loads(msgspec.json.encode(Status(ID)))
    assert (waiting["phase"], waiting["row"], waiting["counts"]["error"], waiting["undo"]) == ("waiting", 0, 0, None)


def test_the_next_request_is_found_by_id_and_by_content(store: ImportStore) -> None:
    async def done() -> None:
        await store.report(WORKSPACE, Status(ID, Phase.CHECKED, answers=1))

    api = Api(store)
    api.ask("POST", "/imports", content=TEXT, params={"name": "a.csv"})
    asyncio.run(done())
    assert api.ask("GET", f"/imports/{SHA256}")[1]["phase"] == "checked"
    status, body = api.ask("POST", f"/imports/{ID}?wish=run", content=json.dumps({"system": "crm1"}))
    assert (status, body["phase"], body["wish"]) == (202, "waiting", "run")
    assert api.ask("POST", f"/imports/{ID}?wish=cancel")[1]["phase"] == "checked"  # as the role said last
    request = asyncio.run(store.request(WORKSPACE, ID))
    assert request is not None and (request.number, request.options.system) == (3, "crm1")


def test_rows_that_were_refused_are_downloaded(store: ImportStore, tmp_path: Path) -> None:
    async def done() -> None:
        rows = tmp_path / "failed"
        rows.write_bytes(b"Name,reason\n")
        await store.keep_failed(WORKSPACE, ID, rows)
        await store.report(WORKSPACE, Status(ID, Phase.DONE, answers=1, failed="a.failed.csv"))

    api = Api(store)
    api.ask("POST", "/imports", content=TEXT, params={"name": "a.csv"})
    assert api.ask("GET", f"/imports/{ID}/failed")[0] == 404
    asyncio.run(done())
    assert api.ask("GET", f"/imports/{ID}/failed") == (200, b"Name,reason\n")


@pytest.mark.parametrize(
    ("method", "path", "token", "content", "status", "why"),
    [
        ("POST", "/imports", "nobody", TEXT, 401, "This token is unknown"),
        ("POST", "/imports", "read", TEXT, 403, "lacks the scope `write`"),
        ("POST", "/imports?options={", "write", TEXT, 400, "The options cannot be read"),
        ("POST", '/imports?options={"colour":1}', "write", TEXT, 400, "unknown field `colour`"),
        ("GET", "/imports", "write", b"", 405, "Imports are sent with POST"),
        ("GET", f"/imports/{ID}", "write", b"", 404, "no such import"),
        ("GET", "/imports/../x", "write", b"", 404, "no such import"),
    ],
)
def test_what_is_refused_keeps_nothing(
    store: ImportStore, method: str, path: str, token: str, content: bytes, status: int, why: str
) -> None:
    got, body = Api(store).ask(method, path, token, content=content)
    assert got == status and why in body["errors"][0]["message"]
    assert asyncio.run(store.waiting()) == []


def test_other_workspaces_see_nothing_of_it(store: ImportStore) -> None:
    Api(store).ask("POST", "/imports", content=TEXT)
    assert Api(store).ask("GET", f"/imports/{SHA256}", "there")[0] == 404


def test_a_file_that_is_too_large_is_refused_before_it_comes(store: ImportStore) -> None:
    async def answered() -> list[Any]:
        sent: list[Any] = []

        async def send(message: Any) -> None:
            sent.append(message)

        async def receive() -> Any:
            raise AssertionError("nothing is read")

        headers = [(b"authorization", b"Bearer write"), (b"content-length", b"2000000001")]
        scope = {"type": "http", "method": "POST", "path": "/imports", "query_string": b"", "headers": headers}
        await Imports(store, Tokens(), lambda: None)(scope, receive, send)
        return sent

    start, body = asyncio.run(answered())
    assert start["status"] == 413 and b"larger than 2,000,000,000 bytes" in body["body"]


def test_without_a_place_for_files_nothing_is_kept() -> None:
    status, body = Api(None).ask("POST", "/imports", content=TEXT)
    assert status == 404 and "CRM_IMPORTS names no place" in body["errors"][0]["message"]


def test_what_is_over_cannot_be_stopped_and_what_was_paused_goes_on(store: ImportStore) -> None:
    api = Api(store)
    api.ask("POST", "/imports", content=TEXT)
    asyncio.run(store.report(WORKSPACE, Status(ID, Phase.RUNNING, 1, row=1)))
    assert api.ask("POST", f"/imports/{SHA256}?wish=pause")[0] == 202
    asyncio.run(store.report(WORKSPACE, Status(ID, Phase.PAUSED, 2, row=1)))
    assert api.ask("GET", f"/imports/{SHA256}")[1]["phase"] == "paused"
    assert api.ask("POST", f"/imports/{SHA256}?wish=run")[1]["phase"] == "waiting"
    request = asyncio.run(store.request(WORKSPACE, ID))
    assert request is not None and (request.resumes, request.number) == (True, 3)
    asyncio.run(store.report(WORKSPACE, Status(ID, Phase.DONE, 3)))
    status, body = api.ask("POST", f"/imports/{SHA256}?wish=cancel")
    assert (status, body["errors"][0]["message"]) == (
        409,
        "It is done, so there is nothing to stop. Nothing was changed.",
    )
    assert asyncio.run(store.request(WORKSPACE, ID)) == request

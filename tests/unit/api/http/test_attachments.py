"""GET /attachments: a file of the token's workspace, to download and never to run."""

import asyncio
import hashlib
from collections.abc import Collection
from typing import Any

import httpx
import pytest
from msgspec import Struct
from obstore.store import MemoryStore

from api.app import App
from api.live.changes import Changes
from crm.adapters.attachment_store import AttachmentStore
from crm.adapters.cors import Origins
from crm.attachments import ANY, StoredLink, media_type_of
from crm.scalars import Id
from tests.unit.crm.test_attachments import HTML, PNG, SVG

HERE, THERE = "00000000-0000-4000-8000-00000000000a", "00000000-0000-4000-8000-00000000000b"
REF = "https://cdn.example.com/a?b=1&c=ї"


class Known(Struct, frozen=True):
    id: str
    workspace: str
    scopes: Collection[str] = ("read",)


class Tokens:
    """Each text is a token: of which workspace, and for what."""

    def token(self, text: str) -> Known | None:
        return {"here": Known("1", HERE), "there": Known("2", THERE), "writer": Known("3", HERE, ("write",))}.get(text)


def ask(
    content: bytes | None = PNG,
    name: str = 'фото "1"\r\nx: y.png',
    token: str = "here",
    method: str = "GET",
    reason: str = "",
    missing: str | None = None,
    stored: bool = True,
    origin: str = "",
    **parameters: str,
) -> httpx.Response:
    """Asks for a file after it was stored in the workspace `here`."""

    async def answer() -> httpx.Response:
        store = AttachmentStore(MemoryStore())
        if content is not None:
            link = StoredLink(REF, hashlib.sha256(content).hexdigest(), media_type_of(content), len(content), name)
            await store.keep(Id(HERE), content, link)
        elif reason:
            await store.settle(Id(HERE), StoredLink(REF, reason=reason))
        pool: Any = None  # nothing here may reach the database
        origins = Origins.read("https://app.example.com")
        app: Any = App(
            pool, Tokens(), Changes(""), lambda: missing, origins=origins, attachments=store if stored else None
        )
        async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://api") as client:
            headers = {"authorization": f"Bearer {token}"} | ({"origin": origin} if origin else {})
            return await client.request(method, "/attachments", params=parameters or {"ref": REF}, headers=headers)

    return asyncio.run(answer())


def test_a_file_is_downloaded_under_its_name_and_cannot_run() -> None:
    answer = ask()
    assert (answer.status_code, answer.content) == (200, PNG)
    assert {name: value for name, value in answer.headers.items() if name != "content-length"} == {
        "content-type": "image/png",
        "content-disposition": "attachment; filename*=UTF-8''%D1%84%D0%BE%D1%82%D0%BE%20%221%22%0D%0Ax%3A%20y.png",
        "cache-control": "no-store",
        "x-content-type-options": "nosniff",
        "content-security-policy": "sandbox; default-src 'none'; frame-ancestors 'none'",
        "cross-origin-resource-policy": "same-origin",
        "referrer-policy": "no-referrer",
        "vary": "Origin",
    }


@pytest.mark.parametrize("content", [HTML, SVG, b"alert(1)"])
def test_what_a_browser_would_run_is_bytes(content: bytes) -> None:
    answer = ask(content, name="")
    assert (answer.headers["content-type"], answer.headers["content-disposition"]) == (ANY, "attachment")


@pytest.mark.parametrize(
    ("about", "status", "message"),
    [
        ({"token": "there"}, 404, "It has not been fetched yet."),
        ({"token": "nobody"}, 401, "This token is unknown"),
        ({"token": "writer"}, 403, "This token lacks the scope"),
        ({"token": "nobody", "missing": "The tokens are not known yet."}, 503, "The tokens are not known yet."),
        ({"content": None}, 404, "It has not been fetched yet."),
        ({"content": None, "reason": "It took too long."}, 404, "It was not stored. It took too long."),
        ({"stored": False}, 404, "Files are not stored here: set CRM_ATTACHMENTS"),
        ({"ref": "AgACAgIAAx"}, 404, "It has not been fetched yet"),
        ({"ref": "../../" + THERE + "/links/x"}, 404, "It has not been fetched yet"),
        ({"file": "x"}, 400, "Say which file: ?ref="),
        ({"method": "POST"}, 405, "Files are read with GET."),
    ],
)
def test_a_refusal_says_why(about: dict[str, Any], status: int, message: str) -> None:
    answer = ask(**about)
    assert answer.status_code == status
    assert answer.json()["errors"][0]["message"].startswith(message)
    assert PNG not in answer.content


def test_a_page_of_a_named_origin_may_read_it_and_no_other() -> None:
    named, other = ask(origin="https://app.example.com"), ask(origin="https://evil.example")
    assert named.headers["access-control-allow-origin"] == "https://app.example.com"
    assert "access-control-allow-origin" not in other.headers

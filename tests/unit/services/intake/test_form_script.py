"""GET /form.js: small, cached, and made of the source that people read."""

import asyncio

import httpx
import pytest

from crm.adapters.kafka.directory import Access
from crm.adapters.memory.log import MemoryLog
from services.connectors import CONNECTORS
from services.intake import form_script
from services.intake.app import Intake
from tests.support.tools import MODULES, NODE, ROOT, run

SOURCE = ROOT / "services" / "intake" / "form.js"


def get(path: str = "/form.js", **headers: str) -> httpx.Response:
    async def ask() -> httpx.Response:
        transport = httpx.ASGITransport(Intake(Access(), MemoryLog(), CONNECTORS))
        async with httpx.AsyncClient(transport=transport, base_url="http://crm") as client:
            return await client.get(path, headers={name.replace("_", "-"): value for name, value in headers.items()})

    return asyncio.run(ask())


def test_it_has_at_most_eight_kilobytes_as_served() -> None:
    answer = get(accept_encoding="identity")
    assert answer.status_code == 200 and 1_000 < len(answer.content) <= 8_192


def test_what_is_served_is_made_of_the_source() -> None:
    """If this fails: `npm run form` in tests/node."""
    minified = run(
        NODE, MODULES / "esbuild" / "bin" / "esbuild", SOURCE, "--minify", "--charset=utf8", "--target=es2022"
    )
    assert form_script.SERVED.decode() == minified


def test_every_page_may_load_it_and_a_browser_keeps_it() -> None:
    answer = get()
    assert answer.headers["content-type"] == "text/javascript; charset=utf-8"
    assert answer.headers["access-control-allow-origin"] == "*"
    assert answer.headers["cross-origin-resource-policy"] == "cross-origin"
    assert answer.headers["x-content-type-options"] == "nosniff"
    assert answer.headers["cache-control"] == "public, max-age=3600, stale-while-revalidate=604800"
    assert get(f"/form.js?v={form_script.VERSION}").headers["cache-control"] == "public, max-age=31536000, immutable"
    assert get("/form.js?v=older").headers["cache-control"] == answer.headers["cache-control"]


@pytest.mark.parametrize(
    ("given", "status"),
    [(form_script.ETAG, 304), (f'"x", W/{form_script.ETAG}', 304), ("*", 304), ('"another"', 200), ("", 200)],
)
def test_a_browser_that_has_it_is_sent_nothing(given: str, status: int) -> None:
    answer = get(if_none_match=given)
    assert (answer.status_code, answer.headers["etag"]) == (status, form_script.ETAG)
    assert answer.content == (b"" if status == 304 else form_script.SERVED)


def test_it_runs_no_text_as_code_and_sets_no_html() -> None:
    code = SOURCE.read_text("utf-8")
    forbidden = ("innerHTML", "outerHTML", "insertAdjacentHTML", "document.write", "eval(", "Function(", '"style"')
    assert [word for word in forbidden if word in code] == []
    assert run(NODE, "--check", SOURCE) == ""

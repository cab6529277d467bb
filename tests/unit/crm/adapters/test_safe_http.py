"""A key in a header goes to the address that it is for, and not along a redirect."""

import asyncio
from collections.abc import Sequence

import httpx

from crm.adapters.safe_http import SafeHttp

KEY = {"authorization": "Bearer TEST-key"}


async def somewhere(_host: str, _port: int) -> Sequence[str]:
    return ["93.184.216.34"]


def test_a_redirect_does_not_carry_the_headers() -> None:
    """The headers went along with each redirect: a vendor's link to a storage of files gave that the account's key."""
    seen: list[tuple[str, str | None]] = []

    def answer(request: httpx.Request) -> httpx.Response:
        seen.append((request.headers["host"], request.headers.get("authorization")))
        if len(seen) < 3:
            return httpx.Response(302, headers={"location": f"https://storage{len(seen)}.example.com/1"})
        return httpx.Response(200, stream=httpx.ByteStream(b"file"))

    async def run() -> bytes:
        async with SafeHttp(resolve=somewhere) as http:
            await http.client.aclose()
            http.client = httpx.AsyncClient(transport=httpx.MockTransport(answer))
            return (await http.send("GET", "https://api.example.com/1", KEY)).body

    assert asyncio.run(run()) == b"file"
    hosts = ("api.example.com", "storage1.example.com", "storage2.example.com")
    assert seen == list(zip(hosts, ("Bearer TEST-key", None, None), strict=True))

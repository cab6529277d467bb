"""Deliveries go to public addresses alone, wherever a name leads, and whatever the receiver does."""

import asyncio
import ssl
from collections.abc import Awaitable, Callable, Sequence
from pathlib import Path
from typing import Any

import pytest
from aiohttp import web

from crm.adapters import pinned_http
from crm.adapters.pinned_http import PinnedHttp, PostLimits
from crm.adapters.safe_http import Answer, NotReached
from tests.support.self_signed import self_signed

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


async def served(handler: Handler, use: Callable[[int], Awaitable[Any]]) -> Any:
    """Serves on a port of 127.0.0.1 while `use` runs."""
    app = web.Application()
    app.router.add_route("*", "/{path:.*}", handler)
    runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.1)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    try:
        return await use(site._server.sockets[0].getsockname()[1])  # type: ignore[union-attr]  # it listens
    finally:
        await runner.cleanup()


def resolving(monkeypatch: pytest.MonkeyPatch, *answers: Sequence[str]) -> list[str]:
    """Lets every name resolve to these addresses, one answer after the other. Returns the names that were looked up."""
    names: list[str] = []
    left = list(answers)

    async def addresses_of(host: str, port: int) -> Sequence[str]:
        names.append(host)
        return left.pop(0) if len(left) > 1 else left[0]

    monkeypatch.setattr(pinned_http, "addresses_of", addresses_of)
    return names


def refused(url: str, hosts: Sequence[str] = ()) -> str:
    async def run() -> str:
        async with PinnedHttp(hosts) as http:
            with pytest.raises(NotReached) as reason:
                await http.post(url, {}, b"{}")
        return str(reason.value)

    return asyncio.run(run())


@pytest.mark.parametrize(
    "addresses",
    [
        ["127.0.0.1"],
        ["10.0.0.1"],
        ["169.254.169.254"],
        ["::1"],
        ["::ffff:10.0.0.1"],
        ["64:ff9b::a00:1"],
        ["fe80::1%eth0"],
        ["8.8.8.8", "192.168.0.1"],
    ],
)
def test_a_name_that_leads_inside_is_not_called(addresses: list[str], monkeypatch: pytest.MonkeyPatch) -> None:
    resolving(monkeypatch, addresses)
    assert "no address of the public Internet" in refused("https://example.com/")


@pytest.mark.parametrize("url", ["https://127.0.0.1/", "https://[::1]/", "https://2130706433/", "http://example.com/"])
def test_what_the_text_shows_is_not_even_resolved(url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    names = resolving(monkeypatch, ["8.8.8.8"])
    assert refused(url)
    assert names == []


def test_a_host_without_an_address_is_tried_again(monkeypatch: pytest.MonkeyPatch) -> None:
    resolving(monkeypatch, [])
    assert "has no address" in refused("https://example.com/")


def post(handler: Handler, limits: PostLimits = PostLimits()) -> Answer:  # noqa: B008  # it is frozen
    async def use(port: int) -> Answer:
        async with PinnedHttp(["127.0.0.1"], limits) as http:
            return await http.post(f"http://127.0.0.1:{port}/hook", {"webhook-id": "1"}, b"{}")

    found: Answer = asyncio.run(served(handler, use))
    return found


def test_redirects_are_not_followed() -> None:
    calls: list[str] = []

    async def handler(request: web.Request) -> web.Response:
        calls.append(request.path)
        return web.Response(status=307, headers={"location": "/elsewhere"})

    assert (post(handler).status, calls) == (307, ["/hook"])


def test_of_a_large_answer_the_beginning_is_read() -> None:
    async def handler(request: web.Request) -> web.StreamResponse:
        response = web.StreamResponse()
        await response.prepare(request)
        while True:
            await response.write(b"a" * 10_000)

    answer = post(handler, PostLimits(size=25_000))
    assert (answer.status, answer.body) == (200, b"a" * 25_000)


def test_a_receiver_that_hangs_or_breaks_off_has_not_answered() -> None:
    async def hangs(request: web.Request) -> web.Response:
        await asyncio.Event().wait()
        return web.Response()

    async def breaks_off(request: web.Request) -> web.Response:
        assert request.transport
        request.transport.abort()
        return web.Response()

    for handler in (hangs, breaks_off):
        with pytest.raises(NotReached) as reason:
            post(handler, PostLimits(seconds=0.2))
        assert reason.value.again


def test_a_connection_is_kept_and_nothing_of_ours_is_sent() -> None:
    seen: list[tuple[Any, dict[str, str]]] = []

    async def handler(request: web.Request) -> web.Response:
        assert request.transport
        seen.append((request.transport.get_extra_info("peername"), dict(request.headers)))
        return web.Response(status=204, headers={"set-cookie": "a=b"})

    async def use(port: int) -> None:
        async with PinnedHttp(["127.0.0.1"]) as http:
            for _ in range(3):
                await http.post(f"http://127.0.0.1:{port}/hook", {"webhook-id": "1", "content-type": "x"}, b"{}")

    asyncio.run(served(handler, use))
    assert len({peer for peer, _ in seen}) == 1
    assert {name.lower() for name in seen[-1][1]} == {
        "host",
        "accept",
        "accept-encoding",
        "user-agent",
        "webhook-id",
        "content-length",
        "content-type",
    }


HEAD = "HTTP/1.1 200 OK\r\n"
ANSWERS = {
    "with its length": (f"{HEAD}Content-Length: 2\r\n\r\nok", b"ok"),
    "in chunks": (f"{HEAD}Transfer-Encoding: chunked\r\n\r\n1\r\no\r\n1\r\nk\r\n0\r\n\r\n", b"ok"),
    "to the end of the connection": (f"{HEAD}\r\nok", b"ok"),
    "after another": ("HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\nHTTP/1.1 204 No Content\r\n\r\n", b""),
}
NOT_HTTP = {
    "SSH-2.0-OpenSSH_9.6\r\n": "Its answer is no HTTP",
    f"{HEAD}Content-Length: 9\r\n\r\nhalf": "It closed the connection",
    f"{HEAD}A: {'a' * 70_000}": "Its headers have more than 65536 bytes",
    "": "It closed the connection",
}


def answered(*answers: str, posts: int = 1) -> tuple[list[Answer], int]:
    """Posts to a server that gives the next answer to each request, and closes the connection after an empty and the
    last one. Returns the answers, and how many requests came."""
    left, requests = list(answers), 0

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        nonlocal requests
        while await reader.readuntil(b"\r\n\r\n{}"):
            requests += 1
            writer.write((answer := left.pop(0)).encode())
            if not answer or not left:
                break
        writer.close()

    async def run() -> list[Answer]:
        server = await asyncio.start_server(serve, "127.0.0.1", 0)
        url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/hook"
        async with server, PinnedHttp(["127.0.0.1"]) as http:
            return [await http.post(url, {}, b"{}") for _ in range(posts)]

    return asyncio.run(run()), requests


@pytest.mark.parametrize(("answer", "body"), ANSWERS.values(), ids=ANSWERS)
def test_an_answer_is_read_whole_however_it_is_sent(answer: str, body: bytes) -> None:
    assert [found.body for found in answered(answer)[0]] == [body]


@pytest.mark.parametrize(("answer", "why"), NOT_HTTP.items(), ids=["no HTTP", "half", "endless headers", "nothing"])
def test_what_is_no_answer_says_why(answer: str, why: str) -> None:
    with pytest.raises(NotReached, match=why) as reason:
        answered(answer)
    assert reason.value.again


def test_a_connection_that_ended_while_it_was_idle_costs_no_attempt() -> None:
    """A receiver may close a connection at the moment when it is used again. Taken for a failure, the delivery waited
    five seconds, and all of its card behind it."""
    ok = ANSWERS["with its length"][0]
    found, requests = answered(ok, "", ok, posts=2)
    assert [answer.status for answer in found] == [200, 200]
    assert requests == 3


def test_no_header_makes_another() -> None:
    async def run() -> None:
        async with PinnedHttp(["127.0.0.1"]) as http:
            with pytest.raises(NotReached, match="A header has a line break in it"):
                await http.post("http://127.0.0.1:9/", {"webhook-id": "1\r\nHost: other"}, b"{}")

    asyncio.run(run())


def test_the_certificate_must_be_that_of_the_name(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The connection goes to an address, so nothing but the name tells whose certificate it has to be."""
    certificate = self_signed(tmp_path, "shop.example.com")
    tls = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    tls.load_cert_chain(certificate)
    resolving(monkeypatch, ["127.0.0.1"])

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n{}")
        writer.write(ANSWERS["with its length"][0].encode())
        writer.close()

    async def run() -> None:
        names = ["shop.example.com", "other.example.com"]
        async with await asyncio.start_server(serve, "127.0.0.1", 0, ssl=tls) as server, PinnedHttp(names) as http:
            urls = [f"https://{name}:{server.sockets[0].getsockname()[1]}/" for name in names]
            with pytest.raises(NotReached, match="SSLCertVerificationError"):
                await http.post(urls[0], {}, b"{}")
            http.context.load_verify_locations(certificate)
            assert (await http.post(urls[0], {}, b"{}")).body == b"ok"
            with pytest.raises(NotReached, match="SSLCertVerificationError"):
                await http.post(urls[1], {}, b"{}")

    asyncio.run(run())

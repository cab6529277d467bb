"""Requests to addresses that strangers name, to a real server on this machine and to nowhere else."""

import asyncio
import gzip
import ssl
from collections.abc import Callable, Coroutine, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest

from crm.adapters.safe_http import Answer, Limits, NotReached, SafeHttp, checked_url
from tests.support.self_signed import self_signed
from tests.support.timeouts import TIMEOUT

LOOPBACK = "127.0.0.1"
OK = b"HTTP/1.1 200 OK\r\nContent-Type: image/png\r\nContent-Length: 5\r\n\r\nimage"
PATIENT = Limits(size=1_000, seconds=TIMEOUT, idle=TIMEOUT)
Serve = Callable[[bytes, asyncio.StreamWriter], Coroutine[Any, Any, None]]


class Names:
    """DNS of the test. Each look-up takes the next answer, the last one each time after it."""

    def __init__(self, *answers: Sequence[str]) -> None:
        self.answers, self.lookups = list(answers) or [[LOOPBACK]], list[str]()

    async def resolve(self, host: str, port: int) -> Sequence[str]:
        self.lookups.append(host)
        return self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]


def sending(*parts: bytes) -> Serve:
    async def serve(_: bytes, writer: asyncio.StreamWriter) -> None:
        for part in parts:
            writer.write(part)
            await writer.drain()

    return serve


def exchanged(
    serve: Serve,
    url: str = "http://files.example.com:{port}/a.png",
    limits: Limits = PATIENT,
    names: Names | None = None,
    tls: ssl.SSLContext | None = None,
) -> tuple[Answer | NotReached, list[bytes]]:
    """Returns what came of a fetch, and the requests that the server saw."""

    async def run() -> tuple[Answer | NotReached, list[bytes]]:
        seen: list[bytes] = []
        handlers: list[Any] = []

        async def connected(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            handlers.append(asyncio.current_task())
            with suppress(ConnectionError, asyncio.IncompleteReadError):  # the client has had enough
                seen.append(await reader.readuntil(b"\r\n\r\n"))
                await serve(seen[-1], writer)
                if serve is silent:
                    await reader.read()  # until the client has left
            writer.close()
            with suppress(ConnectionError):
                await writer.wait_closed()

        server = await asyncio.start_server(connected, LOOPBACK, 0, ssl=tls)
        port = server.sockets[0].getsockname()[1]
        async with server:
            async with SafeHttp(limits, lambda a: a == LOOPBACK, (names or Names()).resolve) as http:
                found: Answer | NotReached
                try:
                    found = await http.fetch(url.replace("{port}", str(port)))
                except NotReached as reason:
                    found = reason
            for _ in range(5):
                await asyncio.to_thread(int)  # the loop turns: what was connected at the last moment is accepted
            await asyncio.gather(*handlers)
        return found, seen

    return asyncio.run(run())


def refused(*about: Any, **more: Any) -> str:
    """Returns the reason for which there is no answer."""
    found, _ = exchanged(*about, **more)
    assert isinstance(found, NotReached), found
    return str(found)


def test_the_name_is_resolved_once_and_the_server_is_called_by_its_name() -> None:
    """A name with another address a moment later, as in DNS rebinding, leads to the address that was checked."""
    names = Names([LOOPBACK], ["10.0.0.1"])
    found, (request,) = exchanged(sending(OK), names=names)
    assert isinstance(found, Answer)
    assert (found.status, found.body, found.headers["content-type"]) == (200, b"image", "image/png")
    assert names.lookups == ["files.example.com"]
    assert b"\r\nhost: files.example.com:" in request.lower() and b"accept-encoding: identity" in request.lower()


@pytest.mark.parametrize("addresses", [["10.0.0.1"], [LOOPBACK, "10.0.0.1"], ["10.0.0.1", LOOPBACK]])
def test_a_name_of_which_one_address_is_not_allowed_is_not_called(addresses: list[str]) -> None:
    found, seen = exchanged(sending(OK), names=Names(addresses))
    assert str(found) == "files.example.com is at 10.0.0.1, which is no address of the public Internet." and seen == []


@pytest.mark.parametrize(
    "host",
    [
        "127.0.0.1",
        "127.1",
        "2130706433",
        "0x7f.1",
        "0x7f000001",
        "0177.0.0.1",
        "[::1]",
        "[::]",
        "[::ffff:127.0.0.1]",
        "[::ffff:7f00:1]",
        "0.0.0.0",
        "[0:0:0:0:0:ffff:7f00:1]",
        "localhost",
        "①②⑦.⓪.⓪.①",
        "169.254.169.254",
        "[64:ff9b::7f00:1]",
        "[2002:7f00:1::]",
        "10.0.0.1",
    ],
)
def test_no_way_to_write_a_private_address_is_called(host: str) -> None:
    async def run() -> str:
        async def connected(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            seen.append(writer.get_extra_info("peername"))
            writer.close()

        seen: list[Any] = []
        server = await asyncio.start_server(connected, LOOPBACK, 0)
        async with server, SafeHttp() as http:
            with pytest.raises(NotReached) as reason:
                await http.fetch(f"http://{host}:{server.sockets[0].getsockname()[1]}/")
        assert seen == []
        return str(reason.value)

    why = asyncio.run(run())
    assert why.endswith("which is no address of the public Internet.") or why.startswith(("It is no URL", "The host"))


@pytest.mark.parametrize(
    ("location", "reason"),
    [
        ("http://metadata.example.com/latest", "metadata.example.com is at 169.254.169.254, which is no address"),
        ("//metadata.example.com/latest", "metadata.example.com is at 169.254.169.254, which is no address"),
        ("file:///etc/passwd", "It is no URL of http or https."),
        ("http://root:toor@files.example.com/", "The URL has a name or password in it."),
        ("http://[::1", "files.example.com did not answer: RemoteProtocolError("),
        ("/again", "It is redirected more than 3 times."),
    ],
)
def test_a_redirect_is_checked_like_the_first_url(location: str, reason: str) -> None:
    class Metadata(Names):
        async def resolve(self, host: str, port: int) -> Sequence[str]:
            return ["169.254.169.254"] if host.startswith("metadata") else [LOOPBACK]

    redirect = f"HTTP/1.1 302 Found\r\nLocation: {location}\r\nContent-Length: 0\r\n\r\n".encode()
    found, seen = exchanged(sending(redirect), names=Metadata())
    assert str(found).startswith(reason) and len(seen) == (4 if location == "/again" else 1)


def test_a_redirect_is_followed() -> None:
    async def serve(request: bytes, writer: asyncio.StreamWriter) -> None:
        moved = b"HTTP/1.1 301 Moved\r\nLocation: /b.png\r\nContent-Length: 0\r\n\r\n"
        writer.write(OK if request.startswith(b"GET /b.png ") else moved)

    found, seen = exchanged(serve)
    assert isinstance(found, Answer) and found.url.endswith("/b.png") and len(seen) == 2


def head(status: int, *headers: str) -> bytes:
    return "\r\n".join([f"HTTP/1.1 {status} x", *(headers or ["Content-Length: 0"]), "", ""]).encode()


async def never_ending(_: bytes, writer: asyncio.StreamWriter) -> None:
    writer.write(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n")
    while True:
        writer.write(b"a\r\n0123456789\r\n")
        await writer.drain()


async def silent(_: bytes, writer: asyncio.StreamWriter) -> None:
    writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nfirst")
    await writer.drain()


@pytest.mark.parametrize(
    ("serve", "limits", "reason", "again"),
    [
        (sending(head(200, "Content-Length: 1001")), PATIENT, "It has 1001 bytes, more than the 1000", False),
        (never_ending, PATIENT, "It has more than the 1000 bytes that are kept.", False),
        (silent, Limits(idle=0.01), "files.example.com ", True),
        (silent, Limits(seconds=0.01), "It took more than 0.01 s.", True),
        (sending(head(200, "Content-Length: 9"), b"short"), PATIENT, "files.example.com broke off:", True),
        (sending(b"SSH-2.0-OpenSSH_9.2\r\n"), PATIENT, "files.example.com did not answer:", True),
        (sending(head(200, *["a: b"] * 100_000)), PATIENT, "files.example.com did not answer:", True),
        (sending(head(404)), PATIENT, "files.example.com answered 404.", False),
        (sending(head(429)), PATIENT, "files.example.com answered 429.", True),
        (sending(head(503)), PATIENT, "files.example.com answered 503.", True),
    ],
)
def test_what_is_too_much_or_broken_ends_with_a_reason(serve: Serve, limits: Limits, reason: str, again: bool) -> None:
    found, _ = exchanged(serve, limits=limits)
    assert isinstance(found, NotReached) and str(found).startswith(reason)
    assert found.again is again


def test_a_packed_body_is_not_unpacked() -> None:
    bomb = gzip.compress(bytes(10_000_000))[:900]
    head = f"HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: {len(bomb)}\r\n\r\n".encode()
    found, _ = exchanged(sending(head, bomb))
    assert isinstance(found, Answer) and found.body == bomb


def test_the_certificate_is_that_of_the_name_and_is_checked(tmp_path: Path) -> None:
    tls, named = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER), list[str | None]()
    tls.load_cert_chain(self_signed(tmp_path, "files.example.com"))
    tls.sni_callback = lambda _socket, name, _context: named.append(name)
    reason = refused(sending(OK), url="https://files.example.com:{port}/", tls=tls)
    assert "CERTIFICATE_VERIFY_FAILED" in reason and named == ["files.example.com"]


@pytest.mark.parametrize(
    ("url", "reason"),
    [
        ("ftp://files.example.com/a", "It is no URL of http or https."),
        ("file:///etc/passwd", "It is no URL of http or https."),
        ("gopher://files.example.com/1", "It is no URL of http or https."),
        ("https:///a", "It is no URL of http or https."),
        ("a.png", "It is no URL of http or https."),
        ("", "It is no URL of http or https."),
        ("http://a:b@files.example.com/", "The URL has a name or password in it."),
        ("http://files.example.com/\r\nHost: x", "It is no URL:"),
        ("http://[::1", "It is no URL:"),
        ("http://files.example.com:99999/", "It is no URL:"),
        ("http://files.example.com/" + "a" * 5_000, "The URL is longer than 4096 characters."),
    ],
)
def test_what_is_no_url_is_not_called(url: str, reason: str) -> None:
    with pytest.raises(NotReached) as refusal:
        checked_url(url)
    assert str(refusal.value).startswith(reason) and not refusal.value.again

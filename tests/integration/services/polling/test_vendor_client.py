"""The client for vendors on a line that breaks in every way: what surely did not leave, and what may have."""

import asyncio
import gzip
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import httpx
import pytest

from crm.connector_poll import Ask, Page
from crm.scalars import Micros
from services.polling.vendor_client import VendorClient

HEAD = b"HTTP/1.1 %s\r\ncontent-length: %d\r\n%s\r\n"
OK = HEAD % (b"200 OK", 2, b"") + b"ok"
PACKED = gzip.compress(b"zipped")
ZIPPED = HEAD % (b"200 OK", len(PACKED), b"content-encoding: gzip\r\n") + PACKED
MOVED = HEAD % (b"302 Found", 0, b"location: http://127.0.0.1:9/\r\n")
LONG = HEAD % (b"200 OK", 2, b"policy: %s\r\n" % (b"x" * 20_000)) + b"ok"
HALF = HEAD % (b"200 OK", 9, b"") + b"half"


class Vendor:
    """Answers requests in turn with these bytes. HALF breaks off; None is none, and the connection closes."""

    def __init__(self, *answers: bytes | None) -> None:
        self.answers = list(answers)
        self.bodies: list[bytes] = []
        self.connections = 0

    async def __call__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.connections += 1
        try:
            while head := await reader.readuntil(b"\r\n\r\n"):
                fields = dict(line.lower().split(b": ", 1) for line in head.split(b"\r\n")[1:-2])
                self.bodies.append(await reader.readexactly(int(fields.get(b"content-length", b"0"))))
                if (answer := self.answers.pop(0)) is None:
                    break
                writer.write(answer)
                if answer == HALF:
                    break
        except asyncio.IncompleteReadError:
            pass
        finally:
            writer.close()


@asynccontextmanager
async def client(vendor: Vendor, seconds: float = 10.0) -> AsyncIterator[tuple[VendorClient, str]]:
    server = await asyncio.start_server(vendor, "127.0.0.1", 0)
    http = VendorClient(lambda: Micros(0), seconds)
    async with server:
        try:
            yield http, f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
        finally:
            await http.close()


def pages_of(*answers: bytes | None, body: bytes = b"{}") -> tuple[list[Page], Vendor]:
    """Returns the pages of as many requests as there are answers."""
    vendor = Vendor(*answers)

    async def run() -> list[Page]:
        async with client(vendor) as (http, url):
            ask = Ask(method="POST", body=body)
            return [await http.page(ask, url, {}, pinned=False) for _ in answers]

    return asyncio.run(run()), vendor


def test_pages_are_whole_and_the_connection_is_kept() -> None:
    pages, vendor = pages_of(OK, ZIPPED, MOVED, LONG)
    assert [(page.status, page.body) for page in pages] == [(200, b"ok"), (200, b"zipped"), (302, b""), (200, b"ok")]
    assert len(pages[3].headers["policy"]) == 20_000
    assert vendor.connections == 1


def test_a_large_file_arrives_whole() -> None:
    large = bytes(range(256)) * 8_192
    _, vendor = pages_of(OK, body=large)
    assert vendor.bodies == [large]


def test_what_may_have_left_is_no_failure_to_connect_and_goes_out_once() -> None:
    """A vendor that takes a message and then loses the connection has it. aiohttp names that by the class from which
    its failures to connect come too; taken for one of these, the message would go out a second time."""
    vendor = Vendor(OK, None, OK)

    async def run() -> None:
        async with client(vendor) as (http, url):
            await http.page(Ask(method="POST", body=b"1"), url, {}, pinned=False)
            with pytest.raises(httpx.ReadError):
                await http.page(Ask(method="POST", body=b"2"), url, {}, pinned=False)

    asyncio.run(run())
    assert vendor.bodies == [b"1", b"2"]


def test_an_answer_that_breaks_off_is_none() -> None:
    with pytest.raises(httpx.ReadError):
        pages_of(HALF)


def test_what_did_not_leave_says_so() -> None:
    async def run() -> None:
        async with client(Vendor()) as (_, url):
            pass
        async with client(Vendor()) as (http, _):
            with pytest.raises(httpx.ConnectError):
                await http.page(Ask(method="POST", body=b"{}"), url, {}, pinned=False)

    asyncio.run(run())

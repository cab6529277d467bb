"""The HTTP client for vendors, of those who poll them and of those who send through them.

The requests, answers and errors are httpx's; the line is aiohttp's, at a twelfth of the processor time of httpx's own
when many requests are under way. It says for certain of a request whether it can have left: only what is raised before
there is a connection is a ConnectError or a ConnectTimeout.
"""

import asyncio
from collections.abc import AsyncIterator, Iterator, Mapping
from contextlib import contextmanager
from io import BytesIO

import aiohttp
import httpx
from yarl import URL

from crm.adapters.public_hosts import NotPublic, public_address
from crm.connector_poll import Ask, Page, PollFailed, Rejected
from crm.log import Clock

CONNECTIONS = 256  # at once, to all vendors
IDLE_SECONDS = 20.0  # that a connection is kept
CONNECT_SHARE = 1 / 3  # of the time of a request, until it has a connection
LONGEST_HEADER = 65_536  # bytes
MAX_BODY = 16_000_000  # bytes of an answer
AT_ONCE = 1 << 20  # bytes of a body that are handed over in one piece
FAILURES: tuple[tuple[type[Exception], type[httpx.RequestError]], ...] = (
    (aiohttp.ConnectionTimeoutError, httpx.ConnectTimeout),
    (aiohttp.ClientConnectorError, httpx.ConnectError),
    (aiohttp.InvalidURL, httpx.UnsupportedProtocol),
    (aiohttp.ServerTimeoutError, httpx.ReadTimeout),
    (aiohttp.ClientError, httpx.ReadError),
)


class VendorClient:
    """Makes one request at a time of each caller. `seconds`: from the first byte out to the last byte in, however
    slowly they drip. `transport` is for tests."""

    def __init__(self, clock: Clock, seconds: float, transport: httpx.AsyncBaseTransport | None = None) -> None:
        self.clock, self.seconds = clock, seconds
        self.http = httpx.AsyncClient(
            transport=transport or Line(seconds), timeout=seconds, trust_env=False, follow_redirects=False
        )

    async def close(self) -> None:
        await self.http.aclose()

    async def page(self, ask: Ask, url: str, headers: Mapping[str, str], pinned: bool) -> Page:
        """Returns the whole answer, whatever its status. `pinned`: a user named the host.

        Raises PollFailed for an address that is not asked, Rejected for an answer that is too long, TimeoutError,
        httpx.HTTPError and httpx.InvalidURL.
        """
        request = self.http.build_request(ask.method, url, content=ask.body or None, headers=headers)
        if pinned:
            await pin(request)
        async with asyncio.timeout(self.seconds):
            response = await self.http.send(request, stream=True)
            try:
                body = await whole(response)
            finally:
                await response.aclose()
        found = {name.lower(): value for name, value in response.headers.items()}
        return Page(ask, body, self.clock(), found, response.status_code, url)


class Line(httpx.AsyncBaseTransport):
    """aiohttp as a transport of httpx. A connection that is kept is of one address and one name alone."""

    def __init__(self, seconds: float) -> None:
        self.timeout = aiohttp.ClientTimeout(connect=seconds * CONNECT_SHARE, sock_read=seconds)
        self.session: aiohttp.ClientSession | None = None

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        self.session = self.session or self.opened()
        body = request.content
        with translated():
            answer = await self.session.request(
                request.method,
                URL(str(request.url), encoded=True),
                headers=request.headers,
                data=body if len(body) <= AT_ONCE else BytesIO(body),
                allow_redirects=False,
                server_hostname=request.extensions.get("sni_hostname"),
            )
        return httpx.Response(answer.status, headers=answer.raw_headers, stream=Body(answer), request=request)

    def opened(self) -> aiohttp.ClientSession:
        return aiohttp.ClientSession(
            connector=aiohttp.TCPConnector(limit=CONNECTIONS, keepalive_timeout=IDLE_SECONDS),
            cookie_jar=aiohttp.DummyCookieJar(),
            timeout=self.timeout,
            auto_decompress=False,
            max_line_size=LONGEST_HEADER,
            max_field_size=LONGEST_HEADER,
        )

    async def aclose(self) -> None:
        if self.session:
            await self.session.close()


class Body(httpx.AsyncByteStream):
    """The bytes of an answer, as they come."""

    def __init__(self, answer: aiohttp.ClientResponse) -> None:
        self.answer = answer

    async def __aiter__(self) -> AsyncIterator[bytes]:
        with translated():
            async for piece in self.answer.content.iter_any():
                yield piece

    async def aclose(self) -> None:
        self.answer.release() if self.answer.content.at_eof() else self.answer.close()


@contextmanager
def translated() -> Iterator[None]:
    """Raises what aiohttp raises as httpx does."""
    try:
        yield
    except (aiohttp.ClientError, aiohttp.ServerTimeoutError) as error:
        kind = next(to for of, to in FAILURES if isinstance(error, of))
        raise kind(str(error) or type(error).__name__) from error


async def whole(response: httpx.Response) -> bytes:
    body = bytearray()
    async for chunk in response.aiter_bytes():
        body += chunk
        if len(body) > MAX_BODY:
            raise Rejected(f"The vendor's answer is longer than {MAX_BODY // 1_000_000} MB.")
    return bytes(body)


async def pin(request: httpx.Request) -> None:
    """Resolves a host that a user named, once, and refuses what is not on the public internet. Raises PollFailed."""
    host = request.url.host
    if request.url.scheme != "https":
        raise PollFailed(f"{request.url.scheme}://{host} is not asked: keys are sent over https only.")
    address = await address_of(host, request.url.port or 443)
    request.headers["host"] = request.url.netloc.decode()
    request.extensions = {**request.extensions, "sni_hostname": host}
    request.url = request.url.copy_with(host=address)


async def address_of(host: str, port: int) -> str:
    """Returns an address of a host all of whose addresses are public. Raises PollFailed."""
    try:
        return await public_address(host, port)
    except (OSError, UnicodeError) as error:
        raise PollFailed(f"The host {host} cannot be found: {error}.") from None
    except NotPublic:
        raise PollFailed(f"The host {host} is in a private network: it is not asked.") from None

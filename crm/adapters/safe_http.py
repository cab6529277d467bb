"""HTTP to addresses that strangers name: an attachment's URL, somebody's webhook.

The name is resolved once, every address that it has must be public, and the connection goes to one of these addresses
and no other: a name that changes meanwhile leads nowhere else. Redirects are checked in the same way. What comes back
is limited in bytes and in time. No proxy, cookie, login or file of this machine is used.
"""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Mapping, Sequence
from types import TracebackType
from typing import Self

import httpx
from msgspec import Struct

from crm.adapters.public_hosts import addresses_of
from crm.public_networks import is_public

REDIRECTS = frozenset((301, 302, 303, 307, 308))
BUSY = frozenset((408, 425, 429))  # of the answers 4xx, those that another try may change
LONGEST_URL = 4_096  # characters
Resolve = Callable[[str, int], Awaitable[Sequence[str]]]
logging.getLogger("httpx").setLevel(logging.WARNING)  # it logs each URL, and some vendors' keys are in theirs


class NotReached(Exception):
    """Why there is no answer, as a sentence. `again`: whether another try may have one."""

    def __init__(self, reason: str, again: bool = False) -> None:
        super().__init__(reason)
        self.again = again


class Limits(Struct, frozen=True):
    """`size`: bytes of a body. `seconds`: of the whole exchange; `idle`: between two pieces of it."""

    size: int = 25_000_000
    seconds: float = 60.0
    idle: float = 15.0
    redirects: int = 3


LIMITS = Limits()


class Answer(Struct, frozen=True):
    """What came back. Header names are in lower case; the body is as it was sent, not unpacked."""

    status: int
    headers: Mapping[str, str]
    body: bytes
    url: str  # the last one, after redirects


async def resolve(host: str, port: int) -> Sequence[str]:
    """Returns the addresses of a name. Raises NotReached."""
    try:
        return await addresses_of(host, port)
    except (OSError, UnicodeError) as error:
        raise NotReached(f"The host {host[:200]} is not known: {error}.", again=True) from None


class SafeHttp:
    """A client; use it with `async with`. `allowed` tells which addresses may be called."""

    def __init__(
        self,
        limits: Limits = LIMITS,
        allowed: Callable[[str], bool] = is_public,
        resolve: Resolve = resolve,
    ) -> None:
        self.limits, self.allowed, self.resolve = limits, allowed, resolve
        # Connections are not kept: one to an address was verified for one name, and another name may have the address.
        self.client = httpx.AsyncClient(
            trust_env=False,
            follow_redirects=False,
            timeout=httpx.Timeout(limits.idle),
            limits=httpx.Limits(max_keepalive_connections=0),
        )

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.client.aclose()

    async def fetch(self, url: str) -> Answer:
        """Returns what is at a URL, with a status of 200. Raises NotReached."""
        answer = await self.send("GET", url)
        if answer.status != 200:
            again = answer.status >= 500 or answer.status in BUSY
            raise NotReached(f"{host_of(answer.url)} answered {answer.status}.", again)
        return answer

    async def send(self, method: str, url: str, headers: Mapping[str, str] | None = None, body: bytes = b"") -> Answer:
        """Returns the answer, whatever its status. Raises NotReached.

        Only a GET follows redirects, and the headers go to `url` alone: a key in them goes nowhere else.
        """
        hops = self.limits.redirects if method == "GET" else 0
        try:
            async with asyncio.timeout(self.limits.seconds):
                for _ in range(hops + 1):
                    answer, target = await self._exchange(method, url, headers or {}, body)
                    if target is None or not hops:
                        return answer
                    if target.scheme != "https" and url.startswith("https:"):
                        raise NotReached("It is redirected from https to http.")
                    url, headers = str(target), None
        except TimeoutError:
            raise NotReached(f"It took more than {self.limits.seconds:g} s.", again=True) from None
        raise NotReached(f"It is redirected more than {hops} times.")

    async def _exchange(
        self, method: str, url: str, headers: Mapping[str, str], body: bytes
    ) -> tuple[Answer, httpx.URL | None]:
        """Returns the answer, and where it redirects to."""
        given = checked_url(url)
        port = given.port or (443 if given.scheme == "https" else 80)
        for address in await self._addresses(given.host, port):
            own = {"accept-encoding": "identity", "user-agent": "Potik", **headers, "host": given.netloc.decode()}
            request = self.client.build_request(
                method,
                given.copy_with(host=address),
                headers=own,
                content=body or None,
                extensions={"sni_hostname": given.raw_host.decode(), **self._timeouts()},
            )
            try:
                response = await self.client.send(request, stream=True)
            except (httpx.ConnectError, httpx.ConnectTimeout) as error:
                failed = error
                continue  # the next address of the same name
            except httpx.HTTPError as error:
                raise NotReached(f"{given.host} did not answer: {error!r}.", again=True) from None
            return await self._read(given, response)
        raise NotReached(f"{given.host} cannot be reached: {failed}.", again=True)

    def _timeouts(self) -> dict[str, dict[str, float]]:
        return {"timeout": dict.fromkeys(("connect", "read", "write", "pool"), self.limits.idle)}

    async def _addresses(self, host: str, port: int) -> Sequence[str]:
        addresses = list(dict.fromkeys(await self.resolve(host, port)))
        if not addresses:
            raise NotReached(f"The host {host[:200]} has no address.", again=True)
        if wrong := [address for address in addresses if not self.allowed(address)]:
            raise NotReached(f"{host[:200]} is at {wrong[0]}, which is no address of the public Internet.")
        return addresses

    async def _read(self, url: httpx.URL, response: httpx.Response) -> tuple[Answer, httpx.URL | None]:
        limit = self.limits.size
        try:
            location = response.headers.get("location", "")
            if response.status_code in REDIRECTS and location:
                answer = Answer(response.status_code, dict(response.headers), b"", str(url))
                return answer, checked_url(str(url.join(location)))
            length = response.headers.get("content-length", "")
            if length.isdecimal() and int(length) > limit:
                raise NotReached(f"It has {length} bytes, more than the {limit} that are kept.")
            body = bytearray()
            async for piece in response.aiter_raw():
                body += piece
                if len(body) > limit:
                    raise NotReached(f"It has more than the {limit} bytes that are kept.")
        except httpx.HTTPError as error:
            raise NotReached(f"{url.host} broke off: {error!r}.", again=True) from None
        except (httpx.InvalidURL, ValueError) as error:
            raise NotReached(f"{url.host} redirects to no URL: {error}.") from None
        finally:
            await response.aclose()
        return Answer(response.status_code, dict(response.headers), bytes(body), str(url)), None


def checked_url(url: str) -> httpx.URL:
    """Returns a URL that may be called. Raises NotReached."""
    if len(url) > LONGEST_URL:
        raise NotReached(f"The URL is longer than {LONGEST_URL} characters.")
    try:
        found = httpx.URL(url)
    except (httpx.InvalidURL, ValueError) as error:
        raise NotReached(f"It is no URL: {error}.") from None
    if found.scheme not in ("http", "https") or not found.host:
        raise NotReached("It is no URL of http or https.")
    if found.port is not None and not 0 < found.port < 65_536:
        raise NotReached(f"It is no URL: there is no port {found.port}.")
    if found.userinfo:
        raise NotReached("The URL has a name or password in it.")
    return found


def host_of(url: str) -> str:
    return httpx.URL(url).host

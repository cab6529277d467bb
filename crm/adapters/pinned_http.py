"""HTTP to webhooks that strangers name: fast, with connections that are kept, and to public addresses only.

For each new connection the name is resolved, at most every half minute; every address that it has must be public, and
the connection goes to one of them. A connection that is kept leads where it led when it was made. Redirects are not
followed; time and bytes are limited. No proxy, cookie, login or file of this machine is used.
"""

import asyncio
import socket
import ssl
from collections import defaultdict
from collections.abc import Mapping, Sequence
from functools import lru_cache
from types import TracebackType
from typing import Self

from aiohappyeyeballs import start_connection
from msgspec import Struct
from yarl import URL

from crm.adapters.http_wire import Broken, Wire
from crm.adapters.public_hosts import addresses_of, stands_for_public
from crm.adapters.safe_http import Answer, NotReached
from crm.webhook_urls import problem

KEPT_SECONDS = 30.0  # a connection that is idle, and what a name resolves to
FALLBACK = 0.25  # seconds until the next address of a name is tried too. RFC 8305, 8
KEPT_PLACES = 4_096
HEADERS = "Host: {host}\r\nAccept: */*\r\nAccept-Encoding: identity\r\nUser-Agent: Potik\r\n"


class PostLimits(Struct, frozen=True):
    """`seconds`: of the whole exchange; `connect`: until there is a connection; `size`: bytes of an answer."""

    seconds: float = 15.0
    connect: float = 5.0
    size: int = 65_536


POST_LIMITS = PostLimits()


class Place(Struct, frozen=True):
    """Where a URL leads, and how each request to it begins."""

    host: str
    port: int
    tls: bool
    head: bytes

    @property
    def key(self) -> tuple[str, int, bool]:
        return self.host, self.port, self.tls


@lru_cache(KEPT_PLACES)
def place_of(url: str) -> Place:
    """Returns where a URL leads. Raises ValueError."""
    parts = URL(url)
    host, port = parts.raw_host or "", parts.port or 443
    head = f"POST {parts.raw_path_qs} HTTP/1.1\r\n{HEADERS.format(host=parts.host_port_subcomponent)}"
    return Place(host, port, parts.scheme == "https", head.encode("ascii"))


class PublicResolver:
    """Resolves names whose addresses are all public; `private_hosts` may be anywhere."""

    def __init__(self, private_hosts: Sequence[str]) -> None:
        self.private_hosts = frozenset(private_hosts)
        self.found: dict[tuple[str, int], tuple[float, asyncio.Task[Sequence[str]]]] = {}

    async def resolve(self, host: str, port: int) -> Sequence[str]:
        """Returns the addresses of a name. Raises NotReached."""
        at = asyncio.get_running_loop().time()
        until, task = self.found.get((host, port), (0.0, None))
        if task is None or until < at or (task.done() and task.exception()):
            if len(self.found) >= KEPT_PLACES:
                self.found.clear()
            task = asyncio.create_task(self.look_up(host, port))
            self.found[host, port] = at + KEPT_SECONDS, task
        return await asyncio.shield(task)

    async def look_up(self, host: str, port: int) -> Sequence[str]:
        try:
            found = list(dict.fromkeys(await addresses_of(host, port)))
        except (OSError, UnicodeError) as error:
            raise NotReached(f"The host {host} is not known: {error}.", again=True) from None
        if not found:
            raise NotReached(f"The host {host} has no address.", again=True)
        private = host in self.private_hosts or f"{host}:{port}" in self.private_hosts
        if not private and (wrong := [one for one in found if not stands_for_public(one)]):
            raise NotReached(f"{host} is at {wrong[0]}, which is no address of the public Internet.")
        return found


class PinnedHttp:
    """A client for POST; use it with `async with`."""

    def __init__(self, private_hosts: Sequence[str] = (), limits: PostLimits = POST_LIMITS) -> None:
        self.limits = limits
        self.problem = lru_cache(KEPT_PLACES)(lambda url: problem(url, tuple(private_hosts)))
        self.resolver = PublicResolver(private_hosts)
        self.context = ssl.create_default_context()
        self.idle: dict[tuple[str, int, bool], list[Wire]] = defaultdict(list)  # the last one used last

    async def __aenter__(self) -> Self:
        self.drop_idle()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.dropping.cancel()
        for wires in self.idle.values():
            for wire in wires:
                wire.close()
        self.idle.clear()
        await asyncio.sleep(0)  # they close in the next turn of the loop

    def drop_idle(self) -> None:
        """Closes what was not used for a while; looks again later."""
        loop = asyncio.get_running_loop()
        for key, wires in list(self.idle.items()):
            for wire in wires:
                if wire.idle_since < loop.time() - KEPT_SECONDS:
                    wire.close()
            if not (kept := [wire for wire in wires if wire.is_open]):
                del self.idle[key]
            else:
                wires[:] = kept
        self.dropping = loop.call_later(KEPT_SECONDS, self.drop_idle)

    async def post(self, url: str, headers: Mapping[str, str], body: bytes) -> Answer:
        """Returns the answer, whatever its status; of a body the first bytes. Raises NotReached."""
        if why := self.problem(url):
            raise NotReached(why)
        try:
            place = place_of(url)
            request = b"%b%bContent-Length: %d\r\n\r\n%b" % (place.head, lines(headers), len(body), body)
            return await self.exchange(place, request, url)
        except TimeoutError:
            raise NotReached(f"It took more than {self.limits.seconds:g} s.", again=True) from None
        except (OSError, ValueError) as error:
            raise NotReached(f"{type(error).__name__}: {error}"[:500], again=True) from None

    async def exchange(self, place: Place, request: bytes, url: str) -> Answer:
        """A connection that its receiver closed while it was idle is no answer: the request goes out by another."""
        loop = asyncio.get_running_loop()
        until = loop.time() + self.limits.seconds
        while True:
            kept = self.kept(place)
            wire = kept or await self.connect(place)
            try:
                reply = await wire.exchange(request, until)
            except Broken as error:
                if kept and error.silent:
                    continue
                raise
            if wire.is_open:
                wire.idle_since = loop.time()
                self.idle[place.key].append(wire)
            return Answer(reply.status, reply.headers, reply.body, url)

    def kept(self, place: Place) -> Wire | None:
        wires = self.idle.get(place.key)
        while wires:
            if (wire := wires.pop()).is_open:
                return wire
        return None

    async def connect(self, place: Place) -> Wire:
        """Connects to an address of the place, whichever answers first. Raises NotReached, OSError."""
        loop = asyncio.get_running_loop()
        try:
            async with asyncio.timeout(self.limits.connect):
                addresses = [
                    (socket.AF_INET6 if ":" in one else socket.AF_INET, socket.SOCK_STREAM, 0, "", (one, place.port))
                    for one in await self.resolver.resolve(place.host, place.port)
                ]
                sock = await start_connection(addresses, happy_eyeballs_delay=FALLBACK)
                context, name = (self.context, place.host) if place.tls else (None, None)
                _, wire = await loop.create_connection(
                    lambda: Wire(self.limits.size), sock=sock, ssl=context, server_hostname=name
                )
                return wire
        except TimeoutError:
            why = f"It could not be connected to within {self.limits.connect:g} s."
            raise NotReached(why, again=True) from None


def lines(headers: Mapping[str, str]) -> bytes:
    """Returns headers as they are sent. Raises ValueError for a line break in one."""
    text = "".join([f"{name}: {value}\r\n" for name, value in headers.items()])
    if text.count("\n") != len(headers) or text.count("\r") != len(headers):
        raise ValueError("A header has a line break in it.")
    return text.encode("ascii")

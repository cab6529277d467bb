"""HTTP to webhooks that strangers name: fast, with connections that are kept, and to public addresses only.

aiohttp asks our resolver for each new connection. It resolves the name once, every address must be public, and the
connection goes to one of them; a connection that is kept leads where it led when it was made. Redirects are not
followed; time and bytes are limited. No proxy, cookie, login or file of this machine is used.
"""

import socket
from collections.abc import Mapping, Sequence
from functools import lru_cache
from types import TracebackType
from typing import Self

import aiohttp
from aiohttp.abc import AbstractResolver, ResolveResult
from msgspec import Struct

from crm.adapters.public_hosts import addresses_of, stands_for_public
from crm.adapters.safe_http import Answer, NotReached
from crm.webhook_urls import problem


class PostLimits(Struct, frozen=True):
    """`seconds`: of the whole exchange; `connect`: until there is a connection; `size`: bytes of an answer."""

    seconds: float = 15.0
    connect: float = 5.0
    size: int = 65_536


POST_LIMITS = PostLimits()


class PublicResolver(AbstractResolver):
    """Resolves names whose addresses are all public; `private_hosts` may be anywhere."""

    def __init__(self, private_hosts: Sequence[str]) -> None:
        self.private_hosts = frozenset(private_hosts)

    async def resolve(
        self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_UNSPEC
    ) -> list[ResolveResult]:
        try:
            found = list(dict.fromkeys(await addresses_of(host, port)))
        except (OSError, UnicodeError) as error:
            raise NotReached(f"The host {host} is not known: {error}.", again=True) from None
        if not found:
            raise NotReached(f"The host {host} has no address.", again=True)
        private = host in self.private_hosts or f"{host}:{port}" in self.private_hosts
        if not private and (wrong := [one for one in found if not stands_for_public(one)]):
            raise NotReached(f"{host} is at {wrong[0]}, which is no address of the public Internet.")
        return [
            ResolveResult(
                hostname=host,
                host=address,
                port=port,
                family=socket.AF_INET6 if ":" in address else socket.AF_INET,
                proto=0,
                flags=socket.AI_NUMERICHOST,
            )
            for address in found
        ]

    async def close(self) -> None: ...


class PinnedHttp:
    """A client for POST; use it with `async with`."""

    def __init__(self, private_hosts: Sequence[str] = (), limits: PostLimits = POST_LIMITS) -> None:
        self.limits = limits
        self.problem = lru_cache(4_096)(lambda url: problem(url, tuple(private_hosts)))
        self.resolver = PublicResolver(private_hosts)

    async def __aenter__(self) -> Self:
        connector = aiohttp.TCPConnector(resolver=self.resolver, ttl_dns_cache=30, limit=0, keepalive_timeout=30)
        self.session = aiohttp.ClientSession(
            connector=connector,
            cookie_jar=aiohttp.DummyCookieJar(),
            trust_env=False,
            auto_decompress=False,
            timeout=aiohttp.ClientTimeout(total=self.limits.seconds, sock_connect=self.limits.connect),
            headers={"user-agent": "Potik", "accept-encoding": "identity"},
        )
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.session.close()

    async def post(self, url: str, headers: Mapping[str, str], body: bytes) -> Answer:
        """Returns the answer, whatever its status; of a body the first bytes. Raises NotReached."""
        if why := self.problem(url):
            raise NotReached(why)
        try:
            async with self.session.post(url, data=body, headers=headers, allow_redirects=False) as response:
                found = await self.read(response)
                names = {name.lower(): value for name, value in response.headers.items()}
                return Answer(response.status, names, found, url)
        except TimeoutError:
            raise NotReached(f"It took more than {self.limits.seconds:g} s.", again=True) from None
        except (aiohttp.ClientError, OSError, ValueError) as error:
            raise NotReached(f"{type(error).__name__}: {error}"[:500], again=True) from None

    async def read(self, response: aiohttp.ClientResponse) -> bytes:
        found = bytearray()
        while len(found) < self.limits.size and (piece := await response.content.read(self.limits.size - len(found))):
            found += piece
        if not response.content.at_eof():
            response.close()  # the rest is not read
        return bytes(found)

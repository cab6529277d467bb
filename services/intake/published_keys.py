"""Keys that vendors publish at a URL, fetched when they are first needed and then once an hour."""

import asyncio
from collections.abc import Awaitable, Callable, Iterable, Mapping

import httpx
import structlog

from crm.envelope import now
from crm.log import Clock
from crm.scalars import Micros
from services.intake.reply import Stop, later

HOUR, MINUTE = 3_600_000_000, 60_000_000
SECONDS = 5.0  # of a fetch: the vendor waits meanwhile
LONGEST = 1_000_000  # bytes
logger = structlog.get_logger()


async def fetched(url: str) -> str:
    async with httpx.AsyncClient(timeout=SECONDS) as client, client.stream("GET", url) as response:
        response.raise_for_status()
        body = b""
        async for part in response.aiter_bytes():
            body += part
            if len(body) > LONGEST:
                raise httpx.HTTPError(f"{url} gives more than {LONGEST} bytes")
        return body.decode()


class PublishedKeys:
    """Documents by their URL. What was fetched once serves until there is something newer, also while the vendor does
    not answer."""

    def __init__(self, fetch: Callable[[str], Awaitable[str]] = fetched, clock: Clock = now) -> None:
        self.fetch, self.clock = fetch, clock
        self.documents: dict[str, str] = {}
        self.due: dict[str, Micros] = {}  # when a URL may be asked again
        self.lock = asyncio.Lock()

    async def of(self, urls: Iterable[str]) -> Mapping[str, str]:
        """Raises Stop when one of them was never there."""
        for url in urls:
            if self.clock() >= self.due.get(url, 0):
                async with self.lock:
                    await self.renew(url)
            if url not in self.documents:
                raise Stop(later(f"The keys at {url} cannot be had now. Nothing was kept. Send it again."))
        return self.documents

    async def renew(self, url: str) -> None:
        if self.clock() < self.due.get(url, 0):
            return  # another request has just asked
        try:
            self.documents[url] = await self.fetch(url)
            self.due[url] = Micros(self.clock() + HOUR)
        except (httpx.HTTPError, UnicodeError, OSError) as error:
            self.due[url] = Micros(self.clock() + MINUTE)
            logger.warning("cannot fetch a vendor's keys", url=url, why=repr(error))

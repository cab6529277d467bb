"""Requests to vendors: each with its whole answer, with limits; what went wrong as one of the kinds of PollFailed."""

import os
import re
from collections.abc import Callable, Mapping
from email.utils import parsedate_to_datetime
from functools import cached_property
from typing import TYPE_CHECKING
from urllib.parse import urlencode, urlsplit

import httpx

from crm.connector_poll import SECOND, Ask, Expired, Forgotten, Page, PollFailed, Rejected, Throttled
from crm.log import Clock
from crm.vendor_override import override_of
from services.polling.account import Account
from services.polling.vendor_client import VendorClient, address_of

if TYPE_CHECKING:
    from services.polling.mailbox import Mailboxes

REQUEST_SECONDS = 30.0  # from the first byte out to the last byte in, however slowly they drip
MAX_PATIENCE = 6 * 3_600  # seconds that a Retry-After may ask for
RATE = re.compile(rb"rate.?limit", re.IGNORECASE)  # in a 403, as of Google's APIs: a key that is asked for too often


class Vendors:
    """Asks vendors. `transport` is for tests."""

    def __init__(
        self,
        clock: Clock,
        environment: Mapping[str, str] = os.environ,
        transport: httpx.AsyncBaseTransport | None = None,
        seconds: float = REQUEST_SECONDS,
    ) -> None:
        self.clock, self.environment, self.seconds = clock, environment, seconds
        self.http = VendorClient(clock, seconds, transport)

    @cached_property
    def mailboxes(self) -> "Mailboxes":
        from services.polling.mailbox import Mailboxes  # most stacks ask no mail server

        return Mailboxes(self.clock, self.seconds)

    async def close(self) -> None:
        await self.http.close()
        if "mailboxes" in self.__dict__:
            self.mailboxes.close()

    async def call(self, account: Account, ask: Ask, headers: Mapping[str, str], anywhere: bool = False) -> Page:
        """Returns the vendor's answer. Raises PollFailed, of its kinds the one that says what to do.

        `anywhere`: a whole URL may be of another host, as that of a log-in.
        """
        if account.base.startswith("imaps://"):
            return await self.ask_mailbox(account, ask)
        url = self.url_of(account, ask, anywhere)
        pinned = callable(account.poll.base) and not self.elsewhere(account)
        given = {"accept": "application/json", **ask.headers, **headers}
        try:
            page = await self.http.page(ask, url, given, pinned)
        except TimeoutError:
            raise PollFailed(f"The vendor did not answer in full within {self.seconds:g} s.") from None
        except (httpx.HTTPError, httpx.InvalidURL) as error:
            raise PollFailed(f"The vendor cannot be reached: {type(error).__name__}: {error}.") from None
        expect_answered(page, account.poll.forgotten)
        return page

    async def ask_mailbox(self, account: Account, ask: Ask) -> Page:
        """By IMAP, with TLS unless a test's address says otherwise."""
        base, elsewhere = account.base, self.elsewhere(account)
        if elsewhere:
            base = elsewhere.replace("://", f"://{urlsplit(base).username}@", 1)
        parts = urlsplit(base)
        host = parts.hostname or ""
        address = host if elsewhere else await address_of(host, parts.port or 993)
        return await self.mailboxes.call(account, ask, base, address)

    async def watch(self, account: Account, wake: Callable[[int], None]) -> None:
        """Has the vendor say when there is something new, where it can: then calls `wake` with the moment to ask."""
        if account.poll.watch and "mailboxes" in self.__dict__:
            await self.mailboxes.watch(account, account.poll.watch(account.connection), wake)

    def drop_gone(self) -> None:
        """Closes what is kept open for accounts that are asked here no more."""
        if "mailboxes" in self.__dict__:
            self.mailboxes.drop_gone()

    def url_of(self, account: Account, ask: Ask, anywhere: bool) -> str:
        base = account.base.rstrip("/")
        if not base:
            raise PollFailed("The settings of this connection give no address to ask. Set them again.")
        elsewhere = self.elsewhere(account)
        url = ask.path
        if not url.startswith(("http://", "https://")):
            url = base + url
        elif not anywhere and origin(url) != origin(base):
            raise PollFailed(f"The vendor's next page is on another host, {origin(url)}: it is not asked.")
        if elsewhere:
            url = elsewhere.rstrip("/") + url[len(origin(url)) :]
        if ask.parameters:
            url += ("&" if "?" in url else "?") + urlencode(ask.parameters)
        return url

    def elsewhere(self, account: Account) -> str:
        return override_of(account.connector.name, self.environment)


def origin(url: str) -> str:
    parts = urlsplit(url)
    return f"{parts.scheme}://{parts.netloc}"


def expect_answered(page: Page, forgotten: frozenset[int]) -> None:
    """Raises PollFailed when the status says that there is no answer."""
    status = page.status
    if 200 <= status < 300:
        return
    said = " ".join(page.body[:200].decode("utf-8", "replace").split()) if page.body.lstrip()[:1] != b"<" else "HTML"
    sentence = f"The vendor answered {status}: {said}" if said else f"The vendor answered {status}."
    if status in forgotten:
        raise Forgotten(sentence)
    after = patience(page)
    if status == 403 and RATE.search(page.body[:2_000]):
        raise Throttled(f"The vendor asks for patience (status {status}).", after)
    if status in (401, 403):
        raise Expired(sentence)
    if status == 429 or (status == 503 and after):
        raise Throttled(f"The vendor asks for patience (status {status}).", after)
    if 400 <= status < 500 and status != 408:
        raise Rejected(sentence)
    raise PollFailed(sentence)


def patience(page: Page) -> float:
    """Returns the seconds of Retry-After (RFC 9110, section 10.2.3); 0 when it says nothing that can be used."""
    text = page.headers.get("retry-after", "").strip()
    if text.isascii() and text.isdecimal():
        return min(float(text[:9]), MAX_PATIENCE)
    try:
        until = parsedate_to_datetime(text).timestamp()
        sent = parsedate_to_datetime(page.headers["date"]).timestamp() if "date" in page.headers else None
    except (ValueError, TypeError, OverflowError):
        return 0
    return max(0.0, min(until - (sent if sent is not None else page.received_at / SECOND), MAX_PATIENCE))

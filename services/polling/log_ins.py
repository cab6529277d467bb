"""Proof to vendors that give tokens. A key that a vendor gives in place of another is kept before it is used.

A log-in that has begun comes to its end, also when the role stops or another replica takes over: the vendor may accept
no older key after it.
"""

import asyncio
from collections.abc import Awaitable, Callable, Mapping

from msgspec.structs import replace

from crm.connector_poll import SECOND, Auth, Expired, Forgotten, LogIn, Page, Rejected
from crm.errors import NotYet
from crm.log import Clock
from services.polling.account import Account, Seal
from services.polling.vendor import Vendors

NOT_KEPT = "The key that the vendor gave in place of the last one could not be kept yet: it is not used before."


class LogIns:
    """`keep` writes the state of an account and says whether Kafka has it."""

    def __init__(
        self, vendors: Vendors, clock: Clock, seal: Seal | None, keep: Callable[[Account], Awaitable[bool]]
    ) -> None:
        self.vendors, self.clock, self.seal, self.keep = vendors, clock, seal, keep
        self.running: set[asyncio.Task[None]] = set()

    async def proof(self, account: Account, auth: Auth) -> Mapping[str, str]:
        """Returns the header that proves who asks, after a log-in where that is needed. Raises PollFailed, NotYet."""
        if not auth.log_in:
            return {auth.header: auth.prefix + key_of(account)}
        if not account.token or self.clock() >= account.token_until:
            task = asyncio.create_task(self.renew(account, auth.log_in))
            self.running.add(task)
            task.add_done_callback(self.ended)
            await asyncio.shield(task)
        return {auth.header: auth.prefix + account.token}

    def ended(self, task: asyncio.Task[None]) -> None:
        self.running.discard(task)
        if not task.cancelled():
            task.exception()  # so that nobody misses it where the step is over

    async def settled(self) -> None:
        """Returns once no log-in is running. Each has a limit of time."""
        while self.running:
            await asyncio.wait(self.running)

    async def renew(self, account: Account, log_in: LogIn) -> None:
        if self.seal and account.key and not account.key_kept:
            await self.keep_key(account, self.seal)
        key = key_of(account)
        page = await self.request(account, log_in, key)
        token, now = log_in.read(page), self.clock()
        account.token = token.text
        account.token_until = now + (token.seconds * 9 // 10 or 10**9) * SECOND
        if token.refresh and token.refresh != key:
            account.key, account.key_at, account.key_kept = token.refresh, now, False
            if self.seal:
                await self.keep_key(account, self.seal)

    async def request(self, account: Account, log_in: LogIn, key: str) -> Page:
        try:
            return await self.vendors.call(account, log_in.ask(account.connection, key), {}, anywhere=True)
        except (Rejected, Forgotten) as error:  # RFC 6749, section 5.2: a refresh token that has ended is a 400
            raise Expired(str(error)) from None

    async def keep_key(self, account: Account, seal: Seal) -> None:
        """Raises NotYet when it is not kept: the next log-in begins with it."""
        account.state = replace(account.state, sealed_key=seal.seal(account.key, account.key_at, account))
        account.key_kept = await self.keep(account)
        if not account.key_kept:
            raise NotYet(NOT_KEPT)


def key_of(account: Account) -> str:
    return account.key or account.poll.key_of(account.connection)

"""When each token was used last: noted in memory where it is checked, written to Postgres periodically."""

import asyncio
from collections.abc import Iterable

import psycopg
import structlog

from crm.scalars import Id, Micros

SECONDS = 30.0  # between two writings: so much is forgotten when the process is killed
WRITE = """INSERT INTO core.token_used (token, used_at)
SELECT u.token, to_timestamp(u.at / 1000000.0) FROM unnest(%s::uuid[], %s::bigint[]) AS u(token, at)
ON CONFLICT (token) DO UPDATE SET used_at = greatest(core.token_used.used_at, excluded.used_at)"""
READ = "SELECT token::text, used_at::timestamptz(0)::text FROM core.token_used WHERE token = ANY (%s::uuid[])"
log = structlog.get_logger()


class TokenUses:
    """`used` is filled by Access: token id -> moment. What could not be written is written the next time."""

    def __init__(self, dsn: str, used: dict[Id, Micros], seconds: float = SECONDS) -> None:
        self.dsn, self.used, self.seconds = dsn, used, seconds

    async def run(self) -> None:
        """Until cancelled, and once more then."""
        try:
            while True:
                await asyncio.sleep(self.seconds)
                await self.write()
        finally:
            await self.write()

    async def write(self) -> None:
        if not self.used:
            return
        taken = dict(self.used)
        self.used.clear()
        try:
            async with await psycopg.AsyncConnection.connect(self.dsn, autocommit=True, connect_timeout=5) as conn:
                await conn.execute(WRITE, [list(taken), list(taken.values())])
        except (psycopg.Error, OSError) as error:
            for token, at in taken.items():
                self.used.setdefault(token, at)
            log.warning("the last uses of tokens are kept in memory for now", error=type(error).__name__)


async def read(dsn: str, tokens: Iterable[Id]) -> dict[str, str]:
    """By token: when it was used last, for people; those that never were are left out."""
    async with await psycopg.AsyncConnection.connect(dsn, options="-c timezone=UTC") as conn:
        return dict([(token, at) async for token, at in await conn.execute(READ, [list(tokens)])])

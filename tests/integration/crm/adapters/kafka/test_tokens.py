"""Tokens from their birth to their end, on a real Kafka and a real Postgres."""

import asyncio
from uuid import uuid4

from crm.adapters.kafka.directory import Access
from crm.adapters.postgres import token_uses
from crm.scalars import Id, Micros
from services.stack.access import create_token, declared_tokens, revoke_token

NOON = Micros(1_767_268_800_000_000)  # 2026-01-01T12:00:00Z
SECOND = 1_000_000


def test_a_token_is_listed_until_it_is_revoked(kafka_bootstrap: str) -> None:
    async def story() -> None:
        ours, others = Id(str(uuid4())), Id(str(uuid4()))
        made = await create_token(kafka_bootstrap, ours, "laptop", ("read",), NOON)
        kept = await create_token(kafka_bootstrap, ours, "server", ("read", "write"))
        await create_token(kafka_bootstrap, others, "somebody else's")
        laptop, server = await declared_tokens(kafka_bootstrap, ours)
        assert (laptop.id, laptop.name, laptop.scopes, laptop.expires_at) == (made.id, "laptop", {"read"}, NOON)
        assert (server.id, server.expires_at) == (kept.id, None)
        await revoke_token(kafka_bootstrap, server)
        assert await declared_tokens(kafka_bootstrap, ours) == [laptop]
        access = await Access().start(kafka_bootstrap)
        await access.stop()
        assert access.token(kept.text) is None
        assert access.token(made.text, Micros(NOON - 1)) == laptop

    asyncio.run(story())


def test_the_last_use_is_written_and_never_goes_back(fresh_database_url: str) -> None:
    async def story() -> None:
        token, other = Id(str(uuid4())), Id(str(uuid4()))
        uses = token_uses.TokenUses(fresh_database_url, {token: NOON})
        await uses.write()
        assert uses.used == {}
        uses.used |= {token: Micros(NOON - SECOND)}
        await uses.write()
        await uses.write()
        assert await token_uses.read(fresh_database_url, [token, other]) == {token: "2026-01-01 12:00:00+00"}

    asyncio.run(story())


def test_a_use_that_cannot_be_written_is_kept(fresh_database_url: str) -> None:
    async def story() -> None:
        token, away = Id(str(uuid4())), "postgresql://nobody@127.0.0.1:1/none"
        uses = token_uses.TokenUses(away, {token: NOON})
        await uses.write()
        assert uses.used == {token: NOON}
        uses.dsn = fresh_database_url
        running = asyncio.create_task(uses.run())
        await asyncio.wait([running], timeout=0)
        running.cancel()
        await asyncio.wait([running])
        assert await token_uses.read(fresh_database_url, [token]) == {token: "2026-01-01 12:00:00+00"}

    asyncio.run(story())

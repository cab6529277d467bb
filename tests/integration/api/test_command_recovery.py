"""Commands survive the loss of the database: restored from Kafka, it answers a repeated key as before."""

import asyncio
import contextlib
from collections.abc import AsyncIterator
from typing import Any

import pytest

from api.sql.database import pool
from crm.scalars import Id
from tests.integration.crm.engine.test_recovery import content, ensure, lost, own, publish_all
from tests.support.isolated_journal import IsolatedJournal
from tests.support.shop_commands import ShopCommands, shop_commands

__all__ = ["lost", "own"]


def a_day(deal: Id, olena: Id, petro: Id) -> list[tuple[str, dict[str, Any]]]:
    """What people ask for, each under a key of its own."""
    return [
        ("fieldDefine", {"entity": "deal", "key": "size", "type": "choice", "options": ["S", "L"]}),
        ("stageAdd", {"key": "offer", "before": "part_paid"}),
        ("dealChange", {"dealId": deal, "title": "Table", "fields": [{"key": "size", "value": "L"}]}),
        ("dealMoveStage", {"dealId": deal, "stage": "offer"}),
        ("noteAdd", {"dealId": deal, "text": "VIP"}),
        ("taskAdd", {"contactId": olena, "title": "Ring", "dueAt": "2026-01-31T12:00:00+02:00"}),
        ("contactMerge", {"contactId": petro, "intoId": olena}),
        ("contactUnmerge", {"contactId": petro}),
    ]


async def execute_all(shop: ShopCommands, commands: list[tuple[str, dict[str, Any]]]) -> list[Any]:
    payloads = [await shop.do(name, once=f"k-{n}", **given) for n, (name, given) in enumerate(commands)]
    assert all(payload["userErrors"] == [] for payload in payloads)
    return payloads


@contextlib.asynccontextmanager
async def found_again(shop: ShopCommands, dsn: str) -> AsyncIterator[ShopCommands]:
    """The same shop on another database."""
    rows = pool(dsn)
    await rows.open()
    again = ShopCommands(dsn, "127.0.0.1:9", rows, ())
    again.workspace, again.access = shop.workspace, shop.access
    await again.executor.pool.open()
    try:
        yield again
    finally:
        await again.executor.pool.close()
        await rows.close()


def test_an_emptied_database_gives_the_same_answers(
    own: IsolatedJournal, lost: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("api.commands.rows.PATIENCE", 0)  # read models follow at the end

    async def run() -> None:
        async with shop_commands(own.dsn) as shop:
            olena = (await shop.do("contactCreate", name="Olena", phones=["0671234567"]))["row"]["id"]
            petro = (await shop.do("contactCreate", name="Petro", phones=["0501112233"]))["row"]["id"]
            deal = (await shop.do("dealOpen", contactId=olena, title="Desk"))["row"]["id"]
            commands = a_day(deal, olena, petro)
            await execute_all(shop, commands)
            events = await shop.events()
            await publish_all(own)
            await shop.project(events)
            await ensure(own, lost)
            state = (await content(own.dsn))["core.state"]
            assert (await content(lost))["core.state"] == state
            async with found_again(shop, lost) as again:
                await again.project(events)
                repeated = await execute_all(again, commands)
                assert repeated == await execute_all(shop, commands)
                assert repeated[3]["row"]["stage"] == "offer" and repeated[3]["row"]["fields"] == {"size": "L"}
                other = await again.do("noteAdd", once="k-4", dealId=deal, text="not VIP")
                assert other["errors"][0]["extensions"] == {"code": "IDEMPOTENCY_KEY_REUSED"}
            assert (await content(lost))["core.state"] == state
            assert await shop.events() == []  # all are published, and nothing was added

    asyncio.run(run())

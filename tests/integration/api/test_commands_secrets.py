"""Connections and tokens by command: secrets go to Kafka only, are shown once, and survive crashes."""

import asyncio
import contextlib
from collections.abc import AsyncIterator
from typing import Any

import pytest

from crm.adapters.kafka.directory import Access
from crm.contract.codec import encode
from crm.engine import run_command as commanding
from crm.engine.run_command import journal
from crm.events import ConnectionRotated, TokenCreated
from services.stack.process import until
from tests.integration.api.test_commands import refused
from tests.support.secret_keys import KEYS
from tests.support.shop_commands import ShopCommands, shop_commands
from tests.support.timeouts import TIMEOUT

TOKEN = {"name": "Reports", "scopes": ["read"]}


@contextlib.asynccontextmanager
async def others(bootstrap: str) -> AsyncIterator[Access]:
    """As intake and other replicas know it: from Kafka."""
    access = Access(KEYS)
    try:
        yield await access.start(bootstrap)
    finally:
        await access.stop()


async def comes(what: Any) -> None:
    async def missing() -> str | None:
        return None if what() else "it is not known yet"

    await until(missing, TIMEOUT)


async def no_secret_in_the_journal(shop: ShopCommands, *secrets: str) -> None:
    for event in await shop.events():
        assert not any(secret.encode() in encode(event) for secret in secrets)


def test_a_token_is_shown_once_works_everywhere_and_is_revoked(database_url: str, kafka_bootstrap: str) -> None:
    async def run() -> None:
        async with (
            shop_commands(database_url, kafka_bootstrap, ["admin"]) as shop,
            others(kafka_bootstrap) as elsewhere,
        ):
            made = await shop.do("tokenCreate", once="t-1", **TOKEN)
            assert made["secret"].startswith("crm_live_") and made["row"]["scopes"] == ["read"]
            await comes(lambda: elsewhere.token(made["secret"]))
            found = elsewhere.token(made["secret"])
            assert found and (found.id, found.workspace) == (made["row"]["id"], shop.workspace)
            await shop.project()
            assert await shop.do("tokenCreate", once="t-1", **TOKEN) == made | {"secret": None}
            assert elsewhere.token(made["secret"])
            await no_secret_in_the_journal(shop, made["secret"])
            revoked = await shop.do("tokenRevoke", once="t-2", tokenId=made["row"]["id"], why="leaked")
            assert revoked["row"]["revokedAt"] and revoked["row"]["name"] == "Reports"
            await comes(lambda: elsewhere.token(made["secret"]) is None)
            await shop.project()
            assert await shop.do("tokenRevoke", once="t-2", tokenId=made["row"]["id"], why="leaked") == revoked
            again = await shop.do("tokenRevoke", tokenId=made["row"]["id"])
            assert refused(again | {"secret": None}) == ("tokenId", "NOT_FOUND")

    asyncio.run(run())


def test_a_connection_is_added_rotated_and_switched_off(database_url: str, kafka_bootstrap: str) -> None:
    async def run() -> None:
        async with (
            shop_commands(database_url, kafka_bootstrap, ["connect"]) as shop,
            others(kafka_bootstrap) as elsewhere,
        ):
            settings = [{"key": "token", "value": "hush-2"}]
            added = await shop.do("connectionAdd", connector="form", secret="hush-1", settings=settings)
            id = added["row"]["id"]
            assert (added["secret"], added["row"]["settings"], added["row"]["enabled"]) == (None, ["token"], True)
            await comes(lambda: elsewhere.connection(id))
            found = elsewhere.connection(id)
            assert found and (found.secret, found.settings) == ("hush-1", {"token": "hush-2"})
            await shop.do("connectionRotate", connectionId=id, secret="hush-3")
            await comes(lambda: elsewhere.connections[id].secret == "hush-3")
            assert elsewhere.connections[id].settings == {"token": "hush-2"}
            await no_secret_in_the_journal(shop, "hush")
            await shop.project()
            removed = await shop.do("connectionRemove", connectionId=id)
            assert (removed["row"]["enabled"], removed["row"]["version"]) == (False, 3)
            await comes(lambda: elsewhere.connection(id) is None)
            assert (elsewhere.connections[id].secret, elsewhere.connections[id].settings) == ("", {})
            form = await shop.do("connectionAdd", connector="form")
            await comes(lambda: elsewhere.connection(form["row"]["id"]))
            assert elsewhere.connections[form["row"]["id"]].secret == form["secret"] != ""

    asyncio.run(run())


def test_connections_and_tokens_of_another_workspace_are_not_found(database_url: str, kafka_bootstrap: str) -> None:
    async def run() -> None:
        async with (
            shop_commands(database_url, kafka_bootstrap, ["admin"]) as theirs,
            shop_commands(database_url, kafka_bootstrap, ["admin"]) as ours,
        ):
            ours.executor.access = ours.access = theirs.access  # one process serves both
            ours.grant("crm_live_ours", ["admin"])
            token = await theirs.do("tokenCreate", **TOKEN)
            connection = await theirs.do("connectionAdd", connector="form")
            for name, given in (
                ("tokenRevoke", {"tokenId": token["row"]["id"]}),
                ("connectionRotate", {"connectionId": connection["row"]["id"], "secret": "x"}),
                ("connectionRemove", {"connectionId": connection["row"]["id"]}),
            ):
                answer = await ours.do(name, token="crm_live_ours", **given)
                assert [error["code"] for error in answer["userErrors"]] == ["NOT_FOUND"]
            assert theirs.access.token(token["secret"])

    asyncio.run(run())


def test_while_kafka_is_away_nothing_is_changed(database_url: str) -> None:
    async def run() -> None:
        async with shop_commands(database_url, scopes=["admin"]) as shop:
            before = await shop.events()
            answer = await shop.do("tokenCreate", once="t", **TOKEN)
            assert answer["errors"][0]["extensions"] == {"code": "UNAVAILABLE"}
            assert await shop.events() == before

    asyncio.run(run())


def test_killed_between_kafka_and_the_commit_the_same_key_goes_through(
    database_url: str, kafka_bootstrap: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The token that was never shown is replaced by the one that is."""
    real = journal.append

    async def dying(*_: Any) -> None:
        monkeypatch.setattr(commanding.journal, "append", real)
        raise InterruptedError("planted")

    async def run() -> None:
        async with shop_commands(database_url, kafka_bootstrap, ["admin"]) as shop:
            monkeypatch.setattr(commanding.journal, "append", dying)
            assert "errors" in await shop.do("tokenCreate", once="t", **TOKEN)
            assert not [e for e in await shop.events() if isinstance(e, TokenCreated)]
            assert len(shop.access.hashes) == 1
            made = await shop.do("tokenCreate", once="t", **TOKEN)
            assert shop.access.token(made["secret"])
            assert len(shop.access.hashes) == 1
            assert len([e for e in await shop.events() if isinstance(e, TokenCreated)]) == 1
            assert not [e for e in await shop.events() if isinstance(e, ConnectionRotated)]

    asyncio.run(run())


def test_a_new_connection_has_the_url_for_its_vendor(database_url: str, kafka_bootstrap: str) -> None:
    document = """mutation ($input: ConnectionAddInput!) {
      connectionAdd(input: $input) { connection { id } url warning userErrors { message } } }"""

    async def run() -> None:
        async with shop_commands(database_url, kafka_bootstrap, ["connect"]) as shop:
            given = {"connector": "form", "name": "Landing page"}
            made = (await shop.ask(document, {"input": given}, "1"))["data"]["connectionAdd"]
            assert made["url"] == f"https://crm.example.com/in/{made['connection']['id']}"
            assert (made["warning"], made["userErrors"]) == (None, [])
            shop.intake_url = "http://127.0.0.1:8080"
            local = (await shop.ask(document, {"input": given}, "1"))["data"]["connectionAdd"]
            assert local["url"].startswith("http://127.0.0.1:8080/in/")
            assert local["warning"].startswith("Only this machine can reach this address; set CRM_PUBLIC_URL")
            failed = (await shop.ask(document, {"input": {"connector": "nobody", "name": "x"}}))["data"]
            assert (failed["connectionAdd"]["url"], failed["connectionAdd"]["warning"]) == (None, None)

    asyncio.run(run())

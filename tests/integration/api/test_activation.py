"""connectionAdd, connectionRotate and connectionRemove with a vendor's own key: the simulated vendor is asked."""

import asyncio
import contextlib
from collections.abc import AsyncIterator
from typing import Any, Self

import pytest

from api.commands import activation
from tests.simulator.in_process import InProcess
from tests.simulator.keys import given
from tests.support.shop_commands import ShopCommands, shop_commands

SECRET = "LS0tLS1" + "A" * 80  # as the bank's key looks
MUTATION = """mutation ($input: ConnectionAddInput!) { connectionAdd(input: $input) {
  connection { id connector settings } secret url userErrors { field code message }
  activation { active account done next } } }"""


class Vendors(InProcess):
    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None: ...


@pytest.fixture
def vendors(monkeypatch: pytest.MonkeyPatch) -> Vendors:
    vendors = Vendors()
    monkeypatch.setattr(activation, "VendorHttp", lambda: vendors)
    return vendors


@contextlib.asynccontextmanager
async def shop_of(database_url: str, kafka_bootstrap: str) -> AsyncIterator[ShopCommands]:
    async with shop_commands(database_url, kafka_bootstrap, ["connect"]) as shop:
        yield shop


def given_to(vendors: Vendors, number: int, connector: str = "telegram") -> dict[str, Any]:
    settings = given(vendors.accounts, connector, number, SECRET).settings
    return {"connector": connector, "settings": [{"key": key, "value": text} for key, text in settings.items()]}


def test_a_bot_is_connected_rotated_and_removed(database_url: str, kafka_bootstrap: str, vendors: Vendors) -> None:
    async def run() -> None:
        async with shop_of(database_url, kafka_bootstrap) as shop:
            answer = await shop.ask(MUTATION, {"input": given_to(vendors, 1)}, "one")
            added = answer["data"]["connectionAdd"]
            done = ["The webhook is set at telegram."]
            assert added["activation"] == {"active": True, "account": "shop_bot", "done": done, "next": None}
            id, (account,) = added["url"].rpartition("/")[2], vendors.accounts.by_key.values()
            made = shop.access.connections[id].secret
            assert (added["secret"], added["userErrors"]) == (None, [])
            assert [(hook.url, hook.secret) for hook in account.hooks] == [(added["url"], made)]
            again = (await shop.ask(MUTATION, {"input": given_to(vendors, 1)}, "one"))["data"]["connectionAdd"]
            assert again["url"] == added["url"] and shop.access.connections[id].secret == made
            await shop.do("connectionRotate", connectionId=id)
            (hook,) = vendors.accounts.by_key["telegram", account.key].hooks
            assert hook.secret == shop.access.connections[id].secret != made
            await shop.do("connectionRemove", connectionId=id)
            assert vendors.accounts.by_key["telegram", account.key].hooks == []
            assert vendors.accounts.unmatched == []

    asyncio.run(run())


CHECK = """mutation ($id: ID!) { connectionCheck(connectionId: $id) {
  activation { active done next } userErrors { code } } }"""


def test_what_the_vendor_switched_off_is_set_again(database_url: str, kafka_bootstrap: str, vendors: Vendors) -> None:
    async def run() -> None:
        async with shop_of(database_url, kafka_bootstrap) as shop:
            added = (await shop.ask(MUTATION, {"input": given_to(vendors, 1)}))["data"]["connectionAdd"]
            id, (account,) = added["url"].rpartition("/")[2], vendors.accounts.by_key.values()
            account.hooks.clear()
            checked = (await shop.ask(CHECK, {"id": id}))["data"]["connectionCheck"]
            done = ["The webhook is set at telegram."]
            assert checked == {"activation": {"active": True, "done": done, "next": None}, "userErrors": []}
            assert [hook.secret for hook in account.hooks] == [shop.access.connections[id].secret]
            form = await shop.do("connectionAdd", connector="form")
            for other, code in ((form["row"]["id"], "INVALID"), (shop.workspace, "NOT_FOUND")):
                checked = (await shop.ask(CHECK, {"id": other}))["data"]["connectionCheck"]
                assert checked == {"activation": None, "userErrors": [{"code": code}]}

    asyncio.run(run())


def test_the_secret_that_the_vendor_says_is_that_of_the_connection(
    database_url: str, kafka_bootstrap: str, vendors: Vendors
) -> None:
    async def run() -> None:
        async with shop_of(database_url, kafka_bootstrap) as shop:
            for number, connector in enumerate(("stripe", "monobank"), 1):
                answer = await shop.ask(MUTATION, {"input": given_to(vendors, number, connector)})
                added = answer["data"]["connectionAdd"]
                id = added["url"].rpartition("/")[2]
                assert shop.access.connections[id].secret == SECRET
                assert added["activation"]["active"] and added["secret"] is None
            assert added["url"] in added["activation"]["next"]

    asyncio.run(run())


def test_a_key_that_the_vendor_does_not_know_changes_nothing(
    database_url: str, kafka_bootstrap: str, vendors: Vendors
) -> None:
    async def run() -> None:
        async with shop_of(database_url, kafka_bootstrap) as shop:
            before, wrong = await shop.events(), given_to(Vendors(), 1)
            added = (await shop.ask(MUTATION, {"input": wrong}))["data"]["connectionAdd"]
            why = "telegram refused it (HTTP 401: Unauthorized). Check what was given as token. Nothing was changed."
            assert added["userErrors"] == [{"field": "settings", "code": "INVALID", "message": why}]
            assert (added["activation"], added["url"], await shop.events()) == (None, None, before)
            added = (await shop.ask(MUTATION, {"input": wrong | {"settings": []}}))["data"]["connectionAdd"]
            assert [error["code"] for error in added["userErrors"]] == ["REQUIRED"]
            assert "With these settings no secret is needed:" in added["userErrors"][0]["message"]

    asyncio.run(run())


def test_where_only_this_machine_can_be_reached_the_next_step_is_said(
    database_url: str, kafka_bootstrap: str, vendors: Vendors
) -> None:
    async def run() -> None:
        async with shop_of(database_url, kafka_bootstrap) as shop:
            shop.intake_url = "http://127.0.0.1:8080"
            activated = (await shop.ask(MUTATION, {"input": given_to(vendors, 1)}))["data"]["connectionAdd"][
                "activation"
            ]
            assert (activated["active"], activated["done"]) == (False, [])
            assert activated["next"] == (
                "Only this machine can reach this address; set CRM_PUBLIC_URL or run a tunnel. "
                "When that is settled, `crm connect --check` sets the webhook."
            )

    asyncio.run(run())

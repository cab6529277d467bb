"""What a command on a connection asks of the vendor, before it takes effect and afterwards."""

import asyncio
from typing import Any, Self

import pytest

from api.commands import activation
from api.commands.activation import Activator, restored, shown
from crm.adapters.kafka.directory import Access
from crm.commands import Command, Rejected
from crm.decisions.commands.connection_add import ConnectionAdd
from crm.decisions.commands.connection_remove import ConnectionRemove
from crm.decisions.commands.connection_rotate import ConnectionRotate
from crm.facts import ConnectionDeclared
from tests.simulator.in_process import InProcess
from tests.simulator.keys import given
from tests.support.scenarios import CONNECTION, SHOP, meta

BASE = "https://crm.example.com"


class Vendors(InProcess):
    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None: ...


class Commands:
    """An executor, as far as activation needs one: what is declared, and how it is sent."""

    def __init__(self) -> None:
        self.access = Access()

    async def send(self, fact: Any) -> None:
        self.access.learn(fact)

    def run(self, command: Command) -> Any:
        """Does what the mutation does. Returns what was done at the vendor."""

        async def run() -> Any:
            executor: Any = self
            activator = Activator(executor, BASE, SHOP, command)
            changed: Any = await activator.before()
            match changed:
                case ConnectionAdd():
                    what = CONNECTION, changed.connector, "", changed.secret, dict(changed.settings)
                    await self.send(ConnectionDeclared(META, *what))
                case ConnectionRotate():
                    before = self.access.connections[CONNECTION]
                    what = CONNECTION, before.connector, "", changed.secret, dict(before.settings)
                    await self.send(ConnectionDeclared(META, *what))
            return await activator.after(CONNECTION, META, True, self.send)

        return asyncio.run(run())

    @property
    def secret(self) -> str:
        return self.access.connections[CONNECTION].secret


META = meta("command")


@pytest.fixture
def vendors(monkeypatch: pytest.MonkeyPatch) -> Vendors:
    vendors = Vendors()
    monkeypatch.setattr(activation, "VendorHttp", lambda: vendors)
    return vendors


def added(connector: str, settings: dict[str, str], secret: str = "") -> ConnectionAdd:
    return ConnectionAdd(meta=META, connector=connector, settings=settings, secret=secret)


def test_a_bot_is_connected_rotated_and_removed(vendors: Vendors) -> None:
    commands, bot = Commands(), given(vendors.accounts, "telegram", 1, "")
    done = commands.run(added("telegram", bot.settings))
    assert (done.active, done.account, done.done) == (True, "shop_bot", ("The webhook is set at telegram.",))
    first = commands.secret
    assert [(hook.url, hook.secret) for hook in bot.account.hooks] == [(f"{BASE}/in/{CONNECTION}", first)]
    assert commands.run(ConnectionRotate(meta=META, connection_id=CONNECTION)).active
    assert [hook.secret for hook in bot.account.hooks] == [commands.secret] != [first]
    done = commands.run(ConnectionRemove(meta=META, connection_id=CONNECTION))
    assert (done.active, done.done, bot.account.hooks) == (False, ("The webhook was taken away at telegram.",), [])


@pytest.mark.parametrize("connector", ["stripe", "monobank", "viber"])
def test_the_secret_that_the_vendor_says_is_that_of_the_connection(vendors: Vendors, connector: str) -> None:
    secret = "445da6az1s345z78-dazcczb2542zv51a-e0vc5fva17480im9"
    commands, account = Commands(), given(vendors.accounts, connector, 1, secret)
    assert commands.run(added(connector, account.settings)).active
    assert commands.secret == secret


def test_a_key_that_the_vendor_does_not_know_is_refused(vendors: Vendors) -> None:
    commands, bot = Commands(), given(Vendors().accounts, "telegram", 1, "")
    with pytest.raises(Rejected) as refusal:
        commands.run(added("telegram", bot.settings))
    why = "telegram refused it (HTTP 401: Unauthorized). Check what was given as token. Nothing was changed."
    assert (refusal.value.field, refusal.value.message, commands.access.connections) == ("settings", why, {})


@pytest.mark.parametrize(("connector", "settings"), [("form", {}), ("telegram", {}), ("telegram", {"token": "abc"})])
def test_without_a_key_that_can_be_one_no_vendor_is_called(
    vendors: Vendors, connector: str, settings: dict[str, str]
) -> None:
    """What is wrong with it, the decision says."""
    executor: Any = Commands()
    command = added(connector, settings, "s3cret")
    assert asyncio.run(Activator(executor, BASE, SHOP, command).before()) is command
    assert vendors.sent == []


def test_what_the_vendor_switched_off_is_set_again(vendors: Vendors) -> None:
    commands, bot = Commands(), given(vendors.accounts, "telegram", 1, "")
    commands.run(added("telegram", bot.settings))
    bot.account.hooks.clear()
    executor: Any = commands
    done = asyncio.run(restored(executor, BASE, commands.access.connections[CONNECTION], META))
    assert done and done.done == ("The webhook is set at telegram.",)
    assert [hook.secret for hook in bot.account.hooks] == [commands.secret]
    said = shown(done)
    assert (said.active, said.account, said.next) == (True, None, None)


def test_the_connection_of_another_workspace_is_not_known(vendors: Vendors) -> None:
    commands, bot = Commands(), given(vendors.accounts, "telegram", 1, "")
    commands.run(added("telegram", bot.settings))
    executor: Any = commands
    theirs = Activator(executor, BASE, CONNECTION, ConnectionRotate(meta=META, connection_id=CONNECTION))
    assert theirs.known is None

"""An installation that ends links of OAuth in memory: real decisions, a simulated vendor, a browser."""

import asyncio
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from typing import Any, Self
from urllib.parse import parse_qsl, urlsplit

import httpx

from api.errors import Unavailable
from api.http.oauth import OAuthCallback
from crm.adapters.kafka.directory import Access
from crm.commands import Command, CommandSpec
from crm.connection_secrets import sealed
from crm.connector_catalogue import ConnectorEntry, catalogue
from crm.decisions.case import Case
from crm.decisions.commands import decided
from crm.engine.in_memory import MemoryState
from crm.engine.run_command import CommandResult, KeyReused
from crm.facts import ConnectionDeclared
from crm.oauth_link import Link, new_link
from crm.scalars import Id
from crm.state import Workspace
from crm.state.entities import ONLY
from tests.simulator.in_process import InProcess
from tests.support.scenarios import NOON, SHOP
from tests.support.secret_keys import KEYS

BASE = "https://crm.example.com"
CLIENT = ("client-7", "hush-client")
USED = "This link was used before, or the connection has changed since. Nothing was changed. Ask for a new link."


class Vendors(InProcess):
    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None: ...


class Installation:
    """An executor whose decisions are real and whose Kafka and Postgres are lists; a vendor; a browser."""

    def __init__(self, connector: str = "olx", known: Mapping[str, ConnectorEntry] | None = None) -> None:
        self.entry = (known or catalogue())[connector]
        self.keys, self.access, self.vendors = KEYS, Access(KEYS), Vendors()
        self.account = self.vendors.accounts.open(connector, *CLIENT)
        self.state, self.ran, self.busy, self.kafka = MemoryState(), set[str](), set[str](), True
        self.declared: list[ConnectionDeclared] = []
        self.journal: list[Any] = []
        self.state.put(ONLY, Workspace("Shop", "UA", "UAH", "Europe/Kyiv", ("new",), "new", "new"))

    @asynccontextmanager
    async def declaration_sender(self) -> AsyncIterator[Any]:
        if not self.kafka:
            raise Unavailable("Kafka does not answer. Nothing was changed.")

        async def send(fact: Any) -> None:
            self.declared.append(sealed(fact, self.keys))
            self.access.learn(self.declared[-1])

        yield send

    @asynccontextmanager
    async def once(self, command: Id) -> AsyncIterator[Any]:
        yield None if command in self.ran or command in self.busy else self.carry_out

    async def carry_out(self, declared: CommandSpec, command: Command, key: str, effect: Any) -> CommandResult:
        if command.meta.id in self.ran:
            raise KeyReused("again")
        events = decided(declared, Case(command, self.state, NOON), key)
        await effect(events)
        self.ran.add(command.meta.id)
        self.journal += events
        return CommandResult(declared.row, declared.key_of(command, events), 1, {}, events)

    def link(self, **more: Any) -> Link:
        given = {"settings": {}, "name": "Shop at OLX", **more}
        return new_link(self.entry, self.keys, BASE, SHOP, CLIENT, **given)

    def open(self, url: str, method: str = "GET") -> httpx.Response:
        """Opens the call-back as a browser does."""

        async def ask() -> httpx.Response:
            executor: Any = self
            app = OAuthCallback(executor, lambda: self.vendors)
            async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url=BASE) as client:
                return await client.request(method, url)

        return asyncio.run(ask())

    def refuses(self, url: str, why: str, status: int = 400) -> None:
        """Expects a page that says why, and that nothing was changed."""
        before = len(self.declared), len(self.journal)
        answer = self.open(url)
        assert (answer.status_code, said(answer)) == (status, why)
        assert (len(self.declared), len(self.journal)) == before


def said(answer: httpx.Response) -> str:
    return answer.text.partition("<p>")[2].partition("</p>")[0]


def state_of(link: str) -> str:
    return dict(parse_qsl(urlsplit(link).query))["state"]

"""Workspaces by mutation: made with a token of the installation, which reads the data of none of them."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any
from uuid import uuid4

import pytest

from api.access import require
from api.errors import Forbidden
from crm.adapters.kafka.directory import Access, Token
from crm.engine.workspaces import workspaces
from crm.events import TokenCreated, WorkspaceChanged
from crm.scalars import Id
from crm.tokens import INSTALLATION, INSTALLATION_SCOPE
from services.stack.access import create_token
from tests.integration.api.test_commands_secrets import comes, others
from tests.support.shop_commands import ShopCommands, shop_commands

CREATE = """mutation ($input: WorkspaceCreateInput!) { workspaceCreate(input: $input) {
  workspaceId tokenId secret position userErrors { field code message } } }"""
CHANGE = """mutation ($input: WorkspaceChangeInput!) { workspaceChange(input: $input) {
  pipeline { name } position userErrors { field code message } } }"""
KRAKOW = {"name": "Kraków", "country": "pl", "currency": "PLN", "timezone": "Europe/Warsaw"}
OPERATOR = "crm_live_operator"


@asynccontextmanager
async def installation(dsn: str, bootstrap: str) -> AsyncIterator[tuple[ShopCommands, Access, str]]:
    """A shop of somebody else, how other processes know tokens, and a token of the installation."""
    async with shop_commands(dsn, bootstrap, ["admin"]) as shop, others(bootstrap) as elsewhere:
        made = await create_token(bootstrap, INSTALLATION, "Provisioning", [INSTALLATION_SCOPE])
        await comes(lambda: elsewhere.token(made.text))
        shop.access.tokens |= elsewhere.tokens
        yield shop, elsewhere, made.text


async def create(shop: ShopCommands, token: str, key: str = "", **given: Any) -> Any:
    return await shop.ask(CREATE, {"input": given}, key, token)


def test_a_workspace_and_its_first_token_are_made_once(database_url: str, kafka_bootstrap: str) -> None:
    async def run() -> None:
        async with installation(database_url, kafka_bootstrap) as (shop, elsewhere, token):
            key = str(uuid4())
            made = (await create(shop, token, key, **KRAKOW))["data"]["workspaceCreate"]
            assert made["userErrors"] == []
            found = (await workspaces(database_url))[Id(made["workspaceId"])]
            assert (found.name, found.country, found.currency, found.owners) == ("Kraków", "PL", "PLN", ())
            await comes(lambda: elsewhere.token(made["secret"]))
            first = elsewhere.token(made["secret"])
            assert first and (first.workspace, first.id) == (made["workspaceId"], made["tokenId"])
            assert first.scopes == {"read", "write", "connect", "admin"}
            assert elsewhere.home(Id(made["workspaceId"])).country == "PL"
            again = (await create(shop, token, key, **KRAKOW))["data"]["workspaceCreate"]
            assert again == {**made, "secret": None}
            other = await create(shop, token, key, **{**KRAKOW, "currency": "EUR"})
            assert other["errors"][0]["extensions"]["code"] == "IDEMPOTENCY_KEY_REUSED"
            events = [e for e in await shop.everything() if e.meta.workspace == made["workspaceId"]]
            assert sum(isinstance(event, TokenCreated) for event in events) == 1
            shop.access.tokens |= elsewhere.tokens
            await shop.project()
            answer = await shop.ask("{ me { workspace { id name currency } } }", token=made["secret"])
            assert answer["data"]["me"]["workspace"] == {
                "id": made["workspaceId"],
                "name": "Kraków",
                "currency": "PLN",
            }

    asyncio.run(run())


def test_what_cannot_be_a_workspace_is_refused(database_url: str, kafka_bootstrap: str) -> None:
    async def run() -> None:
        async with installation(database_url, kafka_bootstrap) as (shop, _, token):
            before = await workspaces(database_url)
            answer = (await create(shop, token, name="X", country="Poland"))["data"]["workspaceCreate"]
            assert answer["userErrors"] == [
                {
                    "field": "country",
                    "code": "INVALID",
                    "message": "It takes a two-letter ISO 3166 code such as UA or PL, not 'Poland'. "
                    "No workspace was created.",
                }
            ]
            assert answer["workspaceId"] is None
            denied = await create(shop, "crm_live_desk", **KRAKOW)  # the admin of a workspace
            assert denied["errors"][0]["extensions"]["code"] == "FORBIDDEN"
            assert await workspaces(database_url) == before

    asyncio.run(run())


def test_it_changes_settings_of_any_workspace_and_reads_none(database_url: str, kafka_bootstrap: str) -> None:
    async def run() -> None:
        async with installation(database_url, kafka_bootstrap) as (shop, _, token):
            await shop.project()
            given = {"workspaceId": shop.workspace, "name": "Renamed"}
            changed = (await shop.ask(CHANGE, {"input": given}, token=token))["data"]["workspaceChange"]
            assert (changed["pipeline"], changed["userErrors"]) == (None, [])
            assert (await workspaces(database_url))[shop.workspace].name == "Renamed"
            before = await shop.events()
            assert isinstance(before[-1], WorkspaceChanged)
            nowhere = (await shop.ask(CHANGE, {"input": {"name": "x"}}, token=token))["data"]["workspaceChange"]
            assert nowhere["userErrors"][0]["field"] == "workspaceId"
            unknown = {"workspaceId": str(uuid4()), "name": "x"}
            for id, holder in ((unknown, token), ({**unknown}, "crm_live_desk")):
                answer = (await shop.ask(CHANGE, {"input": id}, token=holder))["data"]["workspaceChange"]
                assert answer["userErrors"][0]["code"] == "NOT_FOUND"
            for document in (
                "{ me { id } }",
                "{ pipeline { name } }",
                "{ deals { nodes { id } } }",
                'mutation { contactCreate(input: {name: "x"}) { contact { id } userErrors { code } } }',
                'mutation { tokenCreate(input: {name: "x", scopes: [read]}) { secret } }',
                'mutation { ownerAdd(input: {key: "x"}) { owner { id } } }',
            ):
                answer = await shop.ask(document, token=token)
                assert answer["errors"][0]["extensions"]["code"] == "FORBIDDEN", document
                assert not any((answer["data"] or {}).values())
            assert await shop.events() == before

    asyncio.run(run())


@pytest.mark.parametrize("scope", ["read", "write", "connect", "admin"])
def test_its_scope_includes_no_other(scope: str) -> None:
    token = Token(Id(str(uuid4())), INSTALLATION, frozenset([INSTALLATION_SCOPE]), "Provisioning")
    with pytest.raises(Forbidden):
        require(token, scope)

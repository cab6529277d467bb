"""`me`, `pipeline`, `owners` and `assignmentRules`, and the commands that change them, on real Postgres."""

import asyncio
from typing import Any

from crm.events import AssignmentRulesSet, OwnerChanged, WorkspaceChanged
from tests.integration.api.test_commands import olena, open_deal, refused
from tests.integration.api.test_commands_secrets import comes, others
from tests.support.shop_commands import ShopCommands, shop_commands

ASK = """{
  me { name scopes expiresAt workspace { id name country currency timezone } }
  pipeline { name stages { key label open position } paidStage partPaidStage currency country timezone version }
  assignmentRules { version setBy rules { name owners source field value fromHour toHour pick } }
  owners(orderBy: CREATED_AT_ASC) { nodes { key name email phone extension active version } }
}"""
NIGHT = {"name": "night", "owners": ["olha"], "fromHour": 18, "toHour": 9}
WHOLE = {"source": "", "field": "", "value": "", "fromHour": 0, "toHour": 24, "pick": "round_robin"}


async def read(shop: ShopCommands, document: str = ASK) -> Any:
    await shop.project()
    answer = await shop.ask(document)
    assert "errors" not in answer, answer
    return answer["data"]


def test_a_client_asks_what_it_works_with(database_url: str) -> None:
    async def run() -> None:
        async with shop_commands(database_url) as shop:
            await shop.do("stageChange", key="new", label="Нові")
            await shop.do("ownerAdd", key="olha", name="Olha Shevchenko", phone="067 123 45 67")
            await shop.do("ownerAdd", key="ivan", extension="102")
            await shop.do("ownerRetire", key="ivan")
            done = await shop.do("assignmentRulesSet", rules=[NIGHT], expectedVersion=1)
            assert done["userErrors"] == []
            found = await read(shop)
            assert found["me"] == {
                "name": "crm_live_desk of Olha",
                "scopes": ["read", "write"],
                "expiresAt": None,
                "workspace": {
                    "id": shop.workspace,
                    "name": "Shop",
                    "country": "UA",
                    "currency": "UAH",
                    "timezone": "Europe/Kyiv",
                },
            }
            assert found["pipeline"] == {
                "name": "Shop",
                "stages": [
                    {"key": "new", "label": "Нові", "open": True, "position": 0},
                    {"key": "in_progress", "label": "in_progress", "open": True, "position": 1},
                    {"key": "part_paid", "label": "part_paid", "open": True, "position": 2},
                    {"key": "paid", "label": "paid", "open": False, "position": 3},
                ],
                "paidStage": "paid",
                "partPaidStage": "part_paid",
                "currency": "UAH",
                "country": "UA",
                "timezone": "Europe/Kyiv",
                "version": 2,
            }
            assert found["assignmentRules"] == {
                "version": 2,
                "setBy": "crm_live_desk of Olha",
                "rules": [{**WHOLE, **NIGHT}],
            }
            assert [list(owner.values()) for owner in found["owners"]["nodes"]] == [
                ["olha", "Olha Shevchenko", "", "+380671234567", "", True, 1],
                ["ivan", "ivan", "", "", "102", False, 2],
            ]

    asyncio.run(run())


def test_before_the_read_models_have_the_workspace_nothing_is_there(database_url: str) -> None:
    async def run() -> None:
        async with shop_commands(database_url) as shop:
            answer = await shop.ask("{ me { workspace { id } } pipeline { name } assignmentRules { version } }")
            assert answer["data"] == {"me": {"workspace": None}, "pipeline": None, "assignmentRules": None}
            planned = await shop.ask("{ pipeline { name } assignmentRules { version } }")
            assert planned["data"] == {"pipeline": None, "assignmentRules": None}

    asyncio.run(run())


def test_owners_and_rules_are_answered_at_once_and_refused_without_a_trace(database_url: str) -> None:
    async def run() -> None:
        async with shop_commands(database_url) as shop:
            added = await shop.do("ownerAdd", once="o-1", key="olha", name="Olha")
            assert added["row"] == {"key": "olha", "name": "Olha", "active": True, "version": 1}
            again = await shop.do("ownerAdd", once="o-1", key="olha", name="Olha")
            assert again["userErrors"] == [] and again["position"] == added["position"]
            deal = await open_deal(shop, (await olena(shop))["id"], owner="olha")
            before = await shop.events()
            for name, given, expected in (
                ("ownerAdd", {"key": "olha"}, ("key", "TAKEN")),
                ("dealAssign", {"dealId": deal["id"], "owner": "taras"}, ("owner", "NOT_FOUND")),
                ("assignmentRulesSet", {"rules": [{"name": "a", "owners": ["taras"]}]}, ("rules", "NOT_FOUND")),
                ("assignmentRulesSet", {"rules": [{"name": "a", "owners": [], "fromHour": 25}]}, ("rules", "INVALID")),
                ("assignmentRulesSet", {"rules": [], "expectedVersion": 7}, ("expectedVersion", "VERSION_CONFLICT")),
            ):
                assert refused(await shop.do(name, **given)) == expected
            assert await shop.events() == before
            rules = await shop.do("assignmentRulesSet", rules=[{"name": "all", "owners": ["olha"], "pick": "first"}])
            assert rules["row"] == {"version": 2, "rules": [{"name": "all", "owners": ["olha"], "pick": "first"}]}
            assert refused(await shop.do("ownerRetire", key="olha")) == ("key", "IN_USE")
            await shop.project()
            renamed = await shop.do("ownerChange", key="olha", name="Olha Bondar", expectedVersion=1)
            assert renamed["row"]["name"] == "Olha Bondar"
            document = "query ($id: ID) { deal(id: $id) { owner salesperson { key name } } }"
            await shop.project()
            found = await shop.ask(document, {"id": deal["id"]})
            assert found["data"]["deal"] == {"owner": "olha", "salesperson": {"key": "olha", "name": "Olha Bondar"}}
            slow = await shop.ask(document.replace("{ deal", "{ me { name } deal"), {"id": deal["id"]})
            assert slow["data"]["deal"] == found["data"]["deal"]
            kinds = [type(event) for event in (await shop.events())[len(before) :]]
            assert [kind for kind in kinds if kind in (OwnerChanged, AssignmentRulesSet)] == [
                AssignmentRulesSet,
                OwnerChanged,
            ]

    asyncio.run(run())


def test_settings_reach_intake_and_the_api(database_url: str, kafka_bootstrap: str) -> None:
    async def run() -> None:
        async with (
            shop_commands(database_url, kafka_bootstrap, ["admin"]) as shop,
            others(kafka_bootstrap) as elsewhere,
        ):
            await shop.do("contactCreate", name="Jan", phones=["+48 512 345 678"])
            ask = '{ caller(phone: "512 345 678") { phone contact { name } } }'
            assert (await read(shop, ask))["caller"]["contact"] is None
            done = await shop.do("workspaceChange", country="PL", currency="PLN", timezone="Europe/Warsaw")
            assert (done["row"]["version"], done["userErrors"]) == (2, [])
            await comes(lambda: shop.workspace in elsewhere.homes)
            home = elsewhere.home(shop.workspace)
            assert (home.country, home.currency, home.timezone) == ("PL", "PLN", "Europe/Warsaw")
            assert (await read(shop, ask))["caller"] == {"phone": "+48512345678", "contact": {"name": "Jan"}}
            assert (await read(shop, "{ pipeline { currency } }"))["pipeline"] == {"currency": "PLN"}
            before = await shop.events()
            assert refused(await shop.do("workspaceChange", currency="XX")) == ("currency", "INVALID")
            shop.grant("crm_live_writer", ["read", "write"])
            answer = await shop.do("workspaceChange", token="crm_live_writer", name="Theirs")
            assert answer["errors"][0]["extensions"]["code"] == "FORBIDDEN"
            assert await shop.events() == before
            assert sum(isinstance(event, WorkspaceChanged) for event in before) == 1

    asyncio.run(run())

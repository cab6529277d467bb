"""Stage rules by GraphQL on a real Postgres: defined, refused, applied in the transaction that moves the deal."""

import asyncio
from typing import Any

import pytest
from msgspec.structs import replace

from crm.engine.in_memory import rebuilt
from crm.envelope import Event, now
from crm.events import CommandAccepted, DealStageMoved, ReplyQueued, StageRuleApplied, TaskAdded
from tests.integration.api.test_commands import olena, open_deal, refused
from tests.support.records import open_connection
from tests.support.scenarios import form
from tests.support.shop_commands import ShopCommands, shop_commands
from tests.support.stage_rules import written

CALL = {"title": "Call {contact_name}", "dueHours": 2}
READY = {"name": "ready", "language": "uk", "text": "{{1}}!", "values": [{"key": "1", "value": "{contact_name}"}]}
OFFER = {"name": "offer", "stage": "in_progress", "task": CALL, "message": {"text": "{deal_number} is on its way"}}
CARD = """query ($deal: ID!) { deal(id: $deal) {
  tasks(first: 9) { nodes { title owner } }
  contact { timeline(first: 50) { nodes { kind title text actor } }
    conversations(first: 9) { nodes { unanswered answeredBy messages(first: 9) { nodes { text status direction } } } } }
} }"""
RULES = (
    "{ stageRules(first: 9) { nodes { name stage enabled version templateValues amountAtLeast { minor currency } } } }"
)


async def state_of(shop: ShopCommands) -> list[tuple[str, str]]:
    async with await open_connection(shop.dsn) as conn:
        query = "SELECT key, value::jsonb::text FROM core.state WHERE workspace = %s ORDER BY key"
        return await (await conn.execute(query, [shop.workspace])).fetchall()


def kinds(events: list[Event]) -> list[type[Event]]:
    return [type(event) for event in events]


def test_a_move_adds_the_task_and_queues_the_message_in_one_transaction(database_url: str) -> None:
    async def run() -> None:
        async with shop_commands(database_url) as shop:
            defined = await shop.do("stageRuleDefine", rule=OFFER)
            said = {"name": "offer", "stage": "in_progress", "enabled": True, "version": 1}
            assert defined["row"] | said == defined["row"] | {"taskTitle": "Call {contact_name}"}
            await shop.receive_facts(written())
            await shop.project()
            (deal,) = (await shop.ask("{ deals(first: 9) { nodes { id } } }"))["data"]["deals"]["nodes"]
            before = len(await shop.events())
            await shop.do("dealMoveStage", dealId=deal["id"], stage="in_progress")
            added = (await shop.events())[before:]
            assert kinds(added) == [CommandAccepted, DealStageMoved, StageRuleApplied, TaskAdded, ReplyQueued]
            assert len({event.meta.cause for event in added}) == 1
            await shop.project()
            card = (await shop.ask(CARD, {"deal": deal["id"]}))["data"]["deal"]
            assert card["tasks"]["nodes"] == [{"title": "Call Olena", "owner": "olha"}]
            (chat,) = card["contact"]["conversations"]["nodes"]
            assert (chat["unanswered"], chat["answeredBy"]) == (True, "")
            assert [(m["direction"], m["status"], m["text"]) for m in chat["messages"]["nodes"]][:1] == [
                ("out", "queued", "D-1 is on its way")
            ]
            (ruled,) = [e for e in card["contact"]["timeline"]["nodes"] if e["kind"] == "StageRuleApplied"]
            assert ruled == {
                "kind": "StageRuleApplied",
                "title": "Rule “offer” (version 1)",
                "text": "D-1 reached in_progress\nTask for olha: Call Olena\nMessage by telegram: D-1 is on its way",
                "actor": "rule offer",
            }

    asyncio.run(run())


def test_what_the_journal_gives_again_is_the_same_state(database_url: str) -> None:
    """A replica, or a database that was lost, knows the rules and on which deals they acted."""

    async def run() -> None:
        async with shop_commands(database_url) as shop:
            await shop.do("stageRuleDefine", rule=OFFER)
            deal = await open_deal(shop, (await olena(shop))["id"])
            await shop.do("dealMoveStage", dealId=deal["id"], stage="in_progress")
            await shop.do("dealMoveStage", dealId=deal["id"], stage="new")
            again = await shop.do("dealMoveStage", dealId=deal["id"], stage="in_progress")
            assert again["userErrors"] == []
            events = await shop.events()
            assert kinds(events).count(StageRuleApplied) == 1
            assert {f"{kind}/{key}" for kind, key in rebuilt(events)[shop.workspace]} == {
                key for key, _ in await state_of(shop)
            }

    asyncio.run(run())


def test_a_rule_is_switched_and_removed(database_url: str) -> None:
    async def run() -> None:
        async with shop_commands(database_url) as shop:
            id = (await shop.do("stageRuleDefine", rule=OFFER))["row"]["id"]
            await shop.project()
            off = await shop.do("stageRuleSwitch", stageRuleId=id, enabled=False, expectedVersion=1)
            assert (off["row"]["enabled"], off["row"]["version"]) == (False, 2)
            await shop.project()
            assert refused(await shop.do("stageRuleSwitch", stageRuleId=id, enabled=False)) == (None, "UNCHANGED")
            late = await shop.do("stageRuleSwitch", stageRuleId=id, enabled=True, expectedVersion=1)
            assert refused(late) == ("expectedVersion", "VERSION_CONFLICT")
            template = {"message": {"template": READY}, "amountAtLeast": {"minor": 100}, "task": None}
            again = await shop.do("stageRuleDefine", rule=OFFER | template)
            assert (again["row"]["id"], again["row"]["version"]) == (id, 3)
            await shop.project()
            assert (await shop.ask(RULES))["data"]["stageRules"]["nodes"] == [
                {
                    "name": "offer",
                    "stage": "in_progress",
                    "enabled": True,
                    "version": 3,
                    "templateValues": {"1": "{contact_name}"},
                    "amountAtLeast": {"minor": 100, "currency": "UAH"},
                }
            ]
            gone = await shop.do("stageRuleRemove", stageRuleId=id)
            assert gone["row"] is None and gone["userErrors"] == []
            assert refused(await shop.do("stageRuleRemove", stageRuleId=id)) == ("stageRuleId", "NOT_FOUND")

    asyncio.run(run())


REFUSED: list[tuple[dict[str, Any], str, str, str]] = [
    ({"name": " "}, "rule.name", "REQUIRED", "A rule has a name"),
    ({"stage": "nowhere"}, "rule.stage", "NOT_FOUND", "There is no stage 'nowhere'; there are new, in_progress"),
    ({"task": None, "message": None}, "rule.task", "REQUIRED", "It would do nothing"),
    ({"task": {"title": "Call {contact}"}}, "rule.task.title", "INVALID", "There is no variable {contact}; there are"),
    ({"task": {"title": "Call", "dueHours": -1}}, "rule.task.dueHours", "INVALID", "Expected `int` >= 0"),
    ({"message": {"text": "{{contact_name}}"}}, "rule.message.text", "INVALID", "A variable is one name in single"),
    ({"message": {"text": "Hi {contact name}"}}, "rule.message.text", "INVALID", "A variable is one name in single"),
    ({"message": {}}, "rule.message.text", "REQUIRED", "It may not be empty."),
    (
        {"message": {"template": READY | {"values": []}}},
        "rule.message.template.values",
        "REQUIRED",
        "The template's text has places without a value: 1.",
    ),
    (
        {"message": {"template": READY | {"text": "Ready!"}}},
        "rule.message.template.values",
        "INVALID",
        "The template's text has no place {{1}}, for which there is a value.",
    ),
    (
        {"message": {"template": READY | {"values": [{"key": "1", "value": "{name}"}]}}},
        "rule.message.template.values",
        "INVALID",
        "There is no variable {name}",
    ),
    ({"webhookId": "33333333-3333-5333-8333-333333333333"}, "rule.webhookId", "NOT_FOUND", "There is no webhook"),
    ({"amountAtLeast": {"minor": 1, "currency": "?"}}, "rule.amountAtLeast.currency", "INVALID", ""),
    ({"task": CALL | {"owner": "nobody"}}, "rule.task.owner", "NOT_FOUND", "There is no owner 'nobody'"),
    ({"owner": "nobody"}, "rule.owner", "NOT_FOUND", "There is no owner 'nobody'"),
]


@pytest.mark.parametrize(("given", "field", "code", "message"), REFUSED)
def test_a_wrong_rule_is_refused_in_words(
    database_url: str, given: dict[str, Any], field: str, code: str, message: str
) -> None:
    async def run() -> None:
        async with shop_commands(database_url) as shop:
            await shop.do("ownerAdd", key="anna")
            before = await shop.events()
            payload = await shop.do("stageRuleDefine", rule=OFFER | given)
            assert refused(payload) == (field, code)
            assert payload["userErrors"][0]["message"].startswith(message)
            assert "Nothing was changed" in payload["userErrors"][0]["message"]
            assert await shop.events() == before

    asyncio.run(run())


def test_what_a_rule_names_cannot_go(database_url: str, kafka_bootstrap: str) -> None:
    async def run() -> None:
        async with shop_commands(database_url, kafka_bootstrap, ["read", "write", "connect"]) as shop:
            await shop.do("ownerAdd", key="anna")
            hook = (await shop.do("webhookAdd", url="https://example.com/"))["row"]["id"]
            rule = OFFER | {"task": CALL | {"owner": "anna"}, "webhookId": hook}
            await shop.do("stageRuleDefine", rule=rule)
            assert refused(await shop.do("stageRemove", key="in_progress")) == ("stages", "IN_USE")
            assert refused(await shop.do("ownerRetire", key="anna")) == ("key", "IN_USE")
            assert refused(await shop.do("webhookRemove", webhookId=hook)) == ("webhookId", "IN_USE")

    asyncio.run(run())


def test_a_fact_is_decided_with_its_rules_once(database_url: str) -> None:
    async def run() -> None:
        async with shop_commands(database_url) as shop:
            await shop.do("stageRuleDefine", rule={"name": "greet", "stage": "new", "task": CALL})
            lead = form("1", phones=["+380671234567"], name="Olena")
            for _ in range(2):
                await shop.receive_facts(replace(lead, meta=replace(lead.meta, occurred_at=now())))
            assert kinds(await shop.events()).count(TaskAdded) == 1
            await shop.receive_facts(form("2", phones=["+380501234567"], name="Petro"))  # of last January
            assert kinds(await shop.events()).count(TaskAdded) == 1

    asyncio.run(run())

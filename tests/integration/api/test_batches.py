"""Many commands in one request, and commands of the past: on real Postgres, as an importer sends them."""

import asyncio
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from api.commands import batch
from api.errors import Unavailable
from crm.events import CommandAccepted, ContactCreated, DealStageMoved
from tests.integration.crm.adapters.postgres.test_history import projected
from tests.support.records import journal, open_connection
from tests.support.shop_commands import ShopCommands, shop_commands

BATCH = """mutation ($commands: [BatchCommandInput!]!) { batch(commands: $commands) {
  position results { key outcome id position userErrors { field code } error { code message } } } }"""
IMPORTER = ("read", "write", "import")
MARCH = "2025-03-01T09:00:00+02:00"


async def send(shop: ShopCommands, *commands: dict[str, Any], **more: Any) -> Any:
    answer = await shop.ask(BATCH, {"commands": commands}, **more)
    return answer["data"]["batch"] if answer.get("data") else answer["errors"][0]


def outcomes(answer: Any) -> list[tuple[str, str]]:
    return [(result["key"], result["outcome"]) for result in answer["results"]]


def contact(key: str, name: str, **more: Any) -> dict[str, Any]:
    return {"key": key, "contactCreate": {"name": name, **more}}


def test_each_command_has_its_own_result_in_order(database_url: str) -> None:
    async def run() -> None:
        async with shop_commands(database_url) as shop:
            olena = (await send(shop, contact("1", "Olena", phones=["067 123 45 67"])))["results"][0]["id"]
            deal = {"dealOpen": {"contactId": olena, "title": "Desk"}}
            answer = await send(
                shop,
                {"key": "a", **deal},
                contact("b", "Petro", phones=["067 123 45 67"]),
                {"key": "c", "contactChange": {"contactId": olena, "name": "Olena Koval"}},
                contact("1", "Olena", phones=["067 123 45 67"]),
                contact("1", "Somebody else"),
            )
            assert outcomes(answer) == [
                ("a", "DONE"), ("b", "REFUSED"), ("c", "DONE"), ("1", "REPEATED"), ("1", "FAILED"),
            ]  # fmt: skip
            done, refused, _, repeated, reused = answer["results"]
            assert done["id"] and done["position"] and not done["error"]
            assert refused["userErrors"] == [{"field": "phones", "code": "TAKEN"}]
            assert (refused["id"], refused["position"]) == (None, None)
            assert repeated["id"] == olena
            assert reused["error"]["code"] == "IDEMPOTENCY_KEY_REUSED"
            accepted = [e for e in await shop.events() if isinstance(e, CommandAccepted)]
            assert [e.key for e in accepted] == ["1", "a", "c"]
            again = await send(shop, {"key": "a", **deal}, contact("b", "Petro"))
            assert outcomes(again) == [("a", "REPEATED"), ("b", "DONE")]
            assert again["results"][0]["id"] == done["id"]
            await shop.project()
            read = await shop.ask("{ contacts { nodes { name } } deals { nodes { title } } }")
            assert read["data"] == {
                "contacts": {"nodes": [{"name": "Petro"}, {"name": "Olena Koval"}]},
                "deals": {"nodes": [{"title": "Desk"}]},
            }

    asyncio.run(run())


def test_five_hundred_take_effect_once_however_often_they_are_sent(database_url: str) -> None:
    async def run() -> None:
        async with shop_commands(database_url) as shop:
            commands = [contact(f"row {n}", f"Contact {n}") for n in range(batch.MOST)]
            first, second = await send(shop, *commands), await send(shop, *commands)
            assert {result["outcome"] for result in first["results"]} == {"DONE"}
            assert {result["outcome"] for result in second["results"]} == {"REPEATED"}
            ids = [result["id"] for result in first["results"]]
            assert [result["id"] for result in second["results"]] == ids
            created = [e.contact_id for e in await shop.events() if isinstance(e, ContactCreated)]
            assert created == ids and len(set(ids)) == batch.MOST

    asyncio.run(run())


def test_after_a_lost_database_the_rest_is_not_tried(database_url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Otherwise a later command could take effect before an earlier one that is sent again."""

    async def run() -> None:
        async with shop_commands(database_url) as shop:
            carry_out = shop.executor.carry_out

            async def failing(declared: Any, command: Any, key: str, effect: Any) -> Any:
                if key == "2":
                    raise Unavailable("The database connection was lost.")
                return await carry_out(declared, command, key, effect)

            commands = [contact(str(n), f"Contact {n}") for n in (1, 2, 3)]
            with monkeypatch.context() as lost:
                lost.setattr(shop.executor, "carry_out", failing)
                answer = await send(shop, *commands)
            assert outcomes(answer) == [("1", "DONE"), ("2", "FAILED"), ("3", "NOT_RUN")]
            assert [result["error"] and result["error"]["code"] for result in answer["results"]] == [
                None, "UNAVAILABLE", "UNAVAILABLE",
            ]  # fmt: skip
            assert outcomes(await send(shop, *commands)) == [("1", "REPEATED"), ("2", "DONE"), ("3", "DONE")]

    asyncio.run(run())


@pytest.mark.parametrize(
    ("commands", "sentence"),
    [
        ([], "A batch has 1 to 500 commands, and this one has 0."),
        ([{"key": "1", "dealWin": {"dealId": "x"}}] * 501, "A batch has 1 to 500 commands, and this one has 501."),
        ([contact("1", "Olena"), {"key": "2"}], "Command 2 has none besides its key; it must have exactly one."),
        (
            [{**contact("1", "Olena"), "dealWin": {"dealId": "x"}}],
            "Command 1 has contactCreate and dealWin besides its key; it must have exactly one.",
        ),
        ([contact("1", "Olena"), contact("", "Petro")], "Command 2: An Idempotency-Key has 1 to 200 printable"),
        ([contact("1", "Olena"), contact("x\n", "Petro")], "Command 2: An Idempotency-Key has 1 to 200 printable"),
    ],
)
def test_a_batch_that_is_none_changes_nothing(database_url: str, commands: Any, sentence: str) -> None:
    async def run() -> None:
        async with shop_commands(database_url) as shop:
            before = await shop.events()
            refused = await send(shop, *commands)
            assert refused["extensions"]["code"] == "BAD_INPUT"
            assert sentence in refused["message"] and "Nothing was changed." in refused["message"]
            header = await send(shop, contact("1", "Olena"), key="a header")
            assert header["message"].startswith("A batch has a key for each command, so it takes no Idempotency-Key")
            assert await shop.events() == before

    asyncio.run(run())


def test_a_command_of_the_past_stands_where_it_happened(database_url: str) -> None:
    async def run() -> None:
        async with shop_commands(database_url, scopes=IMPORTER) as shop:
            olena = (await shop.do("contactCreate", name="Olena", occurredAt=MARCH))["row"]["id"]
            deal = (await shop.do("dealOpen", contactId=olena, title="Desk", occurredAt=MARCH))["row"]["id"]
            moved = {"dealId": deal, "stage": "in_progress", "occurredAt": "2025-03-05T12:00:00Z"}
            answer = await send(shop, {"key": "move", "dealMoveStage": moved})
            assert outcomes(answer) == [("move", "DONE")]
            other = await send(shop, {"key": "move", "dealMoveStage": {**moved, "occurredAt": MARCH}})
            assert other["results"][0]["error"]["code"] == "IDEMPOTENCY_KEY_REUSED"
            move = next(e for e in await shop.events() if isinstance(e, DealStageMoved))
            assert move.meta.occurred_at == 1_741_176_000_000_000 < move.meta.recorded_at
            async with await open_connection(database_url) as conn:
                await projected(conn, journal(await shop.everything()))
            question = """query ($id: ID, $at: DateTime!) {
              deal(id: $id, asOf: { at: $at, clock: OCCURRED }) { stage openedAt } }"""
            seen = []
            for at in ("2025-02-28T00:00:00Z", "2025-03-04T00:00:00Z", "2025-03-06T00:00:00Z"):
                seen.append((await shop.ask(question, {"id": deal, "at": at}))["data"]["deal"])
            opened = "2025-03-01T07:00:00+00:00"
            assert seen == [
                None, {"stage": "new", "openedAt": opened}, {"stage": "in_progress", "openedAt": opened},
            ]  # fmt: skip

    asyncio.run(run())


def test_a_moment_in_the_future_is_refused(database_url: str) -> None:
    async def run() -> None:
        async with shop_commands(database_url, scopes=IMPORTER) as shop:
            before = await shop.events()
            tomorrow = (datetime.now(UTC) + timedelta(days=1)).isoformat()
            refused = await shop.do("contactCreate", name="Olena", occurredAt=tomorrow)
            assert [(e["field"], e["code"]) for e in refused["userErrors"]] == [("occurredAt", "INVALID")]
            assert refused["userErrors"][0]["message"].startswith("This moment is in the future. Nothing was changed.")
            naive = await shop.do("contactCreate", name="Olena", occurredAt="2025-03-01T09:00:00")
            assert "errors" in naive
            assert await shop.events() == before

    asyncio.run(run())


def test_without_the_scope_import_nothing_happened_in_the_past(database_url: str) -> None:
    async def run() -> None:
        async with shop_commands(database_url) as shop:
            before = await shop.events()
            (error,) = (await shop.do("contactCreate", name="Olena", occurredAt=MARCH))["errors"]
            assert error["extensions"]["code"] == "FORBIDDEN"
            assert error["message"].startswith("This token lacks the scope `import`. Nothing was read or changed")
            answer = await send(shop, contact("1", "Olena", occurredAt=MARCH), contact("2", "Petro"))
            assert outcomes(answer) == [("1", "FAILED"), ("2", "DONE")]
            assert answer["results"][0]["error"]["code"] == "FORBIDDEN"
            assert len(await shop.events()) == len(before) + 2

    asyncio.run(run())

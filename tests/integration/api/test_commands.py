"""Commands through the API's engine on real Postgres: answered at once, idempotent, refused without a trace."""

import asyncio
from typing import Any
from uuid import uuid4

import pytest

from crm.events import CommandAccepted, ContactCreated, DealStageMoved
from crm.topics import journal_partition
from tests.support.scenarios import form, paid
from tests.support.shop_commands import ShopCommands, shop_commands
from tests.support.timeouts import TIMEOUT

REFUSED: dict[str, Any] = {"row": None, "position": None}


def refused(payload: Any) -> tuple[str, str]:
    """Field and code of the only refusal."""
    (error,) = payload["userErrors"]
    assert payload | {"userErrors": []} | REFUSED == payload | {"userErrors": []}
    return error["field"], error["code"]


async def olena(shop: ShopCommands, **given: Any) -> Any:
    return (await shop.do("contactCreate", name="Olena", phones=["067 123 45 67"], **given))["row"]


async def open_deal(shop: ShopCommands, contact: str, **given: Any) -> Any:
    return (await shop.do("dealOpen", contactId=contact, title="Desk", amount={"minor": 20_200}, **given))["row"]


def test_the_changed_row_and_its_position_are_in_the_answer_whether_read_models_follow_or_not(
    database_url: str,
) -> None:
    async def run() -> None:
        async with shop_commands(database_url) as shop:
            contact = await olena(shop)
            assert contact["phones"] == ["+380671234567"] and contact["version"] == 1
            deal = await open_deal(shop, contact["id"])
            assert (deal["number"], deal["stage"], deal["version"]) == (1, "new", 2)
            await shop.project()
            moved = await shop.do("dealMoveStage", dealId=deal["id"], stage="in_progress")
            assert moved["row"] == deal | {"stage": "in_progress", "stageReason": "by hand", "version": 3}
            await shop.project()
            read = await shop.ask("query ($id: ID) { deal(id: $id) { stage version } }", {"id": deal["id"]})
            assert read["data"] == {"deal": {"stage": "in_progress", "version": 3}}
            partition, next = (int(part) for part in moved["position"].split(":"))
            assert partition == journal_partition(contact["id"])
            in_partition = [e for e in await shop.events() if journal_partition(e.meta.stream) == partition]
            assert next >= len(in_partition)

    asyncio.run(run())


def test_a_row_whose_read_model_lags_is_waited_for(database_url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Opened a moment ago and moved now: folding the move over a row that is not there yet would have given nothing."""

    async def run() -> None:
        async with shop_commands(database_url) as shop:
            deal = await open_deal(shop, (await olena(shop))["id"])
            monkeypatch.setattr("api.commands.rows.PATIENCE", TIMEOUT)
            moving = asyncio.create_task(shop.do("dealMoveStage", dealId=deal["id"], stage="in_progress"))
            while not any(isinstance(event, DealStageMoved) for event in await shop.events()):
                await asyncio.wait([moving], timeout=0.1)
            assert not moving.done()
            await shop.project()
            assert (await moving)["row"]["stage"] == "in_progress"
            monkeypatch.setattr("api.commands.rows.PATIENCE", 0)
            behind = await shop.do("dealWin", dealId=deal["id"])
            assert (behind["row"]["stage"], behind["userErrors"]) == ("won", [])

    asyncio.run(run())


def test_a_refusal_leaves_no_trace(database_url: str) -> None:
    async def run() -> None:
        async with shop_commands(database_url) as shop:
            contact = await olena(shop)
            before = await shop.events()
            nobody = str(uuid4())
            for name, given, expected in (
                ("dealOpen", {"contactId": nobody, "title": "x"}, ("contactId", "NOT_FOUND")),
                ("dealOpen", {"contactId": "no id at all", "title": "x"}, ("contactId", "NOT_FOUND")),
                ("dealOpen", {"contactId": contact["id"], "title": " "}, ("title", "REQUIRED")),
                ("dealOpen", {"contactId": contact["id"], "title": "x" * 501}, ("title", "INVALID")),
                ("contactCreate", {"phones": ["+380671234567"]}, ("phones", "TAKEN")),
                ("contactMerge", {"contactId": contact["id"], "intoId": contact["id"]}, ("intoId", "INVALID")),
                ("taskAdd", {"title": "Ring"}, ("contactId", "REQUIRED")),
                ("paymentMatch", {"paymentId": nobody, "dealId": nobody}, ("paymentId", "NOT_FOUND")),
            ):
                assert refused(await shop.do(name, once="one key", **given)) == expected
            assert await shop.events() == before
            assert (await shop.do("contactCreate", once="one key", name="The key is still free"))["row"]

    asyncio.run(run())


def test_one_key_is_one_command_also_after_a_restart(database_url: str) -> None:
    async def run() -> None:
        async with shop_commands(database_url) as shop:
            first = await shop.do("contactCreate", once="k-1", name="Olena")
            count = len(await shop.events())
            await shop.executor.pool.close()  # another process, which remembers nothing
            again = ShopCommands(database_url, "127.0.0.1:9", shop.rows, ("read", "write"))
            again.workspace, again.access = shop.workspace, shop.access
            await again.executor.pool.open()
            await shop.project()
            assert await again.do("contactCreate", once="k-1", name="Olena") == first
            other = await again.do("contactCreate", once="k-1", name="Petro")
            assert other["errors"][0]["extensions"] == {"code": "IDEMPOTENCY_KEY_REUSED"}
            same_input = await again.do("noteAdd", once="k-1", contactId=first["row"]["id"], text="Olena")
            assert same_input["errors"][0]["extensions"] == {"code": "IDEMPOTENCY_KEY_REUSED"}
            assert len(await shop.events()) == count
            await again.executor.pool.close()

    asyncio.run(run())


def test_two_of_one_key_at_the_same_instant_are_done_once(database_url: str) -> None:
    async def run() -> None:
        async with shop_commands(database_url) as shop:
            every = await asyncio.gather(*(shop.do("contactCreate", once="k", name="Olena") for _ in range(4)))
            assert len({payload["position"] for payload in every}) == 1
            assert len([e for e in await shop.events() if isinstance(e, ContactCreated)]) == 1

    asyncio.run(run())


def test_a_key_goes_with_one_mutation(database_url: str) -> None:
    one = 'contactCreate(input: {name: "A"}) { position }'
    two = f"mutation {{ a: {one} b: {one} }}"

    async def run() -> None:
        async with shop_commands(database_url) as shop:
            answer = await shop.ask(two, key="k")
            assert {error["extensions"]["code"] for error in answer["errors"]} == {"BAD_INPUT"}
            assert [e for e in await shop.events() if isinstance(e, CommandAccepted)] == []
            assert (await shop.ask(two))["data"]["b"]["position"]

    asyncio.run(run())


def test_of_two_writes_with_the_same_expected_version_one_is_refused(database_url: str) -> None:
    async def run() -> None:
        async with shop_commands(database_url) as shop:
            deal = await open_deal(shop, (await olena(shop))["id"])
            await shop.project()
            given = {"dealId": deal["id"], "expectedVersion": deal["version"]}
            answers = await asyncio.gather(
                *(shop.do("dealAssign", owner=owner, **given) for owner in ("anna", "borys", "olena", "petro"))
            )
            done = [a for a in answers if not a["userErrors"]]
            assert len(done) == 1 and done[0]["row"]["version"] == deal["version"] + 1
            assert {refused(a) for a in answers if a["userErrors"]} == {("expectedVersion", "VERSION_CONFLICT")}

    asyncio.run(run())


def test_commands_and_facts_meet_on_the_same_rows(database_url: str) -> None:
    """Forms with the same phone, payments for the deal and commands on it, all at once: each takes effect."""

    async def run() -> None:
        async with shop_commands(database_url) as shop:
            contact = await olena(shop)
            deal = await open_deal(shop, contact["id"])
            await asyncio.gather(
                *(shop.receive_facts(form(f"f{n}", form=f"page {n}", phones=["+380671234567"])) for n in range(4)),
                *(shop.receive_facts(paid(f"p{n}", 100, payment=f"p{n}", purpose="D-1")) for n in range(4)),
                *(shop.do("noteAdd", dealId=deal["id"], text=f"{n}") for n in range(4)),
                *(shop.do("contactCreate", name="Petro", phones=[f"+38050111223{n}"]) for n in range(4)),
            )
            await shop.project()
            read = await shop.ask("{ deals { nodes { number paid { minor } } } }")
            assert sorted(d["number"] for d in read["data"]["deals"]["nodes"]) == [1, 2, 3, 4, 5]
            assert sum(d["paid"]["minor"] for d in read["data"]["deals"]["nodes"]) == 400

    asyncio.run(run())


def test_a_token_permits_what_its_scopes_say(database_url: str) -> None:
    async def run() -> None:
        async with shop_commands(database_url, scopes=["read"]) as shop:
            shop.grant("crm_live_writes", ["write"])
            answer = await shop.do("contactCreate", name="Olena")
            assert answer["errors"][0]["extensions"] == {"code": "FORBIDDEN"}
            assert (await shop.do("contactCreate", token="crm_live_writes", name="Olena"))["row"]["name"] == "Olena"
            for name, given in (
                ("tokenCreate", {"name": "x", "scopes": ["read"]}),
                ("connectionAdd", {"connector": "form"}),
            ):
                answer = await shop.do(name, token="crm_live_writes", **given)
                assert answer["errors"][0]["extensions"] == {"code": "FORBIDDEN"}

    asyncio.run(run())


def test_nothing_of_another_workspace_can_be_changed(database_url: str) -> None:
    async def run() -> None:
        async with shop_commands(database_url) as theirs, shop_commands(database_url) as ours:
            contact = await olena(theirs)
            deal = await open_deal(theirs, contact["id"])
            before = await theirs.events()
            assert refused(await ours.do("dealWin", dealId=deal["id"])) == ("dealId", "NOT_FOUND")
            assert refused(await ours.do("noteAdd", contactId=contact["id"], text="x")) == ("contactId", "NOT_FOUND")
            assert await theirs.events() == before

    asyncio.run(run())

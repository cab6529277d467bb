"""Webhooks on real servers: everything arrives in order by card, replays start anywhere, a dead one is caught up."""

import asyncio

from aiohttp import web

from crm.envelope import named_id
from crm.events import WebhookReplayed, WebhookTested
from crm.scalars import Micros
from services.operations.webhooks import carry_out_one
from services.stack.process import until
from tests.support.outbound_world import (
    HOOK,
    add,
    add_by_command,
    all_of,
    by_card,
    change,
    hook,
    in_order,
    is_off,
    note,
    own,
    running,
    world,
)
from tests.support.scenarios import SHOP
from tests.support.secret_keys import KEYS
from tests.support.timeouts import TIMEOUT
from tests.support.webhook_receiver import Received


def test_all_arrives_also_what_is_older_and_is_replayed(kafka_bootstrap: str, fresh_database_url: str) -> None:
    async def run() -> None:
        async with world(kafka_bootstrap, fresh_database_url) as (journal, receiver):
            for number in range(10):
                await journal.commit(*(note(number, card) for card in range(6)))
            await add(journal, hook(receiver.url))
            async with running(journal):
                for number in range(10, 20):
                    await journal.commit(*(note(number, card) for card in range(6)))
                await all_of(receiver, 120)
                receiver.chained()
                found = by_card(receiver.accepted)
                assert found == in_order(6, 20)
                assert len({one.id for one in receiver.accepted}) == 120
                first, receiver.accepted = list(receiver.accepted), []
                await journal.commit(WebhookReplayed(own("replay", HOOK), HOOK, Micros(0)))
                await all_of(receiver, 120)
                receiver.chained()
                assert by_card(receiver.accepted) == found
                assert {one.id for one in receiver.accepted} == {one.id for one in first}
                await journal.commit(WebhookTested(own("test", HOOK), HOOK, "Hello"))
                await all_of(receiver, 121)
                assert receiver.accepted[-1].event["data"] == {"webhook_id": HOOK, "text": "Hello"}

    asyncio.run(run())


def test_a_stuck_card_holds_no_other_and_410_switches_off(kafka_bootstrap: str, fresh_database_url: str) -> None:
    async def run() -> None:
        async with world(kafka_bootstrap, fresh_database_url) as (journal, receiver):
            stuck, gone = named_id(SHOP, "card 0"), False

            async def behave(received: Received) -> web.Response:
                if gone:
                    return web.Response(status=410)
                return web.Response(status=500 if received.event["subject"] == stuck else 200, text="Thanks\0")

            receiver.behave = behave
            async with running(journal):
                webhook = await add_by_command(journal, receiver.url)
                for number in range(5):
                    await journal.commit(*(note(number, card) for card in range(4)))
                await all_of(receiver, 15)
                assert stuck not in by_card(receiver.accepted)
                assert {one.event["data"]["text"] for one in receiver.tried if one.event["subject"] == stuck} == {"0/0"}
                gone = True
                await journal.commit(note(5, 1))
                await until(lambda: is_off(journal), TIMEOUT)
                gone = False
                stuck = named_id(SHOP, "no card")
                await journal.commit(*(note(6, card) for card in range(4)))
                await journal.keep_history()
                await change(journal, webhook, enabled=True)
                await all_of(receiver, 25)
                receiver.chained()
                assert by_card(receiver.accepted)[named_id(SHOP, "card 0")] == [f"0/{n}" for n in (0, 1, 2, 3, 4, 6)]

    asyncio.run(run())


def test_a_stage_rule_calls_the_webhook_that_it_names(kafka_bootstrap: str, fresh_database_url: str) -> None:
    """The webhook asks for notes alone; the rule names it, so it is sent what the rule did, once."""

    async def run() -> None:
        async with world(kafka_bootstrap, fresh_database_url) as (journal, receiver):

            async def do(name: str, /, **given: object) -> str:
                done = await carry_out_one(journal.dsn, journal.bootstrap, KEYS, SHOP, name, given)
                return done.webhook_id  # the subject of any command

            webhook = await add_by_command(journal, receiver.url)
            rule = await do("stage_rule_define", rule={"name": "tell", "stage": "paid", "webhook_id": webhook})
            contact = await do("contact_create", name="Olena", phones=["067 123 45 67"])
            deal = await do("deal_open", contact_id=contact, title="Desk")
            async with running(journal):
                for stage in ("paid", "new", "paid"):
                    await do("deal_move_stage", deal_id=deal, stage=stage)
                await do("note_add", deal_id=deal, text="last")
                await all_of(receiver, 2)
                ruled, last = (one.event for one in receiver.accepted)
                assert (ruled["type"], last["type"]) == ("StageRuleApplied", "NoteAdded")
                assert ruled["subject"] == contact
                assert ruled["data"] == {
                    "deal_id": deal,
                    "contact_id": contact,
                    "stage_rule_id": rule,
                    "rule": "tell",
                    "version": 1,
                    "stage": "paid",
                    "why": "D-1 reached paid",
                    "done": ["A webhook is sent this."],
                    "left_out": [],
                    "task_id": None,
                    "message_id": None,
                    "webhook_id": webhook,
                }

    asyncio.run(run())

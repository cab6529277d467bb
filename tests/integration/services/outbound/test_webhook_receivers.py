"""What receivers do to each other, and what a person does with what was given up."""

import asyncio
from collections.abc import Sequence
from typing import Any

import pytest
from aiohttp import web
from standardwebhooks import Webhook

from crm.connection_secrets import new_webhook_secret, webhook_declared
from crm.envelope import named_id
from crm.events import (
    DealChanged,
    DealStageMoved,
    WebhookChanged,
    WebhookDeliveriesSettled,
    WebhookReplayed,
    WebhookRotated,
)
from crm.scalars import Id, Micros
from crm.topics import JOURNAL
from services.operations.webhooks import deliveries_of, delivery_of
from services.outbound import backoff
from services.outbound.webhooks import switch_off
from services.stack.process import until
from tests.support.isolated_journal import IsolatedJournal
from tests.support.outbound_world import (
    HOOK,
    add,
    add_by_command,
    all_of,
    by_card,
    declare,
    hook,
    in_order,
    is_off,
    note,
    own,
    running,
    settled,
    world,
)
from tests.support.records import open_connection
from tests.support.scenarios import SHOP
from tests.support.timeouts import TIMEOUT
from tests.support.webhook_receiver import SECRET, Received, WebhookReceiver


def test_a_receiver_that_hangs_and_a_dead_one_delay_nobody(kafka_bootstrap: str, fresh_database_url: str) -> None:
    """The slow one answers nothing before the good one has everything."""

    async def run() -> None:
        async with world(kafka_bootstrap, fresh_database_url) as (journal, good), WebhookReceiver() as slow:
            everything = asyncio.Event()

            async def behave(_: Received) -> web.Response:
                await everything.wait()
                return web.Response(status=204)

            slow.behave = behave
            ids = [named_id(SHOP, name) for name in ("slow", "dead")]
            async with running(journal):
                await add(
                    journal,
                    hook(good.url),
                    hook(slow.url, id=ids[0]),
                    hook("http://127.0.0.1:9/", id=ids[1]),  # nobody listens there
                )
                for number in range(10):
                    await journal.commit(*(note(number, card) for card in range(50)))
                await all_of(good, 500)
                assert slow.accepted == []
                everything.set()
                await all_of(slow, 500)
                assert by_card(good.accepted) == by_card(slow.accepted) == in_order(50, 10)
                good.chained()
                slow.chained()
                async with await open_connection(journal.dsn) as conn:
                    rows = await conn.execute(
                        "SELECT DISTINCT state FROM outbound.delivery WHERE target = %s", [ids[1]]
                    )
                    assert await rows.fetchall() == [("waiting",)]

    asyncio.run(run())


def test_what_was_given_up_is_sent_again_or_discarded(
    kafka_bootstrap: str, fresh_database_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(backoff, "DELAYS", ())  # given up at once, not after 75 hours

    async def run() -> None:
        async with world(kafka_bootstrap, fresh_database_url) as (journal, receiver):
            answer: list[Any] = [500, "No\0 space left"]

            async def behave(_: Received) -> web.Response:
                return web.Response(status=answer[0], text=answer[1])

            receiver.behave = behave
            async with running(journal):
                await add(journal, hook(receiver.url))
                await journal.commit(*(note(0, card) for card in range(3)))
                await settled(journal, {"dead": 3})
                dead = await log(journal, "dead")
                assert {(one["status"], one["attempts"], one["response"]) for one in dead} == {
                    (500, 1, "No space left")
                }
                assert all(one["tries"][0][1] == 500 and one["took_ms"] >= 0 for one in dead)
                shown = await delivery_of(journal.dsn, SHOP, HOOK, Id(dead[0]["id"]))
                assert shown["url"] == receiver.url
                assert shown["request"] in [one.event for one in receiver.tried]
                assert await deliveries_of(journal.dsn, SHOP, HOOK, type="DealOpened") == []
                assert len(await deliveries_of(journal.dsn, SHOP, HOOK, card=dead[0]["stream"])) == 1
                answer[:] = 200, ""
                first, second = (Id(one["id"]) for one in dead[:2])
                await journal.commit(WebhookDeliveriesSettled(own("again", HOOK), HOOK, True, (first,)))
                await settled(journal, {"dead": 2, "delivered": 1})
                assert [one.id for one in receiver.accepted] == [first]
                await journal.commit(WebhookDeliveriesSettled(own("never", HOOK), HOOK, False, (second,)))
                await settled(journal, {"dead": 1, "delivered": 1, "discarded": 1})
                await journal.commit(WebhookDeliveriesSettled(own("all", HOOK), HOOK, True, ()))
                await settled(journal, {"delivered": 2, "discarded": 1})
                assert second not in {one.id for one in receiver.accepted}

    asyncio.run(run())


async def log(journal: IsolatedJournal, state: str) -> list[dict[str, Any]]:
    await journal.keep_history()
    return await deliveries_of(journal.dsn, SHOP, HOOK, state, 50)


def test_it_asks_by_stage_and_by_field_thin_and_from_positions(kafka_bootstrap: str, fresh_database_url: str) -> None:
    deal, contact = named_id(SHOP, "deal"), named_id(SHOP, "contact")
    events = [
        DealStageMoved(own("moved", deal), deal, contact, "new", "paid"),
        DealStageMoved(own("back", deal), deal, contact, "paid", "new"),
        DealChanged(own("priced", deal), deal, contact, amount_minor=5),
        DealChanged(own("named", deal), deal, contact, title="Phone"),
    ]

    async def run() -> None:
        async with world(kafka_bootstrap, fresh_database_url) as (journal, receiver):
            await journal.commit(*events)
            hooks = {
                "stage": hook(f"{receiver.url}/stage", types=(), id=named_id(SHOP, "1"), stages=("paid",)),
                "field": hook(f"{receiver.url}/field", types=(), id=named_id(SHOP, "2"), changed=("amount_minor",)),
                "thin": hook(f"{receiver.url}/thin", types=("DealChanged",), id=named_id(SHOP, "3"), thin=True),
            }
            await add(journal, *hooks.values())
            async with running(journal):
                await all_of(receiver, 4)
                assert sorted((one.path, one.event["id"]) for one in receiver.accepted) == sorted(
                    [
                        ("/hook/stage", events[0].meta.id),
                        ("/hook/field", events[2].meta.id),
                        ("/hook/thin", events[2].meta.id),
                        ("/hook/thin", events[3].meta.id),
                    ]
                )
                ids = {"deal_id": deal, "contact_id": contact}
                assert [one.event["data"] for one in receiver.accepted if one.path == "/hook/thin"] == [ids, ids]
                third = next(one for one in receiver.accepted if one.event["id"] == events[3].meta.id)
                receiver.accepted = []
                partition, position = third.place
                positions = [10_000] * JOURNAL.partitions
                positions[partition] = position
                thin = hooks["thin"].webhook_id
                await journal.commit(WebhookReplayed(own("again", thin), thin, Micros(0), tuple(positions)))
                await all_of(receiver, 1)
                (again,) = receiver.accepted
                assert (again.id, again.place, "previous" in again.event) == (third.id, third.place, False)

    asyncio.run(run())


def test_a_secret_is_rotated_without_a_delivery_that_cannot_be_verified(
    kafka_bootstrap: str, fresh_database_url: str
) -> None:
    other = new_webhook_secret()

    async def run() -> None:
        async with world(kafka_bootstrap, fresh_database_url) as (journal, receiver), running(journal) as role:
            await add(journal, hook(receiver.url))
            await journal.commit(note(0, 0))
            await all_of(receiver, 1)
            until_then = Micros(2**53)
            rotated = WebhookRotated(own("rotated", HOOK), HOOK, "Receiver", until_then)
            await declare(journal, webhook_declared(rotated, other, SECRET, until_then))
            access: Any = role.followers[0]

            async def known() -> str | None:
                found = access.access.connection(HOOK)
                return None if found.secret == other else "the old secret"

            await until(known, TIMEOUT)
            await journal.commit(note(1, 0))
            await all_of(receiver, 2)
            receiver.webhook = Webhook(other)
            await journal.commit(note(2, 0))
            await all_of(receiver, 3)
            assert signatures(receiver.tried) == [1, 2, 2]

    asyncio.run(run())


def signatures(tried: Sequence[Received]) -> list[int]:
    return [len(one.headers["webhook-signature"].split()) for one in tried]


def test_one_at_which_nothing_arrives_for_75_hours_is_switched_off_and_says_so(
    kafka_bootstrap: str, fresh_database_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(switch_off, "LOOK_SECONDS", 0.1)

    async def run() -> None:
        async with world(kafka_bootstrap, fresh_database_url) as (journal, receiver), running(journal):

            async def behave(_: Received) -> web.Response:
                return web.Response(status=500)

            receiver.behave = behave
            await add_by_command(journal, receiver.url)
            await journal.commit(note(0, 0))
            await until(lambda: failing(journal), TIMEOUT)
            async with await open_connection(journal.dsn) as conn:
                await conn.execute("UPDATE outbound.webhook SET failing_since = now() - interval '76 hours'")
            await until(lambda: is_off(journal), TIMEOUT)
            found = [decoded for records in (await journal.events()).values() for decoded in records]
            (off,) = [one for one in found if isinstance(one, WebhookChanged)]
            assert (off.enabled, off.meta.actor) == (False, "outbound")
            assert off.why.startswith("Nothing arrived at its receiver since ")
            assert off.why.endswith("What waits is kept. Mend it, then switch it on: it goes on where it stopped.")

    asyncio.run(run())


async def failing(journal: IsolatedJournal) -> str | None:
    async with await open_connection(journal.dsn) as conn:
        rows = await conn.execute("SELECT failing_since IS NOT NULL FROM outbound.webhook")
        return None if await rows.fetchall() == [(True,)] else "it does not fail"

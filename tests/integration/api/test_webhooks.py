"""Webhooks by GraphQL: the secret is shown once, the log is searched, and none of it is another workspace's."""

import asyncio
from typing import Any

from psycopg import AsyncConnection

from crm.connection_secrets import BOTH_UNTIL, PREVIOUS
from crm.envelope import named_id
from crm.scalars import Id, Micros
from services.outbound import store
from services.outbound.delivery import Delivery, Outcome, Settled, State
from tests.integration.api.test_commands import refused
from tests.integration.api.test_commands_secrets import comes, no_secret_in_the_journal, others
from tests.support.records import open_connection
from tests.support.scenarios import NOON
from tests.support.shop_commands import ShopCommands, shop_commands

URL = "https://example.com/hooks"
LOG = """query ($id: ID!, $state: DeliveryState, $type: String! = "", $subject: ID, $first: Int! = 50) {
  webhookDeliveries(webhookId: $id, state: $state, type: $type, subject: $subject, first: $first) {
    id type state position previous attempts status milliseconds error response
    failed { status milliseconds error }
  }
}"""


def test_a_secret_is_shown_once_and_rotated(database_url: str, kafka_bootstrap: str) -> None:
    async def run() -> None:
        async with shop_commands(database_url, kafka_bootstrap, ["connect"]) as shop, others(kafka_bootstrap) as access:
            made = await shop.do("webhookAdd", url=URL, types=["DealOpened"])
            id, secret = made["row"]["id"], made["secret"]
            assert (made["row"]["name"], made["row"]["enabled"]) == ("example.com", True)
            await comes(lambda: (found := access.connection(id)) and found.secret == secret)
            turned = await shop.do("webhookRotate", webhookId=id, hours=1)
            assert turned["secret"] != secret
            await comes(lambda: access.connection(id).secret == turned["secret"])  # type: ignore[union-attr]  # it is there
            found: Any = access.connection(id)
            assert found.settings[PREVIOUS] == secret
            assert int(found.settings[BOTH_UNTIL]) > NOON
            await no_secret_in_the_journal(shop, secret, turned["secret"])

    asyncio.run(run())


def test_what_cannot_be_sent_is_refused_in_plain_words(database_url: str, kafka_bootstrap: str) -> None:
    async def run() -> None:
        async with shop_commands(database_url, kafka_bootstrap, ["connect"]) as shop:
            before = await shop.everything()
            for given, refusal in (
                ({"url": "http://example.com/"}, ("url", "INVALID")),
                ({"url": "https://192.168.0.1/"}, ("url", "INVALID")),
                ({"url": URL, "types": ["DealOpend"]}, ("types", "NOT_FOUND")),
                ({"url": URL, "secret": "short"}, ("secret", "INVALID")),
            ):
                payload = await shop.do("webhookAdd", **given)
                assert refused(payload) == refusal
                assert payload["userErrors"][0]["message"].endswith("Nothing was changed.")
            assert await shop.everything() == before

    asyncio.run(run())


async def plan(conn: AsyncConnection, shop: ShopCommands, webhook: Id) -> list[Id]:
    """Stores three deliveries of a webhook: one arrived, one was given up, one waits."""
    planned = []
    for number, type in enumerate(("DealOpened", "DealOpened", "NoteAdded")):
        id, stream = named_id(webhook, str(number)), named_id(webhook, "stream")
        one = Delivery(
            id, "webhook", shop.workspace, webhook, stream, stream, 3, number, type, number - 1 if number else None
        )
        one.due_at = Micros(NOON)
        planned.append(one)
    await store.plan(conn, planned)
    arrived, dead, _ = planned
    arrived.attempts = dead.attempts = 1
    outcomes = [
        Settled(arrived, Outcome(State.DELIVERED, status=204, took_ms=12.4), Micros(NOON)),
        Settled(dead, Outcome(State.DEAD, Micros(0), 500, "", "No space left", 7.0), Micros(NOON)),
    ]
    await store.settle(conn, outcomes)
    return [one.id for one in planned]


def test_the_log_is_searched_by_state_and_type(database_url: str, kafka_bootstrap: str) -> None:
    async def run() -> None:
        async with shop_commands(database_url, kafka_bootstrap, ["connect", "read"]) as shop:
            made = await shop.do("webhookAdd", url=URL)
            webhook = Id(made["row"]["id"])
            async with await open_connection(database_url) as conn:
                first, second, third = await plan(conn, shop, webhook)

            async def log(**given: Any) -> list[dict[str, Any]]:
                found: list[dict[str, Any]] = (await shop.ask(LOG, {"id": webhook, **given}))["data"][
                    "webhookDeliveries"
                ]
                return found

            assert [one["id"] for one in await log()] == [third, second, first]
            assert [one["id"] for one in await log(type="DealOpened")] == [second, first]
            assert [one["id"] for one in await log(first=1)] == [third]
            assert len(await log(subject=named_id(webhook, "stream"))) == 3
            assert await log(subject=webhook) == []
            assert await log(state="DEAD") == [
                {
                    "id": second,
                    "type": "DealOpened",
                    "state": "DEAD",
                    "position": 1,
                    "previous": 0,
                    "attempts": 1,
                    "status": 500,
                    "milliseconds": 7,
                    "error": "",
                    "response": "No space left",
                    "failed": [{"status": 500, "milliseconds": 7, "error": ""}],
                }
            ]
            (arrived,) = await log(state="DELIVERED")
            assert (arrived["status"], arrived["milliseconds"], arrived["failed"]) == (204, 12, [])
            async with shop_commands(database_url, kafka_bootstrap, ["read"]) as other:
                assert (await other.ask(LOG, {"id": webhook}))["data"]["webhookDeliveries"] == []

    asyncio.run(run())

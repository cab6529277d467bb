"""Connections however they were made, what came to them, and what can be connected."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any
from uuid import uuid4

from crm.adapters.kafka.activity import ActivityDirectory
from crm.adapters.kafka.producer import KafkaLog
from crm.connection_activity import HOUR
from crm.connector import Connection
from crm.connector_catalogue import catalogue
from crm.contract.codec import encode
from crm.engine.connections import record_connections
from crm.envelope import now
from crm.events import ConnectionAdded, ConnectionRemoved
from crm.facts import ConnectionDeclared, ConnectionPolled
from crm.log import Record
from crm.scalars import Id, Micros
from crm.topics import ACTIVITY, CURSORS
from services.cli.commands.integrations import plain
from services.intake.activity import ActivityCounts
from services.operations.integrations import integrations
from services.stack.access import declare_connection, origin, read_directory
from services.stack.process import until
from tests.support.secret_keys import KEYS
from tests.support.shop_commands import ShopCommands, shop_commands
from tests.support.timeouts import TIMEOUT

LIST = """{ integrations(first: 10) { nodes { id connector name enabled activity {
  state advice taken quarantined refused failed lastDeliveryAt lastRefusedAt lastRefusal } } } }"""
CONNECTORS = "{ connectors { name title family proof secret connections } }"


async def rows(shop: ShopCommands) -> dict[str, Any]:
    await shop.project()
    return {node["id"]: node for node in (await shop.ask(LIST))["data"]["integrations"]["nodes"]}


def missing_of(log: KafkaLog) -> Callable[[], Awaitable[str | None]]:
    async def missing() -> str | None:
        return log.missing()

    return missing


async def known(shop: ShopCommands, bootstrap: str) -> None:
    """Lets the API's process learn what is declared, as following the topic does."""
    for fact in (await read_directory(bootstrap)).declared.values():
        shop.access.learn(fact)


def test_a_connection_of_the_command_line_is_in_the_list(database_url: str, kafka_bootstrap: str) -> None:
    """What `crm connect` made was in no list until a command changed it."""

    async def story() -> None:
        async with shop_commands(database_url, kafka_bootstrap, ["read", "connect"]) as shop:
            made = await declare_connection(kafka_bootstrap, shop.workspace, "telegram", "Bot", "s3cret-1", keys=KEYS)
            elsewhere = await declare_connection(kafka_bootstrap, Id(str(uuid4())), "form", "Nobody's", keys=KEYS)
            gone = ConnectionDeclared(origin(shop.workspace, Id(str(uuid4()))), Id(str(uuid4())), "form", "Old", "")
            off = ConnectionDeclared(gone.meta, gone.connection, "form", "Old", "", enabled=False)
            await known(shop, kafka_bootstrap)
            assert await rows(shop) == {}
            declared = [*(shop.access.declared[id] for id in (made, elsewhere)), off]
            assert set(await record_connections(database_url, declared)) == {made, off.connection}
            assert await record_connections(database_url, declared) == []
            found = await rows(shop)
            assert {(n["connector"], n["name"], n["enabled"]) for n in found.values()} == {
                ("telegram", "Bot", True),
                ("form", "Old", False),
            }
            assert found[made]["activity"]["state"] == "never delivered"
            assert found[off.connection]["activity"]["state"] == "off"
            assert found[off.connection]["activity"]["advice"] is None
            events = [e for e in await shop.events() if isinstance(e, ConnectionAdded | ConnectionRemoved)]
            assert [event.connection_id for event in events].count(made) == 1 and len(events) == 3
            rotated = await shop.do("connectionRotate", connectionId=made, secret="s3cret-2")
            assert (rotated["row"]["version"], rotated["userErrors"]) == (2, [])

    asyncio.run(story())


def test_what_came_to_a_connection_is_published(database_url: str, kafka_bootstrap: str) -> None:
    async def story() -> None:
        async with shop_commands(database_url, kafka_bootstrap, ["read", "connect"]) as shop:
            added = await shop.do("connectionAdd", connector="telegram", name="Bot", secret="s3cret-1")
            id, at = added["row"]["id"], now()
            connection = Connection(id, shop.workspace, "telegram", "s3cret-1")
            first, second = ActivityCounts("1", lambda: at), ActivityCounts("2", lambda: at)
            for _ in range(3):
                first.note(connection, "taken", Micros(at - 30 * HOUR))
                second.note(connection, "refused", at, "The secret does not match. Nothing was kept.")
            first.note(connection, "taken", Micros(at - HOUR))
            async with KafkaLog(kafka_bootstrap, [ACTIVITY.name]) as log:
                await until(missing_of(log), TIMEOUT)
                await first.publish(log)
                await second.publish(log)
            published = await ActivityDirectory().start(kafka_bootstrap)
            await published.stop()
            shop.activity = published
            said = (await rows(shop))[id]["activity"]
            assert (said["state"], said["taken"], said["refused"], said["failed"]) == ("failing", 1, 3, 0)
            assert said["lastRefusal"] == "The secret does not match. Nothing was kept."
            assert said["advice"].startswith("Refused 3 of 4 within a day; the last: The secret does not match.")
            assert said["lastDeliveryAt"] < said["lastRefusedAt"]
            listed = await integrations(kafka_bootstrap, database_url, shop.workspace, "https://crm.example.com", KEYS)
            assert [one.connector for one in listed] == list(catalogue())
            (telegram,) = [one for one in listed if one.connections]
            (one,) = telegram.connections
            assert (telegram.connector, telegram.state, one.connection, one.name) == ("telegram", "failing", id, "Bot")
            assert (one.activity.refused, one.url) == (3, f"https://crm.example.com/in/{id}")
            assert telegram.lag >= 0

    asyncio.run(story())


def test_a_vendor_that_refuses_is_listed_with_what_to_do(database_url: str, kafka_bootstrap: str) -> None:
    async def story() -> None:
        async with shop_commands(database_url, kafka_bootstrap, ["read", "connect"]) as shop:
            added = await shop.do("connectionAdd", connector="olx", name="Shop", secret="7:hush:r1")
            id, at = added["row"]["id"], now()
            state = ConnectionPolled(
                origin(shop.workspace, id), id, "olx", answered_at=Micros(at - HOUR), found_at=Micros(at - HOUR),
                problem="The vendor answered 400.", advice="Log in again: `crm connect olx`.", sealed_key=b"sealed",
            )  # fmt: skip
            async with KafkaLog(kafka_bootstrap, [CURSORS.name]) as log:
                await until(missing_of(log), TIMEOUT)
                await log.send(Record(CURSORS.name, id.encode(), encode(state)))
            shop.activity = await ActivityDirectory().start(kafka_bootstrap)
            await shop.activity.stop()
            said = (await rows(shop))[id]["activity"]
            assert said["state"] == "failing" and said["lastDeliveryAt"]
            assert said["advice"] == "The vendor answered 400. Log in again: `crm connect olx`."
            listed = await integrations(kafka_bootstrap, database_url, shop.workspace, "https://crm.example.com", KEYS)
            (olx,) = [one for one in listed if one.connections]
            assert (olx.state, olx.connections[0].advice) == ("failing", said["advice"])
            shown = plain(olx)["connections"][0]
            assert (shown["problem"], shown["state"]) == ("The vendor answered 400.", "failing")
            assert shown["last_delivery_at"] == shown["last_answer_at"] and "sealed" not in str(shown)

    asyncio.run(story())


def test_all_connectors_are_listed_with_what_is_connected(database_url: str, kafka_bootstrap: str) -> None:
    async def story() -> None:
        async with shop_commands(database_url, kafka_bootstrap, ["read", "connect"]) as shop:
            await shop.do("connectionAdd", connector="form")
            removed = await shop.do("connectionAdd", connector="form")
            await shop.do("connectionRemove", connectionId=removed["row"]["id"])
            listed = (await shop.ask(CONNECTORS))["data"]["connectors"]
            assert [one["name"] for one in listed] == list(catalogue())
            assert {one["name"]: one["connections"] for one in listed if one["connections"]} == {"form": 1}
            (liqpay,) = [one for one in listed if one["name"] == "liqpay"]
            entry = catalogue()["liqpay"]
            assert liqpay == {
                "name": "liqpay",
                "title": entry.title,
                "family": "banking",
                "proof": "signature",
                "secret": entry.secret,
                "connections": 0,
            }

    asyncio.run(story())

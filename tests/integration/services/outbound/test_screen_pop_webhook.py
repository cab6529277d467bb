"""A webhook that hears of a call while it rings is sent who is calling."""

import asyncio

import psycopg

from crm.envelope import named_id
from crm.scalars import Id, Micros
from tests.support.outbound_world import add, all_of, hook, running, world
from tests.support.scenarios import SHOP
from tests.support.screen import Ringing
from tests.support.shop_rows import OLENA_PHONE, OTHER, contact, deal, id_of, insert


def test_a_ringing_call_carries_who_is_calling(kafka_bootstrap: str, fresh_database_url: str) -> None:
    async def run() -> None:
        async with world(kafka_bootstrap, fresh_database_url) as (journal, receiver):
            fill(journal.dsn)
            ringing, old = Ringing(SHOP, id_of("Olena"), OLENA_PHONE), Ringing(SHOP, id_of("Olena"), OLENA_PHONE)
            old.began = Micros(old.began - 3_600_000_000)
            thin = hook(f"{receiver.url}/thin", types=("CallUpdated",), id=named_id(SHOP, "thin"), thin=True)
            await add(journal, hook(receiver.url, types=("CallUpdated",)), thin)
            async with running(journal):
                await journal.commit(*ringing.rings("101"), ringing.report("answered", "101"), *old.rings())
                await all_of(receiver, 6)
            full = [one.event["data"] for one in receiver.accepted if "phase" in one.event["data"]]
            brief = [(one["phase"], "caller" in one) for one in full]
            assert sorted(brief) == [("answered", False), ("ringing", False), ("ringing", True)]
            (caller,) = [one["caller"] for one in full if "caller" in one]
            assert caller == {
                "employee": {"said": "101", "owners": []},
                "match": "certain",
                "contacts": [
                    {
                        "contact_id": id_of("Olena"),
                        "name": "Olena",
                        "owner": {"key": "taras@shop.ua", "name": ""},
                        "open_deals": [
                            {
                                "deal_id": id_of("deal 7"),
                                "number": 7,
                                "title": "Order 7",
                                "stage": "new",
                                "amount": "202.00 UAH",
                                "owner": "taras@shop.ua",
                            }
                        ],
                        "conversation": None,
                    }
                ],
            }
            assert sum("caller" not in one.event["data"] for one in receiver.accepted) == 5

    asyncio.run(run())


def fill(dsn: str) -> None:
    """The other workspace has the number too, at another contact."""

    with psycopg.connect(dsn, autocommit=True) as connection:
        insert(connection, SHOP, contact("Olena", phones=(OLENA_PHONE,)), deal(7))
        insert(connection, Id(OTHER), contact("Petro", phones=(OLENA_PHONE,)))

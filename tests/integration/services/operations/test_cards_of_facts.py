"""The cards that past facts led to, whichever release decided them."""

import asyncio

from msgspec.structs import replace

from crm.envelope import Fact, made_id, named_id
from crm.events import DealOpened
from crm.scalars import Id, Micros
from services.operations.reparse.cards import cards
from tests.support.project_role import role
from tests.support.records import journal, open_connection
from tests.support.scenarios import form

NOW = Micros(1_800_000_000_000_000)  # 2027-01-15, when ids begin with a time


def opened(fact: Fact, deal_id: Id, number: int) -> DealOpened:
    meta = replace(fact.meta, id=named_id(deal_id, "opened"), stream=deal_id)
    return DealOpened(meta, deal_id, named_id(deal_id, "contact"), number, "", 0, "UAH", "new", "form")


def test_a_deal_is_found_under_an_id_of_today_and_of_before(fresh_database_url: str) -> None:
    new, old, none = form("new", NOW), form("old", NOW), form("none", NOW)
    made = [
        opened(new, made_id(new.meta, "deal"), 1),
        opened(old, named_id(old.meta.id, "deal"), 2),
    ]

    async def run() -> dict[Id, int | None]:
        async with await open_connection(fresh_database_url) as conn:
            await (await role(conn)).catch_up(journal(made))
            found = await cards(conn, [new, old, none])
        return {id: card.deal.number if card.deal else None for id, card in found.items()}

    assert asyncio.run(run()) == {new.meta.id: 1, old.meta.id: 2, none.meta.id: None}

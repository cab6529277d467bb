"""A command with an id of another workspace is refused like one with an unknown id, and changes nothing."""

import asyncio
import json
from uuid import uuid4

from api.schema.root import schema
from crm.adapters.kafka.directory import Token
from crm.scalars import Id
from tests.support.id_queries import IdQuery, id_queries
from tests.support.shop_commands import ShopCommands, shop_commands

NOBODY = str(uuid4())
# A trial looks up no id that its rules name, and the next one waits until it is over.
MUTATIONS = [one for one in id_queries(schema._schema, "mutation") if not one.name.startswith("whatIfStart(")]
ALL = ("read", "write", "connect", "admin")


async def filled(shop: ShopCommands) -> dict[str, str]:
    """One of each kind of thing that a command can name, by its kind."""
    contact = (await shop.do("contactCreate", name="Olena", phones=["067 123 45 67"]))["row"]["id"]
    deal = (await shop.do("dealOpen", contactId=contact, title="Desk", amount={"minor": 20_200}))["row"]["id"]
    connection = Id(str(uuid4()))
    token = Token(Id(str(uuid4())), shop.workspace, frozenset(("read",)), "theirs")
    shop.access.tokens["hash"], shop.access.hashes[token.id] = token, "hash"
    return {
        "contact": contact,
        "deal": deal,
        "note": (await shop.do("noteAdd", contactId=contact, text="Calls back"))["row"]["id"],
        "task": (await shop.do("taskAdd", contactId=contact, title="Call"))["row"]["id"],
        "connection": connection,
        "token": token.id,
    }


async def answer_to(shop: ShopCommands, question: IdQuery, id: str) -> str:
    answer = await shop.ask(question.document, {"id": id})
    answer.pop("extensions", None)
    return json.dumps(answer).replace(id, "the id")


def test_every_command_that_takes_an_id_refuses_a_foreign_one_as_an_unknown_one(
    database_url: str, kafka_bootstrap: str
) -> None:
    async def run() -> None:
        async with (
            shop_commands(database_url, kafka_bootstrap, ALL) as theirs,
            shop_commands(database_url, kafka_bootstrap, ALL) as ours,
        ):
            there = await filled(theirs)
            ours.access.tokens["hash"] = theirs.access.tokens["hash"]  # a server knows those of all workspaces
            ours.access.hashes |= theirs.access.hashes
            before = await theirs.events()
            for question in MUTATIONS:
                nothing = await answer_to(ours, question, NOBODY)
                assert "errors" not in json.loads(nothing), nothing
                for kind, id in there.items():
                    assert await answer_to(ours, question, id) == nothing, (question.name, kind)
            assert await theirs.events() == before
            assert len(MUTATIONS) > 15

    asyncio.run(run())

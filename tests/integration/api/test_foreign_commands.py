"""A command on the id of another workspace is refused as one on an id that does not exist, and changes nothing."""

import asyncio
import json
from uuid import uuid4

from api.schema.root import schema
from crm.adapters.kafka.directory import Token
from crm.scalars import Id
from tests.support.id_questions import Question, questions
from tests.support.shop_commands import ShopDesk, shop_desk

NOBODY = str(uuid4())
MUTATIONS = list(questions(schema._schema, "mutation"))
ALL = ("read", "write", "connect", "admin")


async def filled(shop: ShopDesk) -> dict[str, str]:
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


async def told(shop: ShopDesk, question: Question, id: str) -> str:
    answer = await shop.ask(question.document, {"id": id})
    answer.pop("extensions", None)
    return json.dumps(answer).replace(id, "the id")


def test_every_command_that_takes_an_id_refuses_a_foreign_one_as_an_unknown_one(
    database_url: str, kafka_bootstrap: str
) -> None:
    async def run() -> None:
        async with (
            shop_desk(database_url, kafka_bootstrap, ALL) as theirs,
            shop_desk(database_url, kafka_bootstrap, ALL) as ours,
        ):
            there = await filled(theirs)
            ours.access.tokens["hash"] = theirs.access.tokens["hash"]  # a server knows those of all workspaces
            ours.access.hashes |= theirs.access.hashes
            before = await theirs.events()
            for question in MUTATIONS:
                nothing = await told(ours, question, NOBODY)
                assert "errors" not in json.loads(nothing), nothing
                for kind, id in there.items():
                    assert await told(ours, question, id) == nothing, (question.name, kind)
            assert await theirs.events() == before
            assert len(MUTATIONS) > 15

    asyncio.run(run())

"""`crm reparse` on a running stack: a connector read forms wrong, was mended, and what they led to is put right."""

import asyncio
from typing import Any
from uuid import uuid4

import pytest
from aiokafka import AIOKafkaProducer

from crm.connector import Connection, Delivery
from crm.contract.codec import encode
from crm.envelope import now
from crm.facts import FormSubmitted
from crm.scalars import Id
from crm.topics import INTAKE
from services.connectors import CONNECTORS
from tests.support.running_stack import Stack

CARD = """query($phone: String!) {
  caller(phone: $phone) { contact { name } openDeals { number amount { text } fields } } }"""


@pytest.fixture(scope="module")
def misread(stack: Stack) -> str:
    """A form of which an earlier connector understood the name alone; gives its telephone number."""
    assert stack.demo
    number = f"+38067{uuid4().int % 10_000_000:07}"
    body = (
        f'{{"name": "Myroslava", "phone": "{number}", "budget": 1500.50, "payment": {{"amount": "900.00"}}}}'.encode()
    )
    connection = Connection(Id(stack.demo.connections["form"]), Id(stack.demo.workspace), "form", "-")
    delivery = Delivery({"content-type": "application/json"}, body, now())
    (told,) = CONNECTORS["form"].read(delivery, connection)
    assert isinstance(told, FormSubmitted)
    wrong = FormSubmitted(told.meta, told.raw, name="Myroslava", form=told.form)

    async def send() -> None:
        async with AIOKafkaProducer(bootstrap_servers=stack.running().kafka_bootstrap) as producer:
            await producer.send_and_wait(INTAKE["forms"].name, encode(wrong), key=b"x")

    asyncio.run(send())
    stack.settle()
    return number


def mine(told: Any, number: str) -> list[Any]:
    """Corrections of this form's cards but for custom fields."""
    changes = [c for c in told["corrections"] if c["changes"].keys() & {"amount", "addPhones"}]
    return [c for c in changes if number in str(c["changes"]) or "90000" in str(c["changes"])]


def test_cards_are_put_right_once(stack: Stack, misread: str) -> None:
    assert stack.demo
    assert stack.ask(CARD, phone=misread)["caller"]["contact"] is None
    words = f"reparse --connector form --since 1h --workspace {stack.demo.workspace}"
    planned = mine(stack.person.asks(f"{words} --dry-run"), misread)
    assert [(c["changes"], c["status"]) for c in planned] == [
        ({"amount": [[0, "UAH"], [90000, "UAH"]]}, "would change"),
        ({"addPhones": [None, [misread]]}, "would change"),
    ]
    assert stack.ask(CARD, phone=misread)["caller"]["contact"] is None
    told = stack.person.asks(words)
    assert [c["status"] for c in mine(told, misread)] == ["done", "done"]
    (budget,) = [c for c in told["corrections"] if "fields.budget" in c["changes"] and "1500.50" in str(c["changes"])]
    assert (budget["status"], budget["why"]) == (
        "refused",
        "No field 'budget' is defined. Define it first. Nothing was changed.",
    )
    stack.settle()
    caller = stack.ask(CARD, phone=misread)["caller"]
    assert caller["contact"] == {"name": "Myroslava"}
    assert [deal["amount"]["text"] for deal in caller["openDeals"]] == ["900.00 UAH"]
    assert mine(stack.person.asks(words), misread) == []


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ("reparse --connector nobody --since 1h", "There is no connector 'nobody'; there are form,"),
        ("reparse --connector form --since 1h --until 2h", "this period is empty. Nothing was changed."),
        (
            "reparse --connector form --since 1h --workspace 11111111-1111-5111-8111-111111111111",
            "no connection of form",
        ),
        ("fill size --from size --connector form --since 1h", "No deal field 'size' is defined. Nothing was changed."),
        ("fill size --from size --connector form --since 1h --of house", "--of takes deal or contact"),
    ],
)
def test_wrong_use_is_refused_in_a_sentence(stack: Stack, words: str, said: str) -> None:
    done = stack.person.types(words, expect=1)
    assert said in " ".join((done.stdout + done.stderr).split())
    assert "Traceback" not in done.stderr

"""`crm reparse` on a running stack: a connector misread forms and was fixed; their effects are corrected."""

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
from tests.support.running_stack import RunningStack

CARD = """query($phone: String!) {
  caller(phone: $phone) { contact { name } openDeals { number amount { text } fields } } }"""


@pytest.fixture(scope="module")
def misread(stack: RunningStack) -> str:
    """Sends a form of which an earlier connector read only the name. Returns its phone number."""
    assert stack.demo
    number = f"+38067{uuid4().int % 10_000_000:07}"
    body = (
        f'{{"name": "Myroslava", "phone": "{number}", "budget": 1500.50, "payment": {{"amount": "900.00"}}}}'.encode()
    )
    connection = Connection(Id(stack.demo.connections["form"]), Id(stack.demo.workspace), "form", "-")
    delivery = Delivery({"content-type": "application/json"}, body, now())
    (fact,) = CONNECTORS["form"].read(delivery, connection)
    assert isinstance(fact, FormSubmitted)
    wrong = FormSubmitted(fact.meta, fact.raw, name="Myroslava", form=fact.form)

    async def send() -> None:
        async with AIOKafkaProducer(bootstrap_servers=stack.running().kafka_bootstrap) as producer:
            await producer.send_and_wait(INTAKE["forms"].name, encode(wrong), key=b"x")

    asyncio.run(send())
    stack.settle()
    return number


def mine(corrections: Any, number: str) -> list[Any]:
    """Returns the corrections for this form, except custom fields."""
    changes = [c for c in corrections["corrections"] if c["changes"].keys() & {"amount", "addPhones"}]
    return [c for c in changes if number in str(c["changes"]) or "90000" in str(c["changes"])]


def test_cards_are_put_right_once(stack: RunningStack, misread: str) -> None:
    assert stack.demo
    assert stack.ask(CARD, phone=misread)["caller"]["contact"] is None
    words = f"reparse --connector form --since 1h --workspace {stack.demo.workspace}"
    planned = mine(stack.terminal.run_json(f"{words} --dry-run"), misread)
    assert [(c["changes"], c["status"]) for c in planned] == [
        ({"amount": [[0, "UAH"], [90000, "UAH"]]}, "would change"),
        ({"addPhones": [None, [misread]]}, "would change"),
    ]
    assert stack.ask(CARD, phone=misread)["caller"]["contact"] is None
    report = stack.terminal.run_json(words)
    assert [c["status"] for c in mine(report, misread)] == ["done", "done"]
    (budget,) = [c for c in report["corrections"] if "fields.budget" in c["changes"] and "1500.50" in str(c["changes"])]
    assert (budget["status"], budget["why"]) == (
        "refused",
        "No field 'budget' is defined. Define it first. Nothing was changed.",
    )
    stack.settle()
    caller = stack.ask(CARD, phone=misread)["caller"]
    assert caller["contact"] == {"name": "Myroslava"}
    assert [deal["amount"]["text"] for deal in caller["openDeals"]] == ["900.00 UAH"]
    assert mine(stack.terminal.run_json(words), misread) == []


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ("reparse --connector nobody --since 1h", "There is no connector 'nobody'. Choose one of "),
        ("reparse --connector form --since 1h --until 2h", "the period is empty. Nothing was changed."),
        (
            "reparse --connector form --since 1h --workspace 11111111-1111-5111-8111-111111111111",
            "no form connection",
        ),
        (
            "backfill size --from size --connector form --since 1h",
            "No deal field 'size' is defined. Nothing was changed.",
        ),
        ("backfill size --from size --connector form --since 1h --of house", "--of takes deal or contact"),
    ],
)
def test_wrong_use_is_refused_in_a_sentence(stack: RunningStack, words: str, said: str) -> None:
    done = stack.terminal.run(words, expect=1)
    assert said in " ".join((done.stdout + done.stderr).split())
    assert "Traceback" not in done.stderr

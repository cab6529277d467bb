"""The demo signs like every vendor, with secrets that follow from its seed."""

import hashlib
from typing import Any

import pytest

from crm.connector import Connection, Delivery
from crm.facts import CallReported, FormSubmitted, MessageReported, PaymentReported
from services.connectors import CONNECTORS
from services.demo.connections import CONNECTORS as NAMES
from services.demo.connections import rehearsed, secret_of, settings_of
from tests.support.scenarios import CONNECTION, NOON, SHOP

ACTIONS: list[tuple[str, tuple[Any, ...], type, bytes | None]] = [
    ("submit_form", ({"name": "Olena", "phone": "0671234567"},), FormSubmitted, None),
    ("submit_report", ({"name": "Olena", "email": "o@example.ua", "area_m2": 54.5},), FormSubmitted, None),
    ("receive_transfer", ("t1", 50_000, "D-1", 1791190860), PaymentReported, None),
    ("receive_invoice", ("i1", 75_000, "D-1"), PaymentReported, None),
    ("pay_by_card", (1, "540.10", "D-1"), PaymentReported, None),
    ("ring", (1, "0671234567"), CallReported, b'{"status":"success"}'),
    ("hang_up", (1, "0671234567", 42), CallReported, b'{"status":"success"}'),
    ("write", (1, 7, "Добрий день"), MessageReported, None),
    ("share_contact", (2, 7, "+380671234567", "Олена"), MessageReported, None),
]


@pytest.mark.parametrize(("action", "about", "fact", "answer"), ACTIONS)
def test_an_action_is_an_authentic_delivery(
    action: str, about: tuple[Any, ...], fact: type, answer: bytes | None
) -> None:
    name, (headers, body), expected = rehearsed(action, "seed", *about)
    connection = Connection(CONNECTION, SHOP, name, secret_of(name, "seed"), settings_of(name, "seed"))
    delivery = Delivery(headers, body, NOON)
    facts = CONNECTORS[name].receive(delivery, connection)
    (found,) = facts
    assert isinstance(found, fact)
    webhook = CONNECTORS[name].webhook
    assert webhook and expected == answer
    if answer is not None:
        assert webhook.answer(delivery, connection, facts).body == answer


def test_secrets_are_those_of_the_demos_of_older_releases() -> None:
    """A stack that is upgraded keeps its demo.json: the seed has to give the secrets that its connections have."""
    derived = {name: hashlib.sha256(f"{name}/seed".encode()).hexdigest() for name in NAMES if name != "monobank"}
    assert {name: secret_of(name, "seed") for name in derived} == derived
    assert set(NAMES) == {"binotel", "form", "liqpay", "monobank", "monobank-personal", "telegram"}

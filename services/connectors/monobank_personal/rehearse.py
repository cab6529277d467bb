"""Lines of the statement of a personal account at monobank."""

from functools import partial
from typing import Any

from services.connectors.rehearsal import Post, Rehearsal, derived_secret, json_post


def statement(item: str, amount: int, /, **changes: Any) -> Post:
    """Returns a line of `amount` kopecks: money in is positive."""
    line = {"id": item, "time": 1791190860, "hold": False, "amount": amount, "operationAmount": amount} | changes
    data = {"account": "rehearsal", "statementItem": {"currencyCode": 980, "description": ""} | line}
    return json_post({"type": "StatementItem", "data": data})


def receive_transfer(_seed: str, id: str, amount_minor: int, purpose: str, seconds: int) -> Post:
    return statement(id, amount_minor, comment=purpose, time=seconds)


REHEARSAL = Rehearsal({"receive_transfer": receive_transfer}, partial(derived_secret, "monobank-personal"))

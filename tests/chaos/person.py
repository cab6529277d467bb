"""Somebody with one phone, e-mail, bank account and chat, who may come to a shop again and again by any of them."""

from collections.abc import Callable
from itertools import count
from random import Random
from typing import Any

import msgspec

from crm.scalars import Micros
from tests.chaos.deliveries import Delivery, Shop
from tests.chaos.ledger import Kind, Money

BEGAN = 1_767_258_000_000_000  # 2026-01-01 09:00 UTC, in microseconds: the stories' own clock begins here
STEP = 700_000  # microseconds between two things that are told of one person
SPELLINGS: tuple[Callable[[str], str], ...] = (  # of nine digits
    lambda d: f"+380{d}",
    lambda d: f"0{d[:2]} {d[2:5]} {d[5:7]} {d[7:]}",
    lambda d: f"+38 (0{d[:2]}) {d[2:5]}-{d[5:7]}-{d[7:]}",
    lambda d: f"380{d}",
    lambda d: f"0{d}",
)


class Person:
    """All that is told of one person comes from here: ids, times, the phone as it is written today."""

    def __init__(self, shop: Shop, number: int, seed: str, rng: Random) -> None:
        self.shop, self.rng = shop, rng
        self.scope, self.told = f"{seed}/{number}", count(1)
        self.digits = f"{rng.choice((50, 63, 67))}{number % 10**7:07d}"
        self.name, self.email = f"Олена Коваль {number}", f"olena{number}@example.ua"
        self.iban, self.chat = f"UA21{number:025d}", str(7_000_000 + number)
        self.at = BEGAN + number * 50_000

    def new(self, what: str) -> str:
        """An id at a vendor."""
        return f"{what}-{self.scope}-{next(self.told)}"

    def later(self) -> Micros:
        self.at += STEP
        return Micros(self.at)

    @property
    def phone(self) -> str:
        """As it is written today."""
        return self.rng.choice(SPELLINGS)(self.digits)

    def line(self, fact: str, money: Money | None = None, **says: Any) -> Delivery:
        line = {"type": fact, "id": self.new("fact"), "occurred_at": self.later(), **says}
        return Delivery(self.shop, Kind(fact, self.shop.workspace), msgspec.json.encode(line), money)

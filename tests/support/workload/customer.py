"""A customer with one phone, e-mail, bank account and chat, who may come back by any of them."""

from collections.abc import Callable
from itertools import count
from random import Random
from typing import Any

import msgspec

from crm.scalars import Micros
from tests.support.workload.deliveries import Delivery, Tenant
from tests.support.workload.ledger import FactKind, Money

FIRST_MOMENT = 1_767_258_000_000_000  # 2026-01-01 09:00 UTC, in microseconds: the stories' own clock begins here
STEP = 700_000  # microseconds between two reports about one customer
SPELLINGS: tuple[Callable[[str], str], ...] = (  # of nine digits
    lambda d: f"+380{d}",
    lambda d: f"0{d[:2]} {d[2:5]} {d[5:7]} {d[7:]}",
    lambda d: f"+38 (0{d[:2]}) {d[2:5]}-{d[5:7]}-{d[7:]}",
    lambda d: f"380{d}",
    lambda d: f"0{d}",
)


class Customer:
    """Source of everything about one customer: ids, times, the spelling of the phone."""

    def __init__(self, tenant: Tenant, number: int, seed: str, rng: Random) -> None:
        self.tenant, self.rng = tenant, rng
        self.scope, self.numbers = f"{seed}/{number}", count(1)
        self.digits = f"{rng.choice((50, 63, 67))}{number % 10**7:07d}"
        self.name, self.email = f"Олена Коваль {number}", f"olena{number}@example.ua"
        self.iban, self.chat = f"UA21{number:025d}", str(7_000_000 + number)
        self.at = FIRST_MOMENT + number * 50_000

    def new(self, what: str) -> str:
        """Returns a new id of a vendor."""
        return f"{what}-{self.scope}-{next(self.numbers)}"

    def later(self) -> Micros:
        self.at += STEP
        return Micros(self.at)

    @property
    def phone(self) -> str:
        """The phone in a random spelling."""
        return self.rng.choice(SPELLINGS)(self.digits)

    def line(self, fact: str, money: Money | None = None, **says: Any) -> Delivery:
        line = {"type": fact, "id": self.new("fact"), "occurred_at": self.later(), **says}
        return Delivery(self.tenant, FactKind(fact, self.tenant.workspace), msgspec.json.encode(line), money)

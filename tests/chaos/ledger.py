"""What the stack has acknowledged, and the money that was in it: what every law is held against."""

from collections import Counter
from dataclasses import dataclass, field
from typing import NamedTuple

from crm.scalars import Id, Micros

Purse = tuple[Id, str]  # workspace and currency


class Kind(NamedTuple):
    """What an acknowledged fact is, and whose. One for all that are alike."""

    fact: str  # the name of its record
    workspace: Id


class Standing(NamedTuple):
    """Where a payment stands by its provider's clock; the newest counts. Sums in the smallest unit."""

    changed_at: Micros
    status: str
    amount_minor: int
    refunded_minor: int
    currency: str

    @property
    def settled_minor(self) -> int:
        """Money that came in and stayed. What went out gives nothing."""
        return max(0, self.amount_minor - self.refunded_minor) if self.status == "settled" else 0


class Paid(NamedTuple):
    """What a report says of a payment."""

    payment: str  # the provider's own id of it
    standing: Standing


class Worth(NamedTuple):
    """What the deal of a form is worth."""

    amount_minor: int
    currency: str


Money = Paid | Worth


@dataclass
class Ledger:
    """Each acknowledged fact once, however often it was sent."""

    facts: dict[Id, Kind] = field(default_factory=dict)
    payments: dict[tuple[Id, str], Standing] = field(default_factory=dict)  # by workspace and payment
    deals: Counter[Purse] = field(default_factory=Counter)  # what forms' deals are worth in all

    def take(self, id: Id, kind: Kind, money: Money | None = None) -> None:
        """The stack has acknowledged this fact. Twice is once."""
        if id in self.facts:
            return
        self.facts[id] = kind
        match money:
            case Paid(payment, standing):
                key = kind.workspace, payment
                self.payments[key] = max(standing, self.payments.get(key, standing))
            case Worth(amount_minor, currency):
                self.deals[kind.workspace, currency] += amount_minor

    def settled(self) -> Counter[Purse]:
        """What came in and stayed, in all."""
        sums: Counter[Purse] = Counter()
        for (workspace, _), standing in self.payments.items():
            sums[workspace, standing.currency] += standing.settled_minor
        return sums

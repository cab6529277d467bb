"""The acknowledged facts and their money: the invariants compare the stack with it."""

from collections import Counter
from dataclasses import dataclass, field
from typing import NamedTuple

from crm.scalars import Id, Micros

Account = tuple[Id, str]  # workspace and currency


class FactKind(NamedTuple):
    """Record name and workspace of an acknowledged fact."""

    fact: str  # the name of its record
    workspace: Id


class PaymentState(NamedTuple):
    """State of a payment by its provider's clock; the newest counts. Amounts in the smallest unit."""

    changed_at: Micros
    status: str
    amount_minor: int
    refunded_minor: int
    currency: str

    @property
    def settled_minor(self) -> int:
        """Money received and not refunded; 0 for outgoing payments."""
        return max(0, self.amount_minor - self.refunded_minor) if self.status == "settled" else 0


class PaymentReport(NamedTuple):
    """One report about a payment."""

    payment: str  # the provider's own id of it
    state: PaymentState


class DealValue(NamedTuple):
    """The amount of a form's deal."""

    amount_minor: int
    currency: str


Money = PaymentReport | DealValue


@dataclass
class Ledger:
    """Acknowledged facts, each once."""

    facts: dict[Id, FactKind] = field(default_factory=dict)
    payments: dict[tuple[Id, str], PaymentState] = field(default_factory=dict)  # by workspace and payment
    deals: Counter[Account] = field(default_factory=Counter)  # what forms' deals are worth in all

    def take(self, id: Id, kind: FactKind, money: Money | None = None) -> None:
        """Adds an acknowledged fact. Idempotent."""
        if id in self.facts:
            return
        self.facts[id] = kind
        match money:
            case PaymentReport(payment, state):
                key = kind.workspace, payment
                self.payments[key] = max(state, self.payments.get(key, state))
            case DealValue(amount_minor, currency):
                self.deals[kind.workspace, currency] += amount_minor

    def settled(self) -> Counter[Account]:
        """Returns the total of money received and not refunded."""
        sums: Counter[Account] = Counter()
        for (workspace, _), state in self.payments.items():
            sums[workspace, state.currency] += state.settled_minor
        return sums

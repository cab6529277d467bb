"""What a file of statements comes to: counts and exact sums by account and currency, and whether balances add up."""

from collections.abc import Iterable

from msgspec import Struct

from crm.money import money_text
from services.statements.lines import State, Statement


class Total(Struct, gc=False, kw_only=True):
    """What the statements of one account in one currency come to, in the currency's smallest unit.

    `opening` is that of the first statement and `closing` that of the last; None where the bank tells none.
    """

    account: str
    currency: str
    statements: int = 0
    money_in: int = 0
    count_in: int = 0
    money_out: int = 0  # less than nothing
    count_out: int = 0
    pending: int = 0  # lines that are not booked yet; they are in no sum
    opening: int | None = None
    closing: int | None = None

    @property
    def difference(self) -> int | None:
        """By how much the closing balance is another one than opening balance and lines make. None: not known."""
        if self.opening is None or self.closing is None:
            return None
        return self.closing - self.opening - self.money_in - self.money_out

    @property
    def in_words(self) -> str:
        if self.difference is None:
            return "not given"
        return "adds up" if self.difference == 0 else f"off by {money_text(self.difference, self.currency)}"


def totals(statements: Iterable[Statement]) -> list[Total]:
    made: dict[tuple[str, str], Total] = {}

    def of(account: str, currency: str) -> Total:
        return made.setdefault((account, currency), Total(account=account, currency=currency))

    for statement in statements:
        for currency in {balance.currency for balance in (*statement.opening, *statement.closing)}:
            of(statement.account, currency).statements += 1
        for opening in statement.opening:
            total = of(statement.account, opening.currency)
            total.opening = opening.amount_minor if total.opening is None else total.opening
        for closing in statement.closing:
            of(statement.account, closing.currency).closing = closing.amount_minor
        for line in statement.lines:
            add(of(line.account, line.currency), line.amount_minor, line.state)
    return list(made.values())


def add(total: Total, amount_minor: int, state: State) -> None:
    if state is not State.BOOKED:
        total.pending += 1
    elif amount_minor > 0:
        total.count_in += 1
        total.money_in += amount_minor
    else:
        total.count_out += 1
        total.money_out += amount_minor

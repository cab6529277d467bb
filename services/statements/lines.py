"""What every format is read into: statements of one account, their lines, and what is not certain."""

import re
from collections.abc import Callable
from datetime import date, datetime, time
from enum import StrEnum

from msgspec import Struct, field

from crm.money import money_text

MOST_SENTENCES = 1_000  # of one file
IBAN = re.compile(r"[A-Z]{2}\d{2}[A-Z0-9]{11,30}")
SHORTEST_ACCOUNT = 5  # characters of an account's number that can be recognized inside of an IBAN


class State(StrEnum):
    """Where the bank says that a line stands. Only what is booked is money."""

    BOOKED = "settled"
    PENDING = "created"


class Line(Struct, frozen=True, gc=False, kw_only=True):
    """One payment of a statement. `amount_minor` is negative when money went out.

    `place` is where it stands in its file: a line of text, a row of a sheet, an entry of an XML file. `at` is its time
    of day, where the bank tells it. `bank_reference` is the bank's own name of it, `document` the number that its payer
    gave.
    """

    place: int
    day: date
    amount_minor: int
    currency: str
    account: str = ""  # ours
    at: time | datetime | None = None
    state: State = State.BOOKED
    reversal: bool = False
    bank_reference: str = ""
    document: str = ""
    end_to_end: str = ""
    reference: str = ""  # an invoice's number that we gave, where the format has a field for it
    name: str = ""
    iban: str = ""
    tax_id: str = ""
    purpose: str = ""


class Balance(Struct, frozen=True, gc=False):
    """What was on the account, in the currency's smallest unit; less than nothing is negative."""

    amount_minor: int
    currency: str


class Problem(Struct, frozen=True, gc=False):
    """Something that was left out or is not certain. `place`: as a line's; 0: the file as a whole."""

    sentence: str
    place: int = 0


class Statement(Struct, gc=False, kw_only=True):
    """A statement of one account. `checks` are sentences on what does not add up."""

    account: str = ""
    currency: str = ""
    name: str = ""  # the bank's number of it
    opening: list[Balance] = field(default_factory=list)
    closing: list[Balance] = field(default_factory=list)
    lines: list[Line] = field(default_factory=list)
    checks: list[str] = field(default_factory=list)
    interim: bool = False  # of a part of a day


class Reading(Struct, gc=False):
    """What a file holds. `problems` are the rows that were left out, each with its reason."""

    format: str
    statements: list[Statement] = field(default_factory=list)
    problems: list[Problem] = field(default_factory=list)

    def say(self, sentence: str, place: int = 0) -> None:
        if len(self.problems) < MOST_SENTENCES:
            self.problems.append(Problem(sentence, place))


class Assumed(Struct, frozen=True, gc=False):
    """What a person says of a file that the file does not say itself.

    `money_out`: the value of the column for debit and credit that means that money went out. `sums`: whether whole
    sums are of the currency's "minor" or "major" unit. `dates`: "day-first" or "month-first", where both can be read.
    """

    account: str = ""
    currency: str = ""
    money_out: str = ""
    sums: str = ""
    dates: str = ""


Reader = Callable[[bytes, Assumed], Reading]


def bare(account: str) -> str:
    """Returns an account's number without blanks and marks, in capitals."""
    return "".join(character for character in account if character.isalnum()).upper()


def same_account(one: str, other: str) -> bool:
    """Whether two spellings are of one account: an IBAN holds the number that older programs write alone."""
    a, b = bare(one), bare(other)
    if a == b:
        return bool(a)
    for long, short in ((a, b), (b, a)):
        number = short.lstrip("0")
        if IBAN.fullmatch(long) and not IBAN.fullmatch(short) and len(number) >= SHORTEST_ACCOUNT:
            return long.endswith(number) and not long[4 : len(long) - len(number)][9:].strip("0")
    return False


def signed(amount_minor: int, out: bool) -> int:
    return -amount_minor if out else amount_minor


def sums_of(lines: list[Line]) -> dict[str, int]:
    """Returns what the booked lines come to, by currency."""
    sums: dict[str, int] = {}
    for line in lines:
        if line.state is State.BOOKED:
            sums[line.currency] = sums.get(line.currency, 0) + line.amount_minor
    return sums


def check_balances(statement: Statement, everything_read: bool = True) -> None:
    """Adds a sentence for each currency in which opening balance and lines are not the closing balance.

    `everything_read`: no line was left out, so the fault is the file's own.
    """
    sums, closing = sums_of(statement.lines), {balance.currency: balance for balance in statement.closing}
    for opening in statement.opening:
        currency = opening.currency
        if (end := closing.get(currency)) is None:
            statement.checks.append(f"It has an opening balance and no closing balance in {currency}.")
            continue
        made = opening.amount_minor + sums.get(currency, 0)
        if made != end.amount_minor:
            why = "" if everything_read else " Lines were left out of it: see their reasons."
            statement.checks.append(
                f"The balances do not add up: {money_text(opening.amount_minor, currency)} and its lines make "
                f"{money_text(made, currency)}, and it ends with {money_text(end.amount_minor, currency)}.{why}"
            )

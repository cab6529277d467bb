"""One table of a client-bank export: its header says which column is what, and each row is a line of a statement."""

import re
from collections.abc import Callable, Collection, Mapping
from datetime import time

from crm.currencies import currency_named, currency_of
from crm.errors import Malformed
from crm.money import to_minor
from services.statements import columns
from services.statements.lines import Assumed, Line, bare, same_account
from services.statements.texts import moment_in

NOTHING = frozenset(("", "-", "—", "–"))
OUT = re.compile(
    r"д(?:ебет|т|б)?|d(?:ebit|bit|b|t)?|d;r;|видат\w+|списан\w+|вихідн\w+|расход\w*|outgoing|money out|out|-"
)
IN = re.compile(r"к(?:редит|т)?|c(?:redit|rdt|r)?|k|c;r;|надход\w+|зарах\w+|вхідн\w+|приход\w*|incoming|money in|in|\+")
UNCLEAR = (
    "Its column {column!r} says {values}, and banks mean either way by that: say which one means that money went out, "
    "such as --money-out 1."
)
WHOLE_SUMS = (
    "Its column {column!r} has no decimals: say whether its sums are whole ones or those of the smallest unit, such as "
    "kopecks, with --sums major or --sums minor."
)
TWO_DATES = (
    "Its dates such as {date} can be read in two ways: say whether the day or the month is first, with "
    "--dates day-first or --dates month-first."
)
MINUS_DEBITS = (
    "Its column {column!r} has a minus at each sum: say whether that is how it writes money that went out, with "
    "--money-out minus, or each is a reversal, with --money-out debit."
)
ALL_IN = "None of its sums has a minus, and no column says which way money went: all were taken for money that came in."
MINUS = ("-", "−")
SLASHES = re.compile(r"(\d{1,2})/(\d{1,2})/(?=\d)")
NO_WORD = "Its column {column!r} says neither that money came in nor that it went out, but {value!r}."


class Table:
    """The columns of one table, and how its sums and directions are read."""

    def __init__(
        self, fields: Mapping[str, int], header: list[str], account: str, assumed: Assumed, delimiter: str
    ) -> None:
        self.fields, self.header, self.assumed, self.delimiter = dict(fields), header, assumed, delimiter
        self.width = len(header) - next((n for n, name in enumerate(reversed(header)) if name.strip()), 0)
        self.account = account or assumed.account
        self.sums = self.fields.get("amount", self.fields.get("debit", 0))
        self.currency = named_currency(columns.currency_in(header[self.sums]), "") or assumed.currency
        self.out_values: frozenset[str] = frozenset()
        self.minor = self.month_first = self.minus_is_out = False
        self.check = ""  # a sentence on what was taken for granted

    def decide(self, rows: list[list[str]], whole: Collection[str]) -> str:
        """Settles what single rows do not say. Returns a sentence where a person has to say it."""
        return self.decide_sums(rows, whole) or self.decide_dates(rows) or self.decide_direction(rows)

    def decide_sums(self, rows: list[list[str]], whole: Collection[str]) -> str:
        if self.header[self.sums] not in whole or any("." in self.reader(row)("amount") for row in rows):
            return ""
        self.minor = self.assumed.sums == "minor"
        return "" if self.assumed.sums else WHOLE_SUMS.format(column=self.header[self.sums])

    def decide_dates(self, rows: list[list[str]]) -> str:
        """In America the month is first where there are slashes: one day after the 12th shows which."""
        found = [SLASHES.match(self.reader(row)("date")) for row in rows]
        dates = [(int(date[1]), int(date[2])) for date in found if date]
        if self.assumed.dates or not dates:
            self.month_first = self.assumed.dates == "month-first"
            return ""
        day_first, month_first = any(first > 12 for first, _ in dates), any(second > 12 for _, second in dates)
        self.month_first = month_first
        return "" if day_first != month_first else TWO_DATES.format(date="{:02}/{:02}".format(*dates[0]))

    def decide_direction(self, rows: list[list[str]]) -> str:
        if {"debit", "credit"} <= self.fields.keys():
            return self.decide_debits(rows)
        if "from_account" in self.fields and self.account:
            return ""
        minus = any(self.reader(row)("amount").startswith(MINUS) for row in rows)
        if "direction" not in self.fields and not minus:
            self.find_direction(rows)
        if "direction" not in self.fields:
            self.check = "" if minus or not rows else ALL_IN
            return ""
        column = self.header[self.fields["direction"]]
        values = {value for row in rows if (value := self.reader(row)("direction").casefold())}
        if self.assumed.money_out.casefold() in values:
            self.out_values = frozenset((self.assumed.money_out.casefold(),))
        elif all(is_word(value) for value in values):
            self.out_values = frozenset(value for value in values if OUT.fullmatch(value))
        elif values == {"1", "2"}:  # as the National Bank counts: a debit, then a credit
            self.out_values = frozenset("1")
        elif values <= {"0", "1", "2"}:
            return UNCLEAR.format(column=column, values=" and ".join(sorted(values)))
        elif minus:
            del self.fields["direction"]  # it says something else, and the sums have signs
        else:
            other = next(value for value in sorted(values) if not is_word(value))
            return NO_WORD.format(column=column, value=other[:40])
        return ""

    def find_direction(self, rows: list[list[str]]) -> None:
        """A column whose name is not known, and whose every value is a word for debit or credit, is that."""
        for column in range(self.width):
            values = {row[column].strip().casefold() for row in rows if column < len(row)}
            if column not in self.fields.values() and values and all(len(one) > 1 and is_word(one) for one in values):
                self.fields["direction"] = column
                return

    def decide_debits(self, rows: list[list[str]]) -> str:
        """Some banks write a minus at each debit, others at one that reverses a credit."""
        debits = [text for row in rows if (text := self.reader(row)("debit")).strip("0., ")]
        if not debits or not all(text.startswith(MINUS) for text in debits):
            return ""
        self.minus_is_out = self.assumed.money_out.casefold() == "minus"
        known = self.assumed.money_out.casefold() in ("minus", "debit")
        return "" if known else MINUS_DEBITS.format(column=self.header[self.fields["debit"]])

    def line(self, place: int, cells: list[str]) -> Line | None:
        """Returns the line of a row; None where it moved no money. Raises Malformed."""
        cells = self.whole(cells)
        read = self.reader(cells)
        day, at = moment_in(self.day_first(read("date")))
        currency = named_currency(read("currency"), self.currency)
        if not currency:
            raise Malformed("nothing says in which currency it is. Say it with --currency.")
        amount, out = self.amount(read, currency)
        if not amount:
            return None
        account, other = self.sides(read, out)
        if not account:
            raise Malformed("nothing says of which account it is. Say it with --account.")
        reference, part = read("bank_reference"), read("bank_reference_part")
        return Line(
            place=place,
            day=day,
            at=at or time_in(read("time")),
            amount_minor=-amount if out else amount,
            currency=currency,
            account=account,
            document=read("document"),
            bank_reference=f"{reference}/{part}" if reference and part else reference,
            name=" ".join(read(f"{other}_name").split()),
            iban=bare(read(f"{other}_account")),
            tax_id=read(f"{other}_tax_id"),
            purpose=" ".join(read("purpose").split()),
        )

    def whole(self, cells: list[str]) -> list[str]:
        """Returns the cells of a row; some banks quote nothing, so that a purpose at the end is in pieces. Raises
        Malformed."""
        count = len(cells) - next((n for n, cell in enumerate(reversed(cells)) if cell.strip()), len(cells))
        if count > self.width and self.delimiter and self.fields.get("purpose") == self.width - 1:
            return [*cells[: self.width - 1], self.delimiter.join(cells[self.width - 1 : count])]
        if count > self.width or len(cells) <= max(self.fields.values()):
            raise Malformed(f"it has {len(cells)} cells, and the header names {self.width} columns.")
        return cells

    def day_first(self, text: str) -> str:
        return SLASHES.sub(r"\2/\1/", text, count=1) if self.month_first else text

    def reader(self, cells: list[str]) -> Callable[[str], str]:
        def read(field: str) -> str:
            column = self.fields.get(field, -1)
            text = cells[column].strip() if 0 <= column < len(cells) else ""
            return "" if text in NOTHING else text

        return read

    def amount(self, read: Callable[[str], str], currency: str) -> tuple[int, bool]:
        """Returns how much, and whether it went out. Raises Malformed."""
        if {"debit", "credit"} <= self.fields.keys():
            debit, credit = self.sum_of(read("debit") or "0", currency), self.sum_of(read("credit") or "0", currency)
            if debit and credit:
                raise Malformed("it has a debit and a credit.")
            # A reversal is written on the side of what it reverses, with a minus.
            return (abs(debit), debit > 0 or self.minus_is_out) if debit else (abs(credit), credit < 0)
        amount = self.sum_of(read("amount"), currency)
        if amount < 0:
            return -amount, True
        if "from_account" in self.fields and self.account:
            return amount, same_account(read("from_account"), self.account)
        if "direction" in self.fields:
            if not (direction := read("direction").casefold()):
                raise Malformed("it does not say whether money came in or went out.")
            return amount, direction in self.out_values
        return amount, False

    def sum_of(self, text: str, currency: str) -> int:
        """Raises Malformed."""
        if not text:
            raise Malformed("it has no sum.")
        return int(text) if self.minor and text.lstrip("-").isdecimal() else to_minor(text, currency)

    def sides(self, read: Callable[[str], str], out: bool) -> tuple[str, str]:
        """Returns our account, and the name of the other side's columns. Raises Malformed."""
        if "from_account" not in self.fields:
            return read("account") or self.account, "other"
        own, other = ("from", "to") if out else ("to", "from")
        account = read(f"{own}_account")
        if self.account and not same_account(account, self.account):
            raise Malformed(f"neither side of it is {self.account}.")
        return account, other


def is_word(direction: str) -> bool:
    return bool(OUT.fullmatch(direction) or IN.fullmatch(direction))


def named_currency(text: str, otherwise: str) -> str:
    """Raises Malformed for a text that is no currency."""
    if not text:
        return otherwise
    try:
        return currency_of(text)
    except Malformed:
        if code := currency_named(text):
            return code
        raise


def time_in(text: str) -> time | None:
    try:
        return time.fromisoformat(text.zfill(5) if ":" in text else text) if text else None
    except ValueError:
        return None

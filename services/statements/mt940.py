"""SWIFT MT940 and MT942: statements of a day and reports within a day, as banks really write them."""

import re
from collections.abc import Iterator
from datetime import date
from decimal import Decimal

from crm.errors import Malformed
from crm.money import currency_of, money_text, to_minor
from services.statements.details import Details, details_of, non_swift
from services.statements.lines import (
    Assumed,
    Balance,
    Line,
    Reading,
    State,
    Statement,
    bare,
    check_balances,
    signed,
    sums_of,
)
from services.statements.texts import decoded

NAME = "MT940"
TAG = re.compile(r"(?:\{4:)?:(?P<tag>\d\d[A-Z]?|NS):(?P<text>.*)", re.DOTALL)
WRAPPED_TAG = re.compile(r"^:\n(\d\d[A-Z]?:)", re.MULTILINE)
BALANCE = re.compile(r"(?P<mark>[CD])(?P<day>\d{6})(?P<currency>[A-Z]{3})?(?P<amount>\d[\d,]*)")
LINE = re.compile(
    r"(?P<value>\d{6})(?P<entry>\d{4})?\s*(?P<mark>R?[CD]|E[CD])(?P<funds>[A-Z])?\s?(?P<amount>\d*,?\d+,?|\d+,\d*)"
    r"(?P<type>[A-Z][A-Z0-9 ]{3})?(?P<references>[^\n]*)(?:\n(?P<more>.*))?",
    re.DOTALL,
)
SUM = re.compile(r"(?P<count>\d+)(?P<currency>[A-Z]{3})(?P<amount>\d[\d,]*)")
FLOOR = re.compile(r"(?P<currency>[A-Z]{3})[CD]?[\d,]+")
NO_REFERENCE = frozenset(("", "NONREF", "NOREF", "NOTPROVIDED", "N", "X", "EREF", "KREF", "MREF"))
ACCOUNT_CURRENCY = re.compile(r"(?P<account>.*\d)\s*(?P<currency>[A-Z]{3})")
Fields = tuple[int, str, str]  # the line of a tag, the tag, its text


def looks_like(head: bytes) -> bool:
    return re.search(rb"(?m)^(?:\{4:)?:(?:20|25|28C?|60[FM]|61):", head) is not None


def read(body: bytes, assumed: Assumed) -> Reading:
    reading = Reading(NAME)
    text = WRAPPED_TAG.sub(r":\1", decoded(body).replace("\r\n", "\n").replace("\r", "\n"))
    for fields in messages(text):
        read_message(fields, reading, assumed)
    if not reading.statements:
        reading.say("It holds no statement: no field :20:, :25: or :61: was found.")
    return reading


def messages(text: str) -> Iterator[list[Fields]]:
    """Yields the fields of each message. A line that begins no field goes on with the one before."""
    fields: list[Fields] = []
    for number, line in enumerate(text.split("\n"), 1):
        if line.startswith(("-}", "{1:")) or line.strip() == "-":
            yield from [fields] if fields else []
            fields = []
            line = line[line.find("{4:") + 3 :] if "{4:" in line else ""
        if tag := TAG.fullmatch(line):
            if tag["tag"] == "20" and fields:
                yield fields
                fields = []
            fields.append((number, tag["tag"], tag["text"]))
        elif fields and line.strip():
            place, name, before = fields[-1]
            fields[-1] = place, name, f"{before}\n{line}"
    if fields:
        yield fields


def read_message(fields: list[Fields], reading: Reading, assumed: Assumed) -> None:
    named = {tag: text for _, tag, text in reversed(fields)}
    statement = Statement(name=named.get("28C", named.get("28", "")).strip(), account=assumed.account)
    statement.currency = assumed.currency
    if "25" in named:
        account = named["25"].strip()
        with_currency = ACCOUNT_CURRENCY.fullmatch(account)
        statement.account = with_currency["account"].strip() if with_currency else account
    statement.interim = "60F" not in named and "60M" not in named and ("34F" in named or "13D" in named)
    faults = len(reading.problems)
    for place, tag, text in fields:
        try:
            if tag in ("60F", "60M", "62F", "62M"):
                balance = balance_of(text, statement.currency)
                statement.currency = balance.currency
                (statement.opening if tag[:2] == "60" else statement.closing).append(balance)
            elif tag == "34F" and (floor := FLOOR.match(text)):
                statement.currency = currency_of(floor["currency"])
        except Malformed as error:
            statement.currency = ""
            reading.say(f"A balance of account {statement.account} cannot be read: {error}", place)
    read_lines(fields, statement, reading)
    if statement.lines or statement.opening or "25" in named:
        reading.statements.append(statement)
        check_balances(statement, faults == len(reading.problems))
        check_sums(named, statement)


def balance_of(text: str, currency: str) -> Balance:
    """Some banks leave the currency out of all balances but the first. Raises Malformed."""
    found = BALANCE.match(text.strip())
    if not found:
        raise Malformed(f"{text[:40]!r} is no balance.")
    code = found["currency"] or currency
    return Balance(signed(exact(found["amount"], code), found["mark"] == "D"), currency_of(code))


def exact(amount: str, currency: str) -> int:
    """Reads a sum of SWIFT: a comma before the decimals, no other marks. Raises Malformed."""
    whole, _, decimals = amount.partition(",")
    return to_minor(Decimal(f"{whole or 0}.{decimals or 0}"), currency)


def read_lines(fields: list[Fields], statement: Statement, reading: Reading) -> None:
    left_out = 0
    for index, (place, tag, text) in enumerate(fields):
        if tag != "61":
            continue
        try:
            line = line_of(place, text, details_after(fields, index), statement)
        except Malformed as error:
            reading.say(f"It cannot be read: {error}", place)
            continue
        if line.amount_minor:
            statement.lines.append(line)
        else:
            left_out += 1
    if left_out:
        statement.checks.append(f"Lines of nothing, which move no money, were left out: {left_out}.")


def details_after(fields: list[Fields], index: int) -> Details:
    """What the fields after a line say of it, up to the next line or balance."""
    said, other = list[str](), list[str]()
    index += 1
    while index < len(fields) and (tag := fields[index][1]) in ("86", "NS"):
        (said if tag == "86" else other).append(fields[index][2])
        index += 1
    return details_of("\n".join(said)) if said else non_swift("\n".join(other)) if other else Details()


def line_of(place: int, text: str, details: Details, statement: Statement) -> Line:
    """Raises Malformed."""
    found = LINE.fullmatch(text.strip())
    if not found:
        raise Malformed(f"{text[:60]!r} is no line of a statement.")
    if not statement.currency:
        raise Malformed("its currency is not known. Say it with --currency, where no balance names one.")
    if not statement.account:
        raise Malformed("nothing says of which account it is. Say it with --account.")
    mark, currency = found["mark"], currency_of(statement.currency)
    amount = exact(found["amount"], currency)
    customer, _, bank = found["references"].partition("//")
    bank = bank.strip()
    return Line(
        place=place,
        day=booked(found["value"], found["entry"] or ""),
        amount_minor=signed(amount, mark in ("D", "RC", "ED")),
        currency=currency,
        account=statement.account,
        state=State.PENDING if mark[0] == "E" else State.BOOKED,
        reversal=mark[0] == "R",
        bank_reference="" if bank.upper() in NO_REFERENCE else bank,
        document="" if customer.strip().upper() in NO_REFERENCE else customer.strip(),
        end_to_end=details.end_to_end,
        reference=details.reference,
        name=details.name,
        iban=bare(details.account),
        tax_id=details.tax_id,
        purpose=details.purpose or " ".join((found["more"] or "").split()),
    )


def booked(value: str, entry: str) -> date:
    """Returns the day of booking, which has no year: the nearest to the value date. Raises Malformed.

    Some banks give February 30 as a value date, as interest counts 30 days a month.
    """
    year, month, day = 2000 + int(value[:2]), int(value[2:4]), int(value[4:])
    if not entry:
        return day_of(year, month, day)
    entry_month, entry_day = int(entry[:2]), int(entry[2:])
    if abs(entry_month - month) > 6:
        year += 1 if entry_month < month else -1
    return day_of(year, entry_month, entry_day)


def day_of(year: int, month: int, day: int) -> date:
    try:
        return date(year, month, day)
    except ValueError:
        raise Malformed(f"there is no day {day:02}.{month:02}.{year}.") from None


def check_sums(named: dict[str, str], statement: Statement) -> None:
    """MT942 has no balances, and says how many lines there are each way and what they come to."""
    for tag, out in (("90D", True), ("90C", False)):
        if not (said := SUM.match(named.get(tag, ""))):
            continue
        lines = [line for line in statement.lines if (line.amount_minor < 0) is out]
        made = abs(sums_of(lines).get(said["currency"], 0))
        try:
            total = exact(said["amount"], said["currency"])
        except Malformed:
            continue
        if (int(said["count"]), total) != (len(lines), made):
            way = "went out" if out else "came in"
            statement.checks.append(
                f"The sums do not add up: {len(lines)} lines of {money_text(made, said['currency'])} {way}, and it "
                f"says {said['count']} of {money_text(total, said['currency'])}."
            )

"""ISO 20022 camt.052, 053 and 054 of every version, entry by entry: a file that is cut gives what came before.

XML is read without document types and entities. Elements are found by their local names, as each version has its own
namespace.
"""

from collections.abc import Iterator
from datetime import date, datetime, time
from decimal import Decimal, InvalidOperation
from io import BytesIO
from typing import Any
from xml.etree.ElementTree import Element, ParseError

from defusedxml.common import DefusedXmlException
from defusedxml.ElementTree import iterparse

from crm.errors import Malformed
from crm.money import currency_of, money_text, to_minor
from services.statements.camt_parties import details_in
from services.statements.lines import Assumed, Balance, Line, Reading, State, Statement, check_balances, signed
from services.statements.texts import moment_in
from services.statements.xml_paths import local, path_text, paths

NAME = "camt"
STATEMENTS = {"Stmt": False, "Rpt": True, "Ntfctn": True}  # whether it is of a part of a day
OPENING, CLOSING = ("OPBD", "PRCD"), ("CLBD",)
BOOKED, PENDING = ("BOOK", ""), ("PDNG",)
NO_DOCTYPE = "It declares a document type, which no statement needs and which can be an attack. Nothing of it was read."
CUT = "It breaks off or is damaged in line {line}: {count} payments before that were read. Ask the bank for all of it."
Entry = tuple[Decimal, str, bool]  # a sum, its currency, whether it went out


def looks_like(head: bytes) -> bool:
    return head.lstrip(b"\xef\xbb\xbf\xff\xfe\0 \t\r\n").startswith(b"<")


def read(body: bytes, assumed: Assumed) -> Reading:
    reading = Reading(NAME)
    try:
        read_elements(body, reading, assumed)
    except ParseError as error:
        count = sum(len(statement.lines) for statement in reading.statements)
        reading.say(CUT.format(line=error.position[0], count=count))
    except DefusedXmlException:
        reading.statements.clear()
        reading.say(NO_DOCTYPE)
    for statement in reading.statements:
        check_balances(statement, not reading.problems)
    if not reading.statements and not reading.problems:
        reading.say(
            "It holds no statement: neither Stmt, Rpt nor Ntfctn was found. Only camt.052, 053 and 054 are read."
        )
    return reading


def read_elements(body: bytes, reading: Reading, assumed: Assumed) -> None:
    """Raises ParseError, and DefusedXmlException for what could be an attack."""
    path: list[str] = []
    entries = 0
    events: Iterator[tuple[str, Element]] = iterparse(BytesIO(body), ("start", "end"), forbid_dtd=True)
    for event, element in events:
        name = local(element)
        if event == "start":
            path.append(name)
            if name in STATEMENTS and len(path) == 3:
                made = Statement(account=assumed.account, currency=assumed.currency, interim=STATEMENTS[name])
                reading.statements.append(made)
            continue
        path.pop()
        if not path or path[-1] not in STATEMENTS or len(path) != 3:
            continue
        statement = reading.statements[-1]
        if name == "Ntry":
            entries += 1
            read_entry(element, entries, statement, reading)
            element.clear()
        else:
            read_header(element, name, statement, reading)


def read_header(element: Element, name: str, statement: Statement, reading: Reading) -> None:
    match name:
        case "Id":
            statement.name = (element.text or "").strip()
        case "Acct":
            statement.account = account_in(element) or statement.account
            statement.currency = path_text(element, "Ccy") or statement.currency
        case "Bal":
            kind = path_text(element, "Tp/CdOrPrtry/Cd")
            if kind not in OPENING and kind not in CLOSING:
                return
            try:
                balance = balance_in(element)
            except Malformed as error:
                reading.say(f"A balance of account {statement.account} cannot be read: {error}")
                return
            (statement.opening if kind in OPENING else statement.closing).append(balance)


def account_in(account: Element) -> str:
    return path_text(account, "Id/IBAN") or path_text(account, "Id/Othr/Id") or path_text(account, "Id/PrtryAcct/Id")


def balance_in(element: Element) -> Balance:
    amount, currency, out = sum_in(element)
    return Balance(signed(to_minor(amount, currency), out), currency)


def sum_in(element: Element) -> Entry:
    """Returns the sum of an element that has Amt and CdtDbtInd. Raises Malformed."""
    amount = next(paths(element, "Amt"), None)
    if amount is None:
        raise Malformed("it has no amount.")
    direction = path_text(element, "CdtDbtInd")
    if direction not in ("CRDT", "DBIT"):
        raise Malformed(f"whether it came in or went out is not said: {direction[:10]!r}.")
    return decimal_of(amount.text), currency_of(amount.get("Ccy", "")), direction == "DBIT"


def decimal_of(text: str | None) -> Decimal:
    try:
        return Decimal((text or "").strip())
    except InvalidOperation:
        raise Malformed(f"{(text or '')[:40]!r} is no sum.") from None


def read_entry(entry: Element, place: int, statement: Statement, reading: Reading) -> None:
    status = path_text(entry, "Sts/Cd") or path_text(entry, "Sts") or path_text(entry, "Sts/Prtry")
    if status not in BOOKED and status not in PENDING:
        statement.checks.append(f"Entry {place} was left out: its status is {status[:10]}, so it moved no money.")
        return
    try:
        lines = lines_of(entry, place, statement, State.BOOKED if status in BOOKED else State.PENDING)
    except Malformed as error:
        reading.say(f"It cannot be read: {error}", place)
        return
    statement.lines += [line for line in lines if line.amount_minor]


def lines_of(entry: Element, place: int, statement: Statement, state: State) -> list[Line]:
    """Returns an entry as one line, or a batch as one line for each of its parts. Raises Malformed."""
    if not statement.account:
        raise Malformed("nothing says of which account it is. Say it with --account.")
    amount, currency, out = sum_in(entry)
    day, at = moment_of(entry)
    whole = signed(to_minor(amount, currency), out)
    common: dict[str, Any] = {"place": place, "day": day, "at": at, "currency": currency, "account": statement.account}
    common |= {"state": state, "reversal": path_text(entry, "RvslInd") in ("true", "1")}
    reference = path_text(entry, "AcctSvcrRef")
    parts = list(paths(entry, "NtryDtls/TxDtls"))
    if len(parts) > 1 and (sums := sums_of_parts(parts, currency, out, whole)):
        return [
            Line(amount_minor=made, **common, **details_in(part, entry, made < 0, joined(reference, part), statement))
            for part, made in zip(parts, sums, strict=True)
        ]
    if len(parts) > 1:
        sum_text = money_text(whole, currency)
        statement.checks.append(
            f"Entry {place} is a batch of {len(parts)} whose parts do not come to {sum_text}: it is one payment."
        )
    elif not parts and (count := path_text(entry, "NtryDtls/Btch/NbOfTxs")) not in ("", "1"):
        statement.checks.append(
            f"Entry {place} is a batch of {count[:10]} without its parts: it is one payment of "
            f"{money_text(whole, currency)}."
        )
    one = parts[0] if len(parts) == 1 else None
    return [Line(amount_minor=whole, **common, **details_in(one, entry, whole < 0, reference, statement))]


def joined(reference: str, part: Element) -> str:
    """The bank's reference of a part of a batch: some banks give all parts the same one, and others each its own."""
    own = path_text(part, "Refs/AcctSvcrRef") or path_text(part, "Refs/TxId") or path_text(part, "Refs/InstrId")
    return f"{reference}/{own}" if reference and own else own or reference


def sums_of_parts(parts: list[Element], currency: str, out: bool, whole: int) -> list[int]:
    """Returns what each part of a batch comes to; nothing unless all are in its currency and make the whole."""
    sums = []
    for part in parts:
        found = next((one for one in (*paths(part, "Amt"), *paths(part, "AmtDtls/TxAmt/Amt"))), None)
        if found is None or found.get("Ccy") != currency:
            return []
        direction = path_text(part, "CdtDbtInd")
        try:
            made = to_minor(decimal_of(found.text), currency)
        except Malformed:
            return []
        sums.append(signed(made, direction == "DBIT" if direction else out))
    return sums if sum(sums) == whole and all(sums) else []


def moment_of(entry: Element) -> tuple[date, time | datetime | None]:
    """The day of booking, else that of its value. Raises Malformed."""
    for field in ("BookgDt", "ValDt"):
        if text := path_text(entry, f"{field}/Dt"):
            return moment_in(text)[0], None
        if text := path_text(entry, f"{field}/DtTm"):
            try:
                moment = datetime.fromisoformat(text)
            except ValueError:
                raise Malformed(f"{text[:40]!r} is no moment.") from None
            return moment.date(), moment if moment.tzinfo else moment.time()
    raise Malformed("it has no day.")

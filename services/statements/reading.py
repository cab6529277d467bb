"""Reads a file as statements: its bytes say which format it has, whatever its name."""

from collections.abc import Iterable

from msgspec.structs import replace

from services.connectors.formats.charset import from_wide_charset
from services.statements import camt, dbf, exchange, exports, mt940
from services.statements.lines import IBAN, Assumed, Problem, Reading, Statement, bare, same_account
from services.tables.workbooks import OLE, ZIP

HEAD = 65_536  # bytes that say which format it is
LARGEST = 256 * 1024 * 1024  # bytes of a file
TOO_LARGE = f"It is larger than {LARGEST >> 20} MB. Ask the bank for a shorter time."
FORMATS = "MT940, MT942, camt.052, camt.053, camt.054, 1CClientBankExchange, DBF, xls, xlsx, ods and CSV"
PDF = b"%PDF"


def read(body: bytes, assumed: Assumed) -> Reading:
    """Returns what a file holds; never raises for what is in it."""
    head = body[:HEAD]
    if len(body) > LARGEST:
        return refused(TOO_LARGE)
    if not body.strip():
        return refused("It is empty.")
    if head.startswith(PDF):
        return refused(f"It is a PDF, which is for people. Ask the bank for one of {FORMATS}.")
    if exchange.looks_like(head):
        return exchange.read(body, assumed)
    if head.startswith((OLE, ZIP)):
        return exports.read_workbook(body, assumed)
    if camt.looks_like(head):
        return camt.read(body, assumed)
    if mt940.looks_like(from_wide_charset(head)):
        return mt940.read(body, assumed)
    if dbf.looks_like(head):
        return exports.read_dbf(body, assumed)
    return exports.read_text(body, assumed)


def refused(sentence: str) -> Reading:
    return Reading("unknown", problems=[Problem(sentence)])


def of_account(reading: Reading, account: str) -> Reading:
    """Leaves out the statements of other accounts, each with a sentence. Of two spellings of one, the IBAN counts."""
    if not account:
        return reading
    kept = []
    for one in reading.statements:
        if same_account(one.account, account):
            whole = one.account if IBAN.fullmatch(bare(one.account)) else account
            lines = [replace(line, account=whole) for line in one.lines]
            kept.append(replace(one, account=whole, lines=lines))
        else:
            reading.say(f"It has a statement of another account, {one.account}, of {len(one.lines)} lines: left out.")
    return Reading(reading.format, kept, reading.problems)


def check_chain(statements: Iterable[Statement]) -> None:
    """Adds a sentence where a statement does not begin with what the one before it ended with."""
    last: dict[tuple[str, str], int] = {}
    for statement in statements:
        for opening in statement.opening:
            key = statement.account, opening.currency
            if key in last and last[key] != opening.amount_minor:
                statement.checks.append("It does not begin with what the one before it ended with: one is missing.")
        for closing in statement.closing:
            last[statement.account, closing.currency] = closing.amount_minor

"""Exports of client-bank programs, whichever bank wrote them: text with a delimiter, workbooks and dBase."""

import re
import tempfile
from collections.abc import Collection, Iterable
from io import BytesIO
from itertools import islice
from pathlib import Path

from crm.errors import Malformed
from crm.money import to_minor
from services.connectors.formats.charset import from_wide_charset
from services.statements import columns, dbf
from services.statements.lines import IBAN, Assumed, Balance, Problem, Reading, Statement, bare, check_balances
from services.statements.table import Table
from services.tables.archives import format_of
from services.tables.charsets import charset_of, lines_of
from services.tables.delimited import SAMPLE, delimiter_of, rows_of
from services.tables.unreadable import Unreadable
from services.tables.workbooks import ZIP, Sheet, unpack

LARGEST, UNPACKED = 64 * 1024 * 1024, 256 * 1024 * 1024  # bytes of a workbook
BALANCES = (
    (
        "opening",
        re.compile(r"(?:вхідн\w+ (?:залишок|сальдо)|залишок на початок|входящ\w+ (?:остаток|сальдо)|opening balance)"),
    ),
    (
        "closing",
        re.compile(r"(?:вихідн\w+ (?:залишок|сальдо)|залишок на кінець|исходящ\w+ (?:остаток|сальдо)|closing balance)"),
    ),
)
ABOUT_ACCOUNT = re.compile(r"(?:рахунок|счет|account|iban)\b", re.IGNORECASE)
NO_HEADER = "No row of it names its columns: a date and a sum at least. Columns that are known: {known}."
UA_IBAN = re.compile(r"UA\d{27}")
Rows = Iterable[tuple[int, list[str]]]


def read_text(body: bytes, assumed: Assumed) -> Reading:
    file = BytesIO(from_wide_charset(body))
    charset = charset_of(file)
    delimiter, width = delimiter_of([text for text, _ in islice(lines_of(file, charset), SAMPLE)])
    found = rows_of(lines_of(file, charset), delimiter, width)
    rows = ((row.number, row.cells) for row in found if any(map(str.strip, row.cells)))
    return read_rows("CSV", rows, assumed, delimiter=delimiter)


def read_workbook(body: bytes, assumed: Assumed) -> Reading:
    """A workbook may have a sheet for each account or currency."""
    reading = Reading("Excel")
    if len(body) > LARGEST:
        reading.say(f"A workbook of more than {LARGEST >> 20} MB is no statement.")
        return reading
    with tempfile.TemporaryDirectory(prefix="statement-") as folder:
        path = Path(folder) / "workbook"
        path.write_bytes(body)
        try:
            if body.startswith(ZIP) and not format_of(path, UNPACKED):
                raise Unreadable("It is an archive and no workbook.")
            for sheet in unpack(path, Path(folder), every=True).sheets:
                found = read_sheet(sheet, assumed)
                reading.statements += found.statements
                reading.problems += found.problems
        except Unreadable as error:
            reading.say(str(error))
    if reading.statements:  # a sheet without a table is no fault where another has one
        reading.problems = [problem for problem in reading.problems if not problem.sentence.startswith(NO_HEADER[:20])]
    return reading


def read_sheet(sheet: Sheet, assumed: Assumed) -> Reading:
    wrong: list[Problem] = []

    def rows() -> Rows:
        for number, why, cells, _ in sheet.rows():
            if why:
                wrong.append(Problem(f"It cannot be read: {why}", number))
            elif any(cells):
                yield number, cells

    reading = read_rows("Excel", rows(), assumed)
    reading.problems += wrong
    return reading


def read_dbf(body: bytes, assumed: Assumed) -> Reading:
    cut: list[str] = []

    def rows() -> Rows:
        try:
            yield from dbf.rows_in(body)
        except Malformed as error:
            cut.append(str(error))

    reading = read_rows("DBF", rows(), assumed, dbf.whole_numbers(body))
    for sentence in cut:
        reading.say(sentence)
    return reading


def read_rows(format: str, rows: Rows, assumed: Assumed, whole: Collection[str] = (), delimiter: str = "") -> Reading:
    """`whole`: the names of columns that can hold no decimals."""
    reading, above = Reading(format), list[list[str]]()
    found = iter(rows)
    for _, cells in found:
        fields = columns.fields_of(cells)
        if columns.is_header(fields):
            break
        above.append(cells)
    else:
        reading.say(NO_HEADER.format(known=", ".join(names.split("|")[0] for names in columns.NAMES.values())))
        return reading
    body = [(place, row) for place, row in found if columns.fields_of(row) != fields]  # it may be on each page
    table = Table(fields, cells, account_above(above), assumed, delimiter)
    if unclear := table.decide([row for _, row in body], whole):
        reading.say(unclear)
        return reading
    reading.statements = statements_of(table, body, reading, above)
    balances(above, reading)
    if table.check and reading.statements and not proven(reading.statements[0]):
        reading.statements[0].checks.append(table.check)
    return reading


def proven(statement: Statement) -> bool:
    """Whether its balances show that all its sums were read with the right sign."""
    return bool(statement.opening and statement.closing and not statement.checks)


def statements_of(table: Table, body: Rows, reading: Reading, above: list[list[str]]) -> list[Statement]:
    made: dict[tuple[str, str], Statement] = {}
    for place, cells in body:
        try:
            if line := table.line(place, cells):
                key = bare(line.account), line.currency
                made.setdefault(key, Statement(account=line.account, currency=line.currency)).lines.append(line)
        except Malformed as error:
            if not is_total(cells, above):
                reading.say(f"It cannot be read: {error}", place)
    return list(made.values())


def account_above(rows: list[list[str]]) -> str:
    """An IBAN that stands above the table, or the number after the word for an account."""
    for cells in rows:
        text = " ".join(cells)
        if iban := UA_IBAN.search(text.replace(" ", "")) or IBAN.search(text):
            return iban[0]
        if (word := ABOUT_ACCOUNT.search(text)) and (number := re.search(r"\d{5,}", text[word.end() :])):
            return number[0]
    return ""


def is_total(cells: list[str], above: list[list[str]]) -> bool:
    """Whether a row is one of totals or balances below the table."""
    text = " ".join(cells).casefold()
    if any(pattern.search(text) for _, pattern in BALANCES):
        above.append(cells)
        return True
    return any(word in text for word in ("всього", "разом", "підсумок", "итого", "обороти", "обороты", "total"))


def balances(rows: list[list[str]], reading: Reading) -> None:
    """Balances above or below the table, where it is of one account; its sums are checked with them."""
    if len(reading.statements) != 1:
        return
    statement = reading.statements[0]
    for cells in rows:
        text = " ".join(cells)
        for kind, pattern in BALANCES:
            if not (found := pattern.search(text.casefold())):
                continue
            sums = re.findall(r"-?\d[\d\s'’\u00a0]*[.,]\d\d\b", text[found.end() :])
            if sums:
                try:
                    amount = to_minor(sums[0], statement.currency)
                except Malformed:
                    continue
                getattr(statement, kind).append(Balance(amount, statement.currency))
    if statement.opening and statement.closing:
        check_balances(statement, not reading.problems)

"""Statements as sheets: Excel (xls, xlsx), OpenDocument, and text with a delimiter. All become rows of text."""

import csv
import re
import zlib
from collections.abc import Iterator
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from io import BytesIO
from zipfile import BadZipFile, ZipFile

from python_calamine import CalamineError, CalamineWorkbook

from crm.errors import Malformed
from services.statements.texts import decoded

EXCEL = (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", b"PK\x03\x04")
DELIMITERS = ";\t,|"
LARGEST = 64 * 1024 * 1024  # bytes of a workbook
UNPACKED, CELLS = 256 * 1024 * 1024, 20_000_000  # bytes; of one sheet
CELL = re.compile(rb'<c [^>]{0,80}?r="([A-Z]{1,3})(\d{1,7})"')
ZIP = b"PK\x03\x04"
PRECISE = 15  # digits that Excel keeps and shows
HEADERS = 30  # lines in which the delimiter is looked for
LONGEST_ROW = 20  # lines of one row whose cells hold line ends
Rows = list[tuple[int, list[str]]]


def is_workbook(head: bytes) -> bool:
    return head.startswith(EXCEL)


def workbook_rows(body: bytes) -> list[Rows]:
    """Returns the rows of each sheet that has any, as Excel shows them. Raises Malformed."""
    if len(body) > LARGEST:
        raise Malformed(f"A workbook of more than {LARGEST >> 20} MB is no statement.")
    if body.startswith(ZIP):
        expect_modest(body)
    try:
        book = CalamineWorkbook.from_filelike(BytesIO(body))
        sheets = [book.get_sheet_by_name(name).to_python(skip_empty_area=False) for name in book.sheet_names]
    except (CalamineError, ValueError, OSError) as error:
        raise Malformed(f"It cannot be read as a workbook: {error}. Save it without a password.") from None
    made = [[(number, [shown(cell) for cell in row]) for number, row in enumerate(sheet, 1)] for sheet in sheets]
    return [rows for rows in made if any(any(cells) for _, cells in rows)]


def expect_modest(body: bytes) -> None:
    """Raises Malformed for a workbook that would fill the memory: a zip bomb, or one cell far away from the others."""
    try:
        with ZipFile(BytesIO(body)) as archive:
            files = archive.infolist()
            if sum(file.file_size for file in files) > UNPACKED:
                raise Malformed(f"It unpacks to more than {UNPACKED >> 20} MB, which no statement does.")
            for file in files:
                expect_dense(archive.read(file))
    except (BadZipFile, OSError, RuntimeError, NotImplementedError, ValueError, zlib.error) as error:
        raise Malformed(f"It cannot be read as a workbook: {error}.") from None


def expect_dense(part: bytes) -> None:
    """Raises Malformed. A sheet takes memory for each cell up to its last row and column."""
    columns, rows = 1, 1
    for found in CELL.finditer(part):
        columns, rows = max(columns, column_of(found[1])), max(rows, int(found[2]))
    if columns * rows > CELLS:
        raise Malformed(f"Its cells reach to column {columns:,} and row {rows:,}, which no statement does.")


def column_of(letters: bytes) -> int:
    number = 0
    for letter in letters:
        number = number * 26 + letter - 64
    return number


def shown(cell: object) -> str:
    """Returns a cell as text. Excel keeps 15 digits: what is behind them comes of counting in binary."""
    match cell:
        case bool():
            return str(cell)
        case float():
            return format(Decimal(format(cell, f".{PRECISE}g")), "f") if cell == cell and abs(cell) < 1e18 else ""
        case datetime():
            return cell.isoformat(" ", "seconds") if cell.time() != time(0) else cell.date().isoformat()
        case date() | time():
            return cell.isoformat()
        case timedelta():
            return str(cell)
    return str(cell).strip()


def text_rows(body: bytes) -> tuple[Rows, str]:
    """Returns the rows of a text and its delimiter. Quotes that are part of a text, as in names, stay in it."""
    lines = decoded(body).replace("\r\n", "\n").replace("\r", "\n").split("\n")
    delimiter = max(DELIMITERS, key=lambda mark: max((line.count(mark) for line in lines[:HEADERS]), default=0))
    width = max((line.count(delimiter) + 1 for line in lines[:HEADERS]), default=1)
    return list(quoted(lines, delimiter, width)), delimiter


def quoted(lines: list[str], delimiter: str, width: int) -> Iterator[tuple[int, list[str]]]:
    """A row whose quotes cannot be read strictly is split at each delimiter."""
    number = 0
    while number < len(lines):
        row, used = one_row(lines, number, delimiter, width)
        if any(cell.strip() for cell in row):
            yield number + 1, row
        number += used


def one_row(lines: list[str], at: int, delimiter: str, width: int) -> tuple[list[str], int]:
    """Returns the cells of a row and how many lines it takes. It takes several only where that gives all cells."""
    for last in (at + 1, at + LONGEST_ROW) if '"' in lines[at] else ():
        reader = csv.reader((f"{line}\n" for line in lines[at:last]), delimiter=delimiter, strict=True)
        try:
            row = next(reader)
        except csv.Error:
            continue
        if last == at + 1 or len(row) == width:
            return [cell.rstrip("\n") for cell in row], reader.line_num
    return [plain(cell) for cell in lines[at].split(delimiter)], 1


def plain(cell: str) -> str:
    stripped = cell.strip()
    whole = len(stripped) > 1 and stripped[0] == stripped[-1] == '"' and stripped.count('"') == 2
    return stripped[1:-1] if whole else cell

"""Reads XLSX, XLS and ODS: a sheet becomes a CSV file, in a process of its own with bounds of memory and time.

A workbook says how large it is only once it is unpacked. What goes past the bounds ends that process and not the role.
"""

import csv
import resource
import subprocess
import sys
from collections.abc import Iterator
from datetime import date, datetime, time, timedelta
from pathlib import Path
from typing import Any, NamedTuple

import msgspec
from python_calamine import CalamineError, CalamineWorkbook, PasswordError, SheetTypeEnum, SheetVisibleEnum

from services.imports.table import HEAD, NoTable, Row, Table, fitted, header_of

MEMORY = 3_000_000_000  # bytes of address space; a sheet of 1,048,576 rows with 12 columns takes 1.5 GB of it
SECONDS = 300  # of computing
PRECISE = 10**15  # a number of a workbook has 15 digits
PROTECTED = b"E\0n\0c\0r\0y\0p\0t\0e\0d\0P\0a\0c\0k\0a\0g\0e\0"
LOCKED = "It is protected by a password. Nothing was imported. Save it without one and send it again."
TOO_LARGE = (
    "It takes more memory or time to unpack than a sheet of 1,048,576 rows does. Nothing was imported. "
    "Save the sheet as CSV, without columns that are not needed, and send that."
)
ROUNDED = "holds a number of more than 15 digits, of which a workbook keeps 15: format the column as text before typing"


class Sheet(NamedTuple):
    """What the other process said of a workbook."""

    sheet: str
    sheets: list[str]
    rows: int
    notes: list[str]


def read_workbook(path: Path, folder: Path, format: str, sheet: str = "") -> Table:
    """`folder`: where the rows are kept while they are read. Raises NoTable."""
    with path.open("rb") as file:
        if PROTECTED in file.read(4_000_000):
            raise NoTable(LOCKED)
    rows = folder / f"{path.name}.rows.csv"
    command = [sys.executable, "-m", "services.imports.workbooks", str(path), str(rows), sheet]
    done = subprocess.run(command, capture_output=True, check=False)
    try:
        said: Any = msgspec.json.decode(done.stdout)
    except msgspec.DecodeError:
        said = TOO_LARGE if done.returncode else "It cannot be read."
    if isinstance(said, str):
        raise NoTable(said)
    return table_of(rows, format, Sheet(*said))


def bounded() -> None:
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY))
    resource.setrlimit(resource.RLIMIT_CPU, (SECONDS, SECONDS))


def table_of(path: Path, format: str, sheet: Sheet) -> Table:
    with path.open(encoding="utf-8", newline="") as file:
        first = [row[2:] for row, _ in zip(csv.reader(file), range(HEAD), strict=False)]
    place, header = header_of(first)

    def rows() -> Iterator[Row]:
        with path.open(encoding="utf-8", newline="") as file:
            for index, (number, wrong, *cells) in enumerate(csv.reader(file)):
                if index <= place or (row := fitted(int(number), cells, header, int(number))) is None:
                    continue
                yield row._replace(wrong=row.wrong or wrong)

    found = {"sheet": sheet.sheet}
    return Table(format, header, rows, sheet.rows, found, tuple(sheet.notes))


def convert(path: Path, out: Path, wanted: str) -> Sheet:
    """Writes the rows of a sheet: number, what is wrong with it, cells. Raises NoTable."""
    try:
        book = CalamineWorkbook.from_path(str(path))
    except PasswordError:
        raise NoTable(LOCKED) from None
    except (CalamineError, OSError, ValueError) as error:
        raise NoTable(f"It cannot be read as a workbook: {error}. Nothing was imported.") from None
    tables = [one for one in book.sheets_metadata if one.typ == SheetTypeEnum.WorkSheet]
    shown = [one.name for one in tables if one.visible == SheetVisibleEnum.Visible]
    if wanted and wanted not in [one.name for one in tables]:
        raise NoTable(f"It has no sheet {wanted!r}; there are {', '.join(shown)}.")
    names = [wanted] if wanted else shown or [one.name for one in tables]
    for name in names:
        if count := written(book, name, out):
            others = [other for other in shown if other != name]
            notes = [f"Only the sheet {name!r} is read; there are also {', '.join(others)}."] if others else []
            return Sheet(name, shown, count, notes)
    raise NoTable("It has no sheet with rows. Nothing was imported.")


def written(book: CalamineWorkbook, name: str, out: Path) -> int:
    """Returns how many rows there are."""
    sheet = book.get_sheet_by_name(name)
    down = {  # cells that are merged over rows, by where they begin: the value is that of each row
        (row, first[1]): first
        for first, last in (sheet.merged_cell_ranges or [])
        if last[1] == first[1]
        for row in range(first[0] + 1, min(last[0], first[0] + 10_000) + 1)
    }
    above: dict[tuple[int, int], str] = {}
    begins, left = {*down.values()}, sheet.start[1] if sheet.start else 0
    count = 0
    with out.open("w", encoding="utf-8", newline="") as file:
        rows = csv.writer(file)
        for index, cells in enumerate(sheet.iter_rows()):  # from the top, and from the first column that is used
            texts = [text_of(cell) for cell in cells]
            for column, place in enumerate((index, left + n) for n in range(len(texts))) if begins else ():
                if place in begins:
                    above[place] = texts[column]
                elif place in down and not texts[column]:
                    texts[column] = above.get(down[place], "")
            count = index + 1
            rows.writerow([count, wrong_in(cells), *texts])
    return count


def text_of(cell: Any) -> str:
    """Returns what a cell says, exactly: 15 digits, a day or a moment in ISO 8601."""
    match cell:
        case bool():
            return "true" if cell else "false"
        case float():
            return f"{cell:.0f}" if cell.is_integer() else format(cell, ".15g")
        case datetime():
            return cell.isoformat(" ")
        case date() | time():
            return cell.isoformat()
        case timedelta():
            return str(cell)
    return str(cell)


def wrong_in(cells: list[Any]) -> str:
    for place, cell in enumerate(cells, 1):
        if isinstance(cell, (int, float)) and abs(cell) >= PRECISE:
            return f"Cell {place} {ROUNDED}."
    return ""


def main(path: str, out: str, sheet: str = "") -> None:
    """Prints the outcome as JSON: a list, or a sentence on why not."""
    bounded()
    try:
        said: Any = list(convert(Path(path), Path(out), sheet))
    except NoTable as error:
        said = str(error)
    except MemoryError:
        said = TOO_LARGE
    sys.stdout.buffer.write(msgspec.json.encode(said))


if __name__ == "__main__":
    main(*sys.argv[1:])

"""Reads XLSX, XLS and ODS: sheets become CSV files, in a process of its own with bounds of memory and time.

A workbook says how large it is only once it is unpacked. What goes past the bounds ends that process alone.
"""

import csv
import resource
import subprocess
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, NamedTuple

import msgspec
from python_calamine import CalamineError, CalamineWorkbook, PasswordError, SheetTypeEnum, SheetVisibleEnum

from crm.output import write_out
from services.tables.archives import LOCKED
from services.tables.cells import text_of, wrong_in
from services.tables.formulas import without_values
from services.tables.unreadable import Unreadable

OLE = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"
ZIP = b"PK\x03\x04"
MEMORY = 3_000_000_000  # bytes of address space; a sheet of 1,048,576 rows with 12 columns takes 1.5 GB of it
SECONDS = 300  # of computing
LOWEST = 10_000  # rows over which one cell is merged
PROTECTED = b"E\0n\0c\0r\0y\0p\0t\0e\0d\0P\0a\0c\0k\0a\0g\0e\0"
TOO_LARGE = (
    "It takes more memory or time to unpack than a sheet of 1,048,576 rows does.",
    "Save the sheet as CSV, without columns that are not needed, and send that.",
)


class SheetRow(NamedTuple):
    """A row of a sheet, counted from 1. `wrong` says why it cannot be believed; `across`, over how many columns its
    first text is merged in this row alone."""

    number: int
    wrong: str
    cells: list[str]
    across: int = 1


class Sheet(NamedTuple):
    """A sheet that has rows. `file` holds them; `height` counts empty ones too."""

    name: str
    file: str
    height: int

    def rows(self) -> Iterator[SheetRow]:
        with Path(self.file).open(encoding="utf-8", newline="") as file:
            for number, wrong, across, *cells in csv.reader(file):
                yield SheetRow(int(number), wrong, cells, int(across))


class Unpacked(NamedTuple):
    """The sheets that were wanted and have rows; `shown` names all that a person sees."""

    sheets: list[Sheet]
    shown: list[str]


def unpack(path: Path, folder: Path, sheet: str = "", every: bool = False) -> Unpacked:
    """Returns the sheet of this name, or else the first with rows, or else every one with rows.

    `folder`: where the rows are kept while they are read. Raises Unreadable.
    """
    with path.open("rb") as file:
        if PROTECTED in file.read(4_000_000):
            raise Unreadable(*LOCKED)
    command = [sys.executable, "-m", "services.tables.workbooks", str(path), str(folder), sheet, "every" * every]
    done = subprocess.run(command, capture_output=True, check=False)
    try:
        said: Any = msgspec.json.decode(done.stdout)
    except msgspec.DecodeError:
        raise Unreadable(*(TOO_LARGE if done.returncode else ("It cannot be read.",))) from None
    if "why" in said:
        raise Unreadable(said["why"], said["what_to_do"])
    return Unpacked([Sheet(*one) for one in said["sheets"]], said["shown"])


def convert(path: Path, folder: Path, wanted: str, every: bool) -> Unpacked:
    """Raises Unreadable."""
    try:
        book = CalamineWorkbook.from_path(str(path))
    except PasswordError:
        raise Unreadable(*LOCKED) from None
    except (CalamineError, OSError, ValueError) as error:
        raise Unreadable(f"It cannot be read as a workbook: {error}.") from None
    tables = [one for one in book.sheets_metadata if one.typ == SheetTypeEnum.WorkSheet]
    shown = [one.name for one in tables if one.visible == SheetVisibleEnum.Visible]
    if wanted and wanted not in [one.name for one in tables]:
        raise Unreadable(f"It has no sheet {wanted!r}; there are {', '.join(shown)}.")
    names = [wanted] if wanted else [one.name for one in tables] if every or not shown else shown
    found: list[Sheet] = []
    for place, name in enumerate(names):
        out = folder / f"{path.name}.{place}.csv"
        try:
            count = written(book, name, out, without_values(path, name))
        except (CalamineError, ValueError) as error:
            raise Unreadable(f"Its sheet {name!r} cannot be read: {error}.") from None
        if count:
            found.append(Sheet(name, str(out), count))
            if not every:
                break
    if not found:
        raise Unreadable("It has no sheet with rows.")
    return Unpacked(found, shown)


def written(book: CalamineWorkbook, name: str, out: Path, unshown: Mapping[int, str]) -> int:
    """Writes the rows of a sheet: as `SheetRow` has it, with the cells last. Returns how many rows there are."""
    sheet = book.get_sheet_by_name(name)
    down = {  # cells that are merged over rows, by where they begin: the value is that of each row
        (row, first[1]): first
        for first, last in (sheet.merged_cell_ranges or [])
        for row in range(first[0] + 1, min(last[0], first[0] + LOWEST) + 1)
    }
    across = {first: last[1] - first[1] + 1 for first, last in sheet.merged_cell_ranges or [] if first[0] == last[0]}
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
            first = next((left + n for n, text in enumerate(texts) if text), 0) if across else 0
            rows.writerow([count, wrong_in(cells) or unshown.get(count, ""), across.get((index, first), 1), *texts])
    return count


def main(path: str, folder: str, sheet: str, every: str) -> None:
    """Prints the outcome as JSON."""
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY))
    resource.setrlimit(resource.RLIMIT_CPU, (SECONDS, SECONDS))
    said: dict[str, Any]
    try:
        said = convert(Path(path), Path(folder), sheet, bool(every))._asdict()
    except Unreadable as error:
        said = {"why": error.why, "what_to_do": error.what_to_do}
    except MemoryError:
        said = dict(zip(("why", "what_to_do"), TOO_LARGE, strict=True))
    write_out(msgspec.json.encode(said))


if __name__ == "__main__":
    main(*sys.argv[1:])

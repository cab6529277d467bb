"""Reads XLSX, XLS and ODS as a table: one sheet of them."""

from pathlib import Path

from services.imports.table import Table, headed
from services.tables.workbooks import unpack


def read_workbook(path: Path, folder: Path, format: str, sheet: str = "") -> Table:
    """`folder`: where the rows are kept while they are read. Raises NoTable and Unreadable."""
    unpacked = unpack(path, folder, sheet)
    (found,) = unpacked.sheets
    others = [other for other in unpacked.shown if other != found.name]
    notes = (f"Only the sheet {found.name!r} is read; there are also {', '.join(others)}.",) if others else ()
    header, rows = headed(found.rows)
    return Table(format, header, rows, found.height, {"sheet": found.name}, notes)

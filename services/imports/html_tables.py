"""Reads a page with a table: what several CRMs, Bitrix24 among them, write into a file that they name .xls."""

from functools import partial
from html.parser import HTMLParser
from pathlib import Path

from services.connectors.formats.charset import decode_each, from_wide_charset
from services.imports.table import NoTable, Table, headed
from services.tables.workbooks import SheetRow

LARGEST = 200_000_000  # bytes


class Cells(HTMLParser):
    """The rows of the first table that has any."""

    def __init__(self) -> None:
        super().__init__()
        self.rows: list[list[str]] = []
        self.cell: list[str] | None = None
        self.over = False

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if self.over:
            return
        if tag == "tr":
            self.rows.append([])
        elif tag in ("td", "th"):
            self.close_cell()
            self.cell = []
        elif tag == "br" and self.cell is not None:
            self.cell.append("\n")

    def handle_endtag(self, tag: str) -> None:
        if tag in ("td", "th", "tr"):
            self.close_cell()
        elif tag == "table":
            self.over = self.over or any(map(any, self.rows))

    def handle_data(self, data: str) -> None:
        if self.cell is not None:
            self.cell.append(data)

    def close_cell(self) -> None:
        if self.cell is not None:
            if not self.rows:
                self.rows.append([])
            self.rows[-1].append("".join(self.cell).replace("\xa0", " ").strip())
            self.cell = None


def read_html_table(path: Path) -> Table:
    """Raises NoTable."""
    if path.stat().st_size > LARGEST:
        raise NoTable(
            f"A page of more than {LARGEST:,} bytes is not read. Nothing was imported. Save it as XLSX or CSV."
        )
    page = Cells()
    page.feed(decode_each([from_wide_charset(path.read_bytes())], "")[0])
    page.close()
    if not any(map(any, page.rows)):
        raise NoTable("It is a page without a table. Nothing was imported. Send CSV, XLSX, XLS, ODS or vCard.")
    found = [SheetRow(number, "", cells) for number, cells in enumerate(page.rows, 1)]
    header, rows = headed(partial(list, found))
    return Table("html", header, rows, len(found))

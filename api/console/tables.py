"""Tables of numbers: on a page with bars, and as CSV that a spreadsheet opens."""

import csv
from io import StringIO
from typing import NamedTuple

from starlette.responses import Response

FORMULA = ("=", "+", "-", "@", "\t", "\r")  # what a spreadsheet would compute


class Table(NamedTuple):
    """A table of numbers. The first column names a row; `counts` are what the bars show."""

    heads: list[str]
    rows: list[list[str]]
    counts: list[int]

    @property
    def most(self) -> int:
        return max(self.counts, default=0) or 1


def as_csv(table: Table) -> str:
    """Writes for spreadsheets, which must not run what somebody typed into a form."""
    lines = StringIO()
    out = csv.writer(lines)
    for row in [table.heads, *table.rows]:
        out.writerow([f"'{cell}" if cell.startswith(FORMULA) and not is_number(cell) else cell for cell in row])
    return "\ufeff" + lines.getvalue()


def is_number(cell: str) -> bool:
    """Whether it is a number with its sign, which a spreadsheet may take as one."""
    return cell.lstrip("+-").replace(".", "", 1).isdecimal()


def download(table: Table, name: str) -> Response:
    saved = {"content-disposition": f"attachment; filename={name}.csv"}
    return Response(as_csv(table), 200, saved, "text/csv")

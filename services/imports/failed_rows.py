"""The rows that were refused, as they came, each with its reason: to be corrected and sent again."""

import csv
from collections.abc import Callable
from pathlib import Path
from typing import IO

from services.imports.table import Row, Table

REASON = "reason"


class FailedRows:
    """A table in the charset and with the delimiter of the file; of a workbook CSV, of cards a table of them."""

    def __init__(self, path: Path, table: Table) -> None:
        self.path, self.table, self.count = path, table, 0
        charset = table.found.get("charset", "utf-8").rpartition(" ")[2]
        plain = table.found.get("charset", "") == "" or charset == "utf-8"
        self.charset = "utf-8-sig" if plain else charset
        self.file: IO[str] | None = None
        self.write: Callable[[list[str]], object] = lambda _: None

    def add(self, row: Row, why: str) -> None:
        self.count += 1
        if self.file is None:
            self.file = self.path.open("w", encoding=self.charset, errors="replace", newline="")
            self.write = csv.writer(self.file, delimiter=self.table.found.get("delimiter", ",")).writerow
            self.write([*self.table.header, REASON])
        width = len(self.table.header)
        cells = [*row.cells[:width], *[""] * (width - len(row.cells))]
        self.write([*cells, why, *row.cells[width:]])

    def close(self) -> None:
        if self.file:
            self.file.close()

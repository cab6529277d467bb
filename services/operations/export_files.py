"""Writes rows of an export as CSV, XLSX or Parquet: exact, and safe to open in Excel."""

import csv
import io
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

import polars
import xlsxwriter

from crm.imports import PLAIN

MOST_ROWS = 1_048_575  # of a sheet, below its header
MOST_CELL = 32_767  # characters of a cell of a workbook
PRECISE = 10**15  # a larger number loses digits in a workbook
WHOLE = (20, 21, 23)  # oids of bigint, smallint and integer
BOOLEAN, MOMENT, DOUBLE, UUID, TEXTS = 16, 1184, 701, 2950, 1009
HARMLESS = (*WHOLE, BOOLEAN, MOMENT, DOUBLE, UUID, TEXTS)  # of them no spreadsheet runs anything
RUN = r"^[=+\-@\t\r]"  # a text that begins so is run, as crm.imports.FORMULA has it
TIMES = "%Y-%m-%d %H:%M:%S%.f%#z"


class Column(NamedTuple):
    """A column of what is exported, with the oid of its type."""

    name: str
    oid: int


def rows_in(part: Path) -> Iterator[list[str]]:
    """Yields the rows that Postgres wrote; null is an empty text."""
    with part.open(encoding="utf-8", newline="") as file:
        yield from csv.reader(file)


def write_file(file: Path, suffix: str, columns: Sequence[Column], part: Path) -> None:
    """Writes `part` in the format of an ending."""
    if suffix == ".xlsx":
        write_xlsx(file, columns, rows_in(part))
    else:
        (write_csv if suffix == ".csv" else write_parquet)(file, columns, part)


def write_csv(file: Path, columns: Sequence[Column], part: Path) -> None:
    """UTF-8 with a mark, as Excel expects it. A text that Excel would run gets an apostrophe before it."""
    with file.open("wb") as out:
        head = io.StringIO(newline="")
        csv.writer(head).writerow([column.name for column in columns])
        out.write(head.getvalue().encode("utf-8-sig"))
        if not part.stat().st_size:
            return
        named = [Column(str(place), column.oid) for place, column in enumerate(columns)]
        read = polars.scan_csv(part, schema={column.name: polars.String for column in named}, has_header=False)
        read.select(map(as_shown, named)).sink_csv(out, include_header=False, line_terminator="\r\n")


def as_shown(column: Column) -> polars.Expr:
    """Returns a text that a spreadsheet does not run, as `crm.imports.guarded` has it; null for an empty one."""
    value = polars.col(column.name)
    if column.oid not in HARMLESS:
        runs = value.str.contains(RUN) & ~value.str.contains(f"^(?:{PLAIN.pattern})$")
        value = polars.when(runs).then(polars.lit("'") + value).otherwise(value)
    return polars.when(value != "").then(value).alias(column.name)


def write_xlsx(file: Path, columns: Sequence[Column], rows: Iterable[list[str]]) -> None:
    """Texts are texts, numbers that a workbook holds exactly are numbers; more rows than a sheet has go to the next."""
    numbers = [column.oid in WHOLE for column in columns]
    options = {"constant_memory": True, "strings_to_formulas": False, "strings_to_urls": False}
    with xlsxwriter.Workbook(str(file), options) as book:
        sheet = None
        for count, row in enumerate(rows):
            place = count % MOST_ROWS + 1
            if place == 1:
                sheet = book.add_worksheet()
                sheet.write_row(0, 0, [column.name for column in columns])
            assert sheet is not None
            for column, text in enumerate(row):
                if numbers[column] and text and abs(int(text)) < PRECISE:
                    sheet.write_number(place, column, int(text))
                elif text:
                    sheet.write_string(place, column, text[:MOST_CELL])
        if sheet is None:
            book.add_worksheet().write_row(0, 0, [column.name for column in columns])


def write_parquet(file: Path, columns: Sequence[Column], part: Path) -> None:
    """Whole numbers, moments and booleans have their types; exact decimals, ids and JSON are texts."""
    schema = {column.name: polars.String for column in columns}
    if not part.stat().st_size:
        polars.DataFrame(schema=schema).lazy().select(map(as_typed, columns)).sink_parquet(file)
        return
    read = polars.scan_csv(part, schema=schema, has_header=False)
    read.select(map(as_typed, columns)).sink_parquet(file)


def as_typed(column: Column) -> polars.Expr:
    value = polars.col(column.name)
    if column.oid in WHOLE:
        return value.cast(polars.Int64)
    if column.oid == BOOLEAN:
        return value == "t"
    if column.oid == MOMENT:
        return value.str.to_datetime(TIMES, time_unit="us")
    return value


FORMATS = (".csv", ".xlsx", ".parquet")

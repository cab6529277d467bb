"""Exports a view or a query to CSV, XLSX or Parquet: row by row, exact, and safe to open in Excel."""

import csv
import io
import tempfile
from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import polars
import psycopg
import xlsxwriter
from psycopg.sql import SQL, Composable, Identifier

from crm.imports import FORMULA, guarded
from projections import PROJECTIONS

MOST_ROWS = 1_048_575  # of a sheet, below its header
MOST_CELL = 32_767  # characters of a cell of a workbook
PRECISE = 10**15  # a larger number loses digits in a workbook
WHOLE = (20, 21, 23)  # oids of bigint, smallint and integer
BOOLEAN, MOMENT, DOUBLE = 16, 1184, 701
TIMES = "%Y-%m-%d %H:%M:%S%.f%#z"
Advance = Callable[[int], None]


class Column(NamedTuple):
    """A column of what is exported, with the oid of its type."""

    name: str
    oid: int


def query_of(what: str, where: str = "") -> str:
    """Returns the query of a view, with a condition in SQL, or the query itself. Raises ValueError."""
    if what in PROJECTIONS:
        return f"SELECT * FROM {what}{f' WHERE {where}' if where else ''}"
    if what.lower().split()[:1] not in (["select"], ["with"], ["table"], ["values"]):
        raise ValueError(f"There is no view {what!r}. The views are {', '.join(PROJECTIONS)}; or give a SELECT.")
    if where:
        raise ValueError("--where goes with a view. Write the condition into the query.")
    return what.rstrip().rstrip(";")


def export(conn: psycopg.Connection[Any], query: str, file: Path, advance: Advance = lambda _: None) -> int:
    """Writes the rows and returns how many there were. The file appears when it is whole.

    Raises ValueError for an ending that is not known, and what Postgres says.
    """
    if file.suffix.lower() not in WRITERS:
        raise ValueError(
            f"{file.name} has no ending that is known. Nothing was exported. Known are {', '.join(WRITERS)}."
        )
    columns = columns_of(conn, query)
    part = file.with_name(f"{file.name}.part")
    try:
        count = WRITERS[file.suffix.lower()](part, columns, rows_of(conn, query, columns, advance))
        part.replace(file)
    finally:
        part.unlink(missing_ok=True)
    return count


def columns_of(conn: psycopg.Connection[Any], query: str) -> list[Column]:
    """Returns the columns but for that of the workspace, which is the same in every row."""
    described = conn.execute(f"SELECT * FROM ({query}) AS q LIMIT 0".encode()).description or []
    return [Column(column.name, column.type_code) for column in described if column.name != "workspace"]


def rows_of(
    conn: psycopg.Connection[Any], query: str, columns: Sequence[Column], advance: Advance
) -> Iterator[list[str]]:
    """Yields rows as Postgres writes them; null is an empty text."""
    names: Composable = SQL(", ").join(Identifier(column.name) for column in columns)
    copied = SQL("COPY (SELECT {} FROM ({}) AS q) TO STDOUT (FORMAT csv)").format(names, SQL(query))
    with conn.cursor() as cursor, cursor.copy(copied) as copy:
        for count, row in enumerate(csv.reader(lines_of(copy)), 1):
            yield row
            if not count % 1_000:
                advance(1_000)


def lines_of(blocks: Iterable[Any]) -> Iterator[str]:
    """Yields lines; a row may have several."""
    for block in blocks:
        yield from io.StringIO(bytes(block).decode(), newline="\n")


def write_csv(file: Path, columns: Sequence[Column], rows: Iterable[list[str]]) -> int:
    """UTF-8 with a mark, as Excel expects it. A text that Excel would run gets an apostrophe before it."""
    texts = [place for place, column in enumerate(columns) if column.oid not in (*WHOLE, DOUBLE, BOOLEAN, MOMENT)]
    count = 0
    with file.open("w", encoding="utf-8-sig", newline="") as out:
        writer = csv.writer(out)
        writer.writerow([column.name for column in columns])
        for count, row in enumerate(rows, 1):  # noqa: B007  # it is returned
            for place in texts:
                if row[place] and row[place][0] in FORMULA:
                    row[place] = guarded(row[place])
            writer.writerow(row)
    return count


def write_xlsx(file: Path, columns: Sequence[Column], rows: Iterable[list[str]]) -> int:
    """Texts are texts, numbers that a workbook holds exactly are numbers; more rows than a sheet has go to the next."""
    numbers = [column.oid in WHOLE for column in columns]
    options = {"constant_memory": True, "strings_to_formulas": False, "strings_to_urls": False}
    count = 0
    with xlsxwriter.Workbook(str(file), options) as book:
        sheet = None
        for count, row in enumerate(rows, 1):
            place = (count - 1) % MOST_ROWS + 1
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
    return count


def write_parquet(file: Path, columns: Sequence[Column], rows: Iterable[list[str]]) -> int:
    """Whole numbers, moments and booleans have their types; exact decimals, ids and JSON are texts."""
    count = 0
    with tempfile.NamedTemporaryFile("w", encoding="utf-8", newline="", suffix=".csv", dir=file.parent) as plain:
        writer = csv.writer(plain)
        writer.writerow([column.name for column in columns])
        for count, row in enumerate(rows, 1):  # noqa: B007  # it is returned
            writer.writerow(row)
        plain.flush()
        schema = {column.name: polars.String for column in columns}
        typed = [as_typed(column) for column in columns]
        polars.scan_csv(plain.name, schema=schema).select(typed).sink_parquet(file)
    return count


def as_typed(column: Column) -> polars.Expr:
    value = polars.col(column.name)
    if column.oid in WHOLE:
        return value.cast(polars.Int64)
    if column.oid == BOOLEAN:
        return value == "t"
    if column.oid == MOMENT:
        return value.str.to_datetime(TIMES, time_unit="us")
    return value


WRITERS = {".csv": write_csv, ".xlsx": write_xlsx, ".parquet": write_parquet}

"""Reads CSV and TSV as a table: charset, delimiter and header are found, shown, and can be said otherwise."""

from collections.abc import Iterator
from functools import partial
from itertools import islice
from pathlib import Path

from services.imports.table import HEAD, SEND, NoTable, Row, Table, fitted, header_of
from services.tables.charsets import LONGEST_LINE, Charset, charset_of, lines_of, said_charset
from services.tables.delimited import SAMPLE, delimiter_of, named_delimiter, rows_of
from services.tables.unreadable import Unreadable

OPEN = "A quote in it is not closed."


def read_text_table(path: Path, charset: str = "", delimiter: str = "") -> Table:
    """Raises NoTable and Unreadable."""
    if len(delimiter) > 1 or delimiter == '"':
        raise NoTable(f"A delimiter is one character and no quote, not {delimiter!r}. Nothing was imported.")
    with path.open("rb") as file:
        chosen = said_charset(charset) if charset else charset_of(file)
        sample = list(islice(lines_of(file, chosen), SAMPLE))
    if len(sample[0][0]) > LONGEST_LINE // 4 and not sample[0][0].endswith(("\n", "\r")):
        raise Unreadable("It has no lines: it is no table of text.", SEND)
    said = named_delimiter(sample[0][0])
    skip = 1 if said else 0
    found, width = delimiter_of([text for text, _ in sample[skip:]])
    by = delimiter or said or found
    place, header = header_of([row.cells for row in islice(rows_of(sample[skip:], by, width), HEAD)])

    return Table(
        "tsv" if by == "\t" else "csv",
        header,
        partial(rows_in, path, chosen, by, skip, place, header),
        path.stat().st_size,
        {"charset": str(chosen), "delimiter": by},
        (chosen.note,) if chosen.note else (),
    )


def rows_in(
    path: Path, charset: Charset, delimiter: str, skip: int, place: int, header: tuple[str, ...]
) -> Iterator[Row]:
    """`skip`: lines before the table; `place`: of the header among its rows."""
    with path.open("rb") as file:
        lines = islice(lines_of(file, charset), skip, None)
        for number, cells, done, is_open in islice(rows_of(lines, delimiter, len(header)), place + 1, None):
            if row := fitted(number + skip, cells, header, done):
                yield row._replace(wrong=OPEN) if is_open else row

"""A file as a table: a header, and rows of texts with where each stands in the file."""

import re
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import partial
from itertools import islice
from typing import NamedTuple

from crm.imports import unguarded
from crm.text.emails import emails_in
from services.tables.workbooks import SheetRow

TELEPHONE = re.compile(r"\+?[0-9 ().-]{9,20}")
MOST_COLUMNS = 1_000
MOST_CELL = 20_000  # characters
HEAD = 20  # rows in which the header is looked for
NOTHING, SEND = "Nothing was imported.", "Send CSV, TSV, XLSX, XLS, ODS or vCard."


class Row(NamedTuple):
    """A row. `number` is its first line in the file, or its row in the sheet; `wrong` says why it cannot be read."""

    number: int
    cells: tuple[str, ...]
    done: int  # bytes of the file up to here; of a sheet, rows
    wrong: str = ""


@dataclass(frozen=True)
class Table:
    """What was found in a file. `rows` can be called again, and then begins at the first row; it can be pickled."""

    format: str
    header: tuple[str, ...]
    rows: Callable[[], Iterator[Row]]
    whole: int  # as `Row.done` counts
    found: Mapping[str, str] = field(default_factory=dict)  # charset, delimiter, sheet
    notes: tuple[str, ...] = ()


class NoTable(ValueError):
    """A file that cannot be read as a table: a sentence on why, and what to do."""


MERGED = "{!r} is merged over the columns {}: a heading or a total, and no row of the table."
Rows = Callable[[], Iterator[Row]]


def headed(read: Callable[[], Iterable[SheetRow]]) -> tuple[tuple[str, ...], Rows]:
    """Returns the header of a sheet, and its rows below that. Raises NoTable."""
    place, header = header_of([row.cells for row in islice(read(), HEAD)])
    return header, partial(rows_below, read, place, header)


def rows_below(read: Callable[[], Iterable[SheetRow]], place: int, header: tuple[str, ...]) -> Iterator[Row]:
    for number, wrong, cells, across in islice(read(), place + 1, None):
        if row := fitted(number, cells, header, number):
            yield row._replace(wrong=row.wrong or wrong or (merged(row.cells, header, across) if across > 1 else ""))


def merged(cells: tuple[str, ...], header: tuple[str, ...], across: int) -> str:
    """Returns why a row is none of the table: its first cell is merged over several columns that the header has."""
    first = next((place for place, text in enumerate(cells) if text), 0)
    named = [name for place, name in enumerate(header[: first + across], 1) if name != f"Column {place}"][first:]
    return MERGED.format(cells[first][:40], " and ".join(map(repr, named[:2]))) if len(named) > 1 else ""


def unique(names: list[str]) -> tuple[str, ...]:
    """Returns the names of columns: an empty one gets its number, and one that is there already a number behind it."""
    if len(names) > MOST_COLUMNS:
        raise NoTable(
            f"It has {len(names):,} columns; at most {MOST_COLUMNS:,} are read. Nothing was imported. "
            "Delete the empty or unused columns and send it again."
        )
    made: list[str] = []
    for place, name in enumerate(names, 1):
        given = text = " ".join(name.split()) or f"Column {place}"
        count = 2
        while text in made:
            text, count = f"{given} ({count})", count + 1
        made.append(text)
    return tuple(made)


def fitted(number: int, cells: list[str], header: tuple[str, ...], done: int) -> Row | None:
    """Returns a row as wide as the header; None for an empty one, and for the header once more."""
    texts = [unguarded(cell.strip()) if cell else cell for cell in cells]
    if not any(texts):
        return None
    width = len(header)
    if texts[0].casefold() == header[0].casefold() and same_header(texts, header):
        return None
    if any(texts[width:]):
        why = f"It has {len(texts)} cells and the header {width}: a quote or a delimiter is missing, or is too many."
        return Row(number, tuple(texts), done, why)
    if any(len(text) > MOST_CELL for text in texts):
        return Row(number, tuple(texts[:width]), done, f"A cell has more than {MOST_CELL:,} characters.")
    return Row(number, tuple([*texts[:width], *[""] * (width - len(texts))]), done)


def same_header(texts: list[str], header: tuple[str, ...]) -> bool:
    again = unique([text.casefold() for text in texts[: len(header)]])
    return [name.casefold() for name in again] == [name.casefold() for name in header]


def header_of(rows: list[list[str]]) -> tuple[int, tuple[str, ...]]:
    """Returns the header and its place among the first rows. Of a table without one, whose first row has a telephone
    or an address, the columns are numbered, and the place is that before the first row."""
    place = header_place(rows)
    if any(TELEPHONE.fullmatch(cell.strip()) or emails_in(cell) for cell in rows[place]):
        return place - 1, unique([""] * max(map(len, rows)))
    return place, unique(rows[place])


def header_place(rows: list[list[str]]) -> int:
    """Returns which of the first rows is the header: the first that is more than half as wide as the widest, so that a
    title above the table is none. A row that alone has more cells than those before it is broken, and not the widest.
    """
    widths = [sum(1 for cell in row if cell.strip()) for row in rows]
    if not any(widths):
        raise NoTable("It is empty. Nothing was imported.")
    lengths = Counter(len(row) for row in rows if len(row) > 1)
    usual = lengths.most_common(1)[0][0] if lengths else 1
    begins = next((place for place, row in enumerate(rows) if len(row) == usual), 0)
    broken = {place for place, row in enumerate(rows) if place > begins and lengths[len(row)] == 1 < usual < len(row)}
    widest = max(width for place, width in enumerate(widths) if place not in broken)
    return next(place for place, width in enumerate(widths) if width * 2 > widest and place not in broken)

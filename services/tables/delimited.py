"""Rows of a text with a delimiter. A quote that nobody escaped costs nothing, or at most its own row."""

import csv
from collections import Counter, deque
from collections.abc import Iterable, Iterator
from itertools import islice
from typing import NamedTuple

from services.tables.charsets import LONGEST_LINE

DELIMITERS = ";,\t|"
SAMPLE = 200  # lines by which the delimiter is judged
MOST_LINES = 1_000  # of one row, in whose cells are line ends
REGULAR = 0.7  # of all rows: where so many have the same number of cells, more cells count more than more rows
Lines = Iterable[tuple[str, int]]
csv.field_size_limit(LONGEST_LINE)


class TextRow(NamedTuple):
    """`number` of its first line, from 1 on. `done`: bytes of the file up to its end. `open`: a cell of it begins with
    a quote that is not closed, so that the line was split at every delimiter."""

    number: int
    cells: list[str]
    done: int
    open: bool


def named_delimiter(line: str) -> str:
    """Returns the delimiter that a first line says for Excel, as in `sep=;`."""
    mark = line.rstrip("\r\n")[4:]
    named = line[:4].lower() == "sep=" and len(mark) == 1 and not mark.isalnum() and mark != '"'
    return mark if named else ""


def delimiter_of(lines: list[str]) -> tuple[str, int]:
    """Returns the delimiter that gives most rows the same number of cells, more than one, and that number."""
    best, best_score = (DELIMITERS[0], 1), (0.0, 0, 0.0)
    for delimiter in DELIMITERS:
        widths = [len(row) for row in csv.reader(lines, delimiter=delimiter) if any(row)]
        common = Counter(width for width in widths if width > 1).most_common(1)
        if not common:
            continue
        ((width, rows),) = common
        share = rows / len(widths)
        score = min(share, REGULAR), width, share
        if score > best_score:
            best, best_score = (delimiter, width), score
    return best


def rows_of(lines: Lines, delimiter: str, width: int) -> Iterator[TextRow]:
    """Yields every row, empty ones too. `width`: cells of a usual row, by which a quote that swallows rows is known."""
    ahead, source, number = deque[tuple[str, int]](), iter(lines), 1
    while found := ahead.popleft() if ahead else next(source, None):
        text, done = found
        if '"' not in text:
            yield TextRow(number, text.rstrip("\r\n").split(delimiter), done, open=False)
            number += 1
            continue
        reader = csv.reader(followed(text, ahead, source), delimiter=delimiter, strict=True)
        try:
            cells, used = next(reader), reader.line_num
        except csv.Error:
            used = 0
        if used and not (used > 1 and any(swallows(cell, delimiter, width) for cell in cells)):
            for _ in range(used - 1):
                _, done = ahead.popleft()
            yield TextRow(number, cells, done, open=False)
            number += used
        else:
            parts = [plain(part) for part in text.rstrip("\r\n").split(delimiter)]
            yield TextRow(number, parts, done, open=text.count('"') % 2 == 1)
            number += 1


def followed(text: str, ahead: deque[tuple[str, int]], source: Iterator[tuple[str, int]]) -> Iterator[str]:
    """Yields a line and those after it, which stay `ahead`."""
    yield text
    for place in range(MOST_LINES):
        if place == len(ahead):
            ahead.extend(islice(source, 1))
        if place == len(ahead):
            return
        yield ahead[place][0]


def swallows(cell: str, delimiter: str, width: int) -> bool:
    """Whether a cell holds lines that are rows themselves, as after a quote that is not closed."""
    return width > 1 and any(line.count(delimiter) >= width - 1 for line in cell.split("\n")[1:])


def plain(cell: str) -> str:
    """Returns what is in quotes around a whole cell; all others are part of its text."""
    stripped = cell.strip()
    whole = len(stripped) > 1 and stripped[0] == stripped[-1] == '"' and stripped.count('"') == 2
    return stripped[1:-1] if whole else cell

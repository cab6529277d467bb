"""Reads CSV and TSV: charset, delimiter and header are found, shown, and can be said otherwise."""

import codecs
import csv
import re
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from services.connectors.formats.charset import charset_named, single_byte_charset
from services.imports.table import HEAD, NoTable, Row, Table, fitted, header_of

DELIMITERS = ",;\t|"
SAMPLE = 200  # rows by which the delimiter is judged
LONE_RETURN = re.compile(r"(?<=\r)(?!\n)")
LONGEST_LINE = 4_000_000  # bytes: a quote that is never closed swallows the file
WIDE = {codecs.BOM_UTF16_LE: "utf-16-le", codecs.BOM_UTF16_BE: "utf-16-be"}
csv.field_size_limit(LONGEST_LINE)


@dataclass(frozen=True)
class Charset:
    """`name` of the whole file; with a `fallback`, each line that is no UTF-8 is in that."""

    name: str
    fallback: str = ""
    note: str = ""

    def __str__(self) -> str:
        return f"{self.name} and {self.fallback}" if self.fallback and self.name else self.fallback or self.name


def charset_of(path: Path) -> Charset:
    """Judges every line: a file that changes its charset in the middle is read as it changes."""
    with path.open("rb") as file:
        head = file.read(64)
        for mark, name in WIDE.items():
            if head.startswith(mark):
                return Charset(name)
        if b"\0" in head and len(head) > 3:
            return Charset("utf-16-le" if head[1::2].count(0) > head[::2].count(0) else "utf-16-be")
        file.seek(0)
        utf8 = count = first = 0
        others: list[bytes] = []
        for number, line in enumerate(file, 1):
            if line.isascii():
                continue
            try:
                line.decode()
                utf8 += 1
            except UnicodeDecodeError:
                count += 1
                first = first or number
                if len(others) < SAMPLE:
                    others.append(line)
    if not others:
        return Charset("utf-8")
    fallback = single_byte_charset(others)
    if not utf8:
        return Charset("", fallback)
    lines = f"{utf8:,} lines are UTF-8 and {count:,} are not, the first of them line {first:,}"
    return Charset("utf-8", fallback, f"The charset changes: {lines}. These were read as {fallback}.")


def lines_of(path: Path, charset: Charset) -> Iterator[tuple[str, int]]:
    """Yields each line with the number of bytes up to its end."""
    done = 0
    if charset.name.startswith("utf-16"):
        with path.open("rb") as file, codecs.getreader(charset.name)(file, "replace") as wide:
            for text in wide:
                done += 2 * len(text)
                yield from ((part, done) for part in parted(text.removeprefix("\ufeff")))
        return
    with path.open("rb") as file:
        for line in file:
            bare = line.removeprefix(codecs.BOM_UTF8) if done == 0 else line
            done += len(line)
            yield from ((part, done) for part in parted(decoded(bare, charset)))


def parted(line: str) -> list[str]:
    """Returns the lines in a line: a carriage return ended one on an old Macintosh."""
    return [line] if "\r" not in line.rstrip("\r\n") else LONE_RETURN.split(line)


def decoded(line: bytes, charset: Charset) -> str:
    if charset.name and charset.name != "utf-8":
        return line.decode(charset.name, "replace")
    try:
        return line.decode()
    except UnicodeDecodeError:
        return line.decode(charset.fallback or "utf-8", "replace")


class Counted:
    """The lines of a file for csv.reader, which counts lines itself; `done` is bytes."""

    def __init__(self, lines: Iterator[tuple[str, int]]) -> None:
        self.lines, self.done = lines, 0

    def __iter__(self) -> "Counted":
        return self

    def __next__(self) -> str:
        line, self.done = next(self.lines)
        return line.replace("\0", "")


def delimiter_of(lines: list[str]) -> str:
    """Returns the delimiter that gives most rows the same number of cells, more than one; of equals, the one that
    gives more cells."""
    if lines and lines[0].lower().startswith("sep=") and len(lines[0].strip()) == 5:
        return lines[0][4]
    best, best_score = ",", (0.0, 0)
    for delimiter in DELIMITERS:
        widths = Counter(len(row) for row in csv.reader(lines, delimiter=delimiter) if any(row))
        if not widths:
            continue
        width, rows = widths.most_common(1)[0]
        score = (rows / widths.total() if width > 1 else 0.0, width)
        if score > best_score:
            best, best_score = delimiter, score
    return best


def swallows(cell: str, delimiter: str, width: int) -> bool:
    """Whether a cell holds lines that are rows themselves, as after a quote that is not closed."""
    return width > 1 and any(line.count(delimiter) >= width - 1 for line in cell.split("\n")[1:])


def read_text_table(path: Path, charset: str = "", delimiter: str = "") -> Table:
    """Raises NoTable."""
    size = path.stat().st_size
    if charset:
        if not (named := charset_named(charset)):
            raise NoTable(f"There is no charset {charset!r}. Use a name such as utf-8 or windows-1251.")
        chosen = Charset(named)
    else:
        chosen = charset_of(path)
    sample = [line for (line, _), _ in zip(lines_of(path, chosen), range(SAMPLE), strict=False)]
    by = delimiter or delimiter_of(sample)
    skip = 1 if sample and sample[0].lower().startswith("sep=") else 0
    first = [row for row, _ in zip(csv.reader(sample[skip:], delimiter=by), range(HEAD), strict=False)]
    place, header = header_of(first)
    if len(header) == 1 and size > LONGEST_LINE and not any(line.endswith("\n") for line in sample):
        raise NoTable(
            "It has no lines: it is no table of text. Nothing was imported. Send CSV, XLSX, XLS, ODS or vCard."
        )

    def rows() -> Iterator[Row]:
        lines = Counted(lines_of(path, chosen))
        for _ in range(skip):
            next(lines)
        reader = csv.reader(lines, delimiter=by)
        before, begins, index = skip, 1, -1
        while True:
            begins = before + 1
            try:
                cells = next(reader)
            except StopIteration:
                return
            except csv.Error as error:
                before = skip + reader.line_num
                why = f"Lines {begins:,} to {before:,} cannot be read: {error}. Is a quote not closed?"
                yield Row(begins, (), lines.done, why)
                continue
            before, index = skip + reader.line_num, index + 1
            if index > place and (row := fitted(begins, cells, header, lines.done)):
                if before > begins and any(swallows(cell, by, len(header)) for cell in cells):
                    row = row._replace(wrong=f"Lines {begins:,} to {before:,} are one cell: a quote is not closed.")
                yield row

    return Table(
        "tsv" if by == "\t" else "csv",
        header,
        rows,
        size,
        {"charset": str(chosen), "delimiter": by},
        (chosen.note,) if chosen.note else (),
    )

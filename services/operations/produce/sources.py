"""Reads a file of facts as lines of POST /facts: NDJSON, JSON, CSV or an Avro container."""

import csv
import hashlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import fastavro
import msgspec

from services.connectors.formats.charset import charset_named, decode_each, from_wide_charset
from services.intake.avro_file import line_of
from services.intake.lines import MARKS, json_lines
from services.intake.refusals import Line
from services.intake.reply import Stop
from services.operations.produce.table import Table

DELIMITERS = ",;\t|"
BLOCK = 1 << 20  # bytes
Numbered = tuple[int, Line]  # a line's number in the file, from 1, and the line


@dataclass(frozen=True)
class FactFile:
    """A file of facts. All but `path` is for tables, whose lines do not say it themselves.

    Raises ValueError when its name does not tell the format.
    """

    path: Path
    type_name: str = ""
    mapping: Mapping[str, str] = field(default_factory=dict)
    sender: str = ""
    charset: str = ""

    def __post_init__(self) -> None:
        if self.ending not in READERS:
            raise ValueError(
                f"{self.path.name} has no ending that is known. Nothing was sent. Known are {', '.join(READERS)}."
            )
        if not self.is_table and (self.mapping or self.charset):
            raise ValueError(f"--map and --charset are for tables, not for {self.path.name}. Nothing was sent.")

    @property
    def ending(self) -> str:
        return self.path.suffix.lower()

    @property
    def is_table(self) -> bool:
        return READERS[self.ending] is table_lines

    def lines(self) -> Iterator[Numbered]:
        """Yields the lines that are not blank. Raises ValueError when the file cannot be read."""
        return READERS[self.ending](self)

    def digest(self) -> tuple[str, int]:
        """Returns a digest of the bytes, the same under any name of the file, and the number of line ends."""
        whole, ends = hashlib.sha256(), 0
        with self.path.open("rb") as file:
            while block := file.read(BLOCK):
                whole.update(block)
                ends += block.count(b"\n")
        return whole.hexdigest()[:16], ends


def nd_lines(file: FactFile) -> Iterator[Numbered]:
    with file.path.open("rb") as lines:
        mark = lines.read(4)
        lines.seek(0)
        if any(mark.startswith(bom) and charset != "utf-8" for bom, charset in MARKS.items()):
            for number, line in enumerate(from_wide_charset(lines.read()).split(b"\n"), 1):
                if line.strip():
                    yield number, line
            return
        for number, line in enumerate(lines, 1):
            bare = (line.removeprefix(b"\xef\xbb\xbf") if number == 1 else line).strip()
            if bare:
                yield number, bare


def array_lines(file: FactFile) -> Iterator[Numbered]:
    try:
        yield from enumerate(json_lines(file.path.read_bytes()), 1)
    except Stop as stop:
        why = msgspec.json.decode(stop.reply.body)["error"].removesuffix(" Nothing was kept.")
        raise ValueError(f"{why}") from None


def table_lines(file: FactFile) -> Iterator[Numbered]:
    """All rows are read before the first is given: a broken table is found before anything is sent."""
    text = decoded(file.path.read_bytes(), file.charset)
    reader = csv.reader(text.splitlines(keepends=True), delimiter=delimiter_of(text), strict=True)
    try:
        rows = [(reader.line_num, row) for row in reader if any(cell.strip() for cell in row)]
    except csv.Error as error:
        raise ValueError(f"Line {reader.line_num} cannot be read: {error}.") from None
    if not rows:
        raise ValueError(f"{file.path.name} is empty.")
    (_, header), *rows = rows
    for number, row in rows:
        if len(row) > len(header):
            why = f"Line {number} has {len(row)} cells, and the header names {len(header)} columns."
            raise ValueError(f"{why} Put cells with a delimiter or a line break in them between double quotes.")
    table = Table(file.type_name, header, file.mapping, file.sender)
    for number, row in rows:
        yield number, table.line(row)


def decoded(data: bytes, charset: str) -> str:
    """Decodes a table. Without `charset` it is judged by its bytes: UTF-8, UTF-16, or what its letters make likely."""
    name = charset_named(charset) if charset else ""
    if charset and not name:
        raise ValueError(f"There is no charset {charset!r} here. Use a name such as utf-8 or windows-1251.")
    if name and name != "utf-8":
        return data.decode(name, "replace")
    return decode_each([from_wide_charset(data)], name)[0]


def delimiter_of(text: str) -> str:
    """Returns the delimiter that is most frequent in the header, outside of quotes."""
    header = "".join(text.partition("\n")[0].split('"')[::2])
    return max(DELIMITERS, key=header.count)


def avro_lines(file: FactFile) -> Iterator[Numbered]:
    try:
        with file.path.open("rb") as container:
            records: Any = fastavro.reader(container, return_record_name=True, return_record_name_override=True)
            written = records.writer_schema
            single = written["name"] if isinstance(written, dict) and written.get("type") == "record" else ""
            for number, record in enumerate(records, 1):
                yield number, line_of(record, single)
    except (ValueError, EOFError, KeyError, IndexError) as error:
        raise ValueError(f"{file.path.name} cannot be read as Avro: {error}.") from None


READERS = {
    **dict.fromkeys((".ndjson", ".jsonl"), nd_lines),
    ".json": array_lines,
    **dict.fromkeys((".csv", ".tsv"), table_lines),
    ".avro": avro_lines,
}

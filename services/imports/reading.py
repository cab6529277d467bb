"""Reads a file as facts, row by row: what a check and a run have in common."""

import dataclasses
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import NamedTuple

from msgspec.structs import replace

from crm.delivery import Home
from crm.envelope import Fact, now
from crm.errors import Malformed
from crm.imports import Options, Request, Status, import_source
from crm.scalars import Id
from services.imports.mapping import ColumnMapping, propose
from services.imports.opening import open_table
from services.imports.rows import RowReader, Skipped
from services.imports.table import NoTable, Row, Table
from services.intake.fact_lines import parse_line
from services.intake.refusals import Refusal
from services.intake.values import LineContext

SAMPLE = 300  # rows by which columns are judged
SHOWN = 5  # of them, for people
REMEMBERED = "The columns are those that were said of such a file before."
DIGEST = 32  # hex digits of a file in the names of its facts


class Read(NamedTuple):
    """A row and what it says: a fact, or why there is none."""

    row: Row
    fact: Fact | Skipped | Refusal


@dataclass(frozen=True)
class Reading:
    """A file that was opened, and how its rows become facts."""

    request: Request
    table: Table
    mapping: ColumnMapping
    sample: list[list[str]]
    home: Home
    generation: int = 0  # how often the import was undone: its rows are other facts then

    def rows(self) -> Iterator[Read]:
        """Yields every row. A fact has the same id each time; its source is the import."""
        request, at = self.request, now()
        reader = RowReader(self.mapping, request.sha256[:DIGEST], request.uploaded_at, self.home)
        context = LineContext(import_source(request.id, self.generation), request.workspace, at, "", self.home)
        for row in self.table.rows():
            line = reader.read(row)
            if not isinstance(line, bytes):
                yield Read(row, line)
                continue
            try:
                fact = parse_line(line, unnamed, context)
            except Refusal as refusal:
                yield Read(row, refusal)
            except Malformed as error:
                yield Read(row, Refusal(str(error)))
            else:
                raw = replace(fact.raw, query=f"import={request.id}&row={row.number}")  # type: ignore[attr-defined]  # facts of the open API have it
                yield Read(row, replace(fact, raw=raw))

    def describe(self, status: Status) -> None:
        """Says in a status what was found."""
        table, mapping = self.table, self.mapping
        status.name, status.format, status.found = self.request.name, table.format, dict(table.found)
        status.notes, status.whole = list(table.notes), table.whole
        status.record, status.system, status.columns = mapping.record, mapping.system, mapping.columns
        status.sample = self.sample[:SHOWN]


def unnamed() -> Id:
    raise AssertionError("every row has a name")


def open_file(request: Request, file: Path) -> Table:
    """Opens a file; what is unpacked goes next to it. Raises NoTable with a sentence on why it cannot be read."""
    said = request.options
    return open_table(file, file.parent, said.charset, said.delimiter, said.sheet)


def read_import(request: Request, table: Table, home: Home, before: Options | None = None) -> Reading:
    """Decides which column is what. `before`: what a person said of a file with these columns; it holds where nothing
    is said of this one. Raises NoTable."""
    said = request.options
    if before and before.columns and not said.columns and said.record in ("", before.record):
        said = replace(said, record=before.record, columns=before.columns, system=said.system or before.system)
        table = dataclasses.replace(table, notes=(*table.notes, REMEMBERED))
    sample = [list(row.cells) for row in islice((row for row in table.rows() if not row.wrong), SAMPLE)]
    try:
        mapping = propose(table.header, sample, said.record, said.columns, said.system, said.existing)
    except ValueError as error:
        raise NoTable(f"{error} Nothing was imported.") from None
    return Reading(request, table, mapping, sample, home)

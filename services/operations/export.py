"""Exports a view or a query: its rows are kept in a part file as they come, and then written in the format wanted.

The part is what makes an export of a view resumable: rows come in the order of their keys, and a small file next to it
says up to which key the part is whole.
"""

import csv
import os
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import IO, Any

import msgspec
import psycopg
from msgspec import Struct
from psycopg.sql import SQL, Composed, Identifier, Literal

from projections import PROJECTIONS
from services.operations.export_files import FORMATS, Column, write_file

EACH = 20_000  # rows between two notes of how far the part is
Advance = Callable[[int], None]


class Question(Struct, frozen=True):
    """What is exported. `key`: the column that is another in each row; empty for a query of its own."""

    query: str
    key: str = ""


class Kept(Struct, frozen=True):
    """Up to where a part file is whole. `after`: the key of its last row."""

    query: str
    columns: list[str]
    after: str = ""
    rows: int = 0
    size: int = 0  # bytes


def query_of(what: str, where: str = "") -> Question:
    """Returns what a view is read by, with a condition in SQL, or the query itself. Raises ValueError."""
    if what in PROJECTIONS:
        return Question(f"SELECT * FROM {what}{f' WHERE {where}' if where else ''}", PROJECTIONS[what].key)
    if what.lower().split()[:1] not in (["select"], ["with"], ["table"], ["values"]):
        raise ValueError(f"There is no view {what!r}. The views are {', '.join(PROJECTIONS)}; or give a SELECT.")
    if where:
        raise ValueError("--where goes with a view. Write the condition into the query.")
    return Question(what.rstrip().rstrip(";"))


def export(
    conn: psycopg.Connection[Any],
    question: Question,
    file: Path,
    advance: Advance = lambda _: None,
    resume: bool = False,
) -> int:
    """Writes the rows and returns how many there were. The file appears when it is whole.

    `resume`: goes on with the part that an export of the same view left. Raises ValueError for an ending that is not
    known and for a part of something else, and what Postgres says.
    """
    if (suffix := file.suffix.lower()) not in FORMATS:
        raise ValueError(
            f"{file.name} has no ending that is known. Nothing was exported. Known are {', '.join(FORMATS)}."
        )
    columns = columns_of(conn, question.query)
    part, note, made = (file.with_name(f"{file.name}.{ending}") for ending in ("part", "part.json", "new"))
    begun = Kept(question.query, [column.name for column in columns])
    kept = begun_before(part, note, begun, bool(question.key)) if resume else begun
    try:
        count = fetch(conn, question, columns, part, note, kept, advance)
        write_file(made, suffix, columns, part)
        made.replace(file)
    except BaseException:
        made.unlink(missing_ok=True)
        if not note.exists():  # nothing that can be resumed
            part.unlink(missing_ok=True)
        raise
    note.unlink(missing_ok=True)
    part.unlink()
    return count


def begun_before(part: Path, note: Path, begun: Kept, has_key: bool) -> Kept:
    """Returns up to where the part of the same export is whole. Raises ValueError."""
    if not has_key:
        raise ValueError(
            "A query of your own has no key to go on by, so it begins again: leave --resume out. Nothing was exported."
        )
    try:
        kept = msgspec.json.decode(note.read_bytes(), type=Kept)
        size = part.stat().st_size
    except (FileNotFoundError, msgspec.DecodeError):
        return begun
    if (kept.query, kept.columns) != (begun.query, begun.columns):
        raise ValueError(
            f"{part.name} is of another question. Nothing was exported. Delete it, or export without --resume."
        )
    return kept if size >= kept.size else begun


def columns_of(conn: psycopg.Connection[Any], query: str) -> list[Column]:
    """Returns the columns but for that of the workspace, which is the same in every row."""
    described = conn.execute(f"SELECT * FROM ({query}) AS q LIMIT 0".encode()).description or []
    return [Column(column.name, column.type_code) for column in described if column.name != "workspace"]


def fetch(
    conn: psycopg.Connection[Any],
    question: Question,
    columns: Sequence[Column],
    part: Path,
    note: Path,
    kept: Kept,
    advance: Advance,
) -> int:
    """Adds the rows behind those that are kept, as Postgres writes them. Returns how many there are."""
    note.unlink(missing_ok=True)
    place = [column.name for column in columns].index(question.key) if question.key else -1
    rows, size = kept.rows, kept.size
    advance(rows)
    with part.open("r+b" if size else "wb") as file:
        file.truncate(size)
        file.seek(size)
        with conn.cursor() as cursor, cursor.copy(copied(question, columns, kept.after)) as copy:
            for block in copy:  # a row each
                size += file.write(block)
                rows += 1
                if not rows % EACH:
                    advance(EACH)
                    if place >= 0:
                        keep(note, file, Kept(kept.query, kept.columns, cell(block, place), rows, size))
    return rows


def copied(question: Question, columns: Sequence[Column], after: str) -> Composed:
    names = SQL(", ").join(Identifier(column.name) for column in columns)
    rows = SQL("SELECT {} FROM ({}) AS q").format(names, SQL(question.query))
    if question.key:
        key = Identifier(question.key)
        rows += SQL(" WHERE {} > {}").format(key, Literal(after)) if after else SQL("")
        rows += SQL(" ORDER BY {}").format(key)
    return SQL("COPY ({}) TO STDOUT (FORMAT csv)").format(rows)


def cell(row: bytes | bytearray | memoryview, place: int) -> str:
    return next(csv.reader(bytes(row).decode().splitlines(keepends=True)))[place]


def keep(note: Path, file: IO[bytes], kept: Kept) -> None:
    """Notes how far a part is, once its rows are on disk."""
    file.flush()
    os.fsync(file.fileno())
    new = note.with_name(f"{note.name}.new")
    new.write_bytes(msgspec.json.encode(kept))
    new.replace(note)

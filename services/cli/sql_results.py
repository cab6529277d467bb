"""Runs SQL as a login that only reads, and prints what it gives: a table, CSV or JSON."""

import csv
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, NamedTuple

import msgspec
import psycopg
import typer
from psycopg.types.json import set_json_loads

from projections import PROJECTIONS
from services.cli import output

JSON = msgspec.json.Encoder(decimal_format="number", enc_hook=str)  # sums of bigint are numeric
Connection = psycopg.Connection[Any]


class Result(NamedTuple):
    """What one statement gave: `texts` as Postgres writes them, `rows` as Python values, those of JSON as text."""

    columns: list[str]
    texts: list[list[str | None]]
    rows: list[tuple[Any, ...]]


@contextmanager
def connected(address: str) -> Iterator[Connection]:
    """Opens a session. Sums and custom fields keep every digit: JSON is passed on as its text."""
    with psycopg.connect(address, autocommit=True, application_name="crm sql") as conn:
        set_json_loads(lambda text: msgspec.Raw(text if isinstance(text, bytes) else text.encode()), conn)
        yield conn


def run(conn: Connection, text: str) -> Iterator[Result]:
    """Runs statements and yields the result of each that gives rows. Raises ValueError, or what Postgres says."""
    with sentences(), conn.cursor() as cursor:
        cursor.execute(text.encode())
        while True:
            if cursor.description is not None and (found := cursor.pgresult):
                columns = [column.name for column in cursor.description]
                cells = [[found.get_value(r, c) for c in range(found.nfields)] for r in range(found.ntuples)]
                texts = [[None if cell is None else cell.decode() for cell in row] for row in cells]
                yield Result(columns, texts, cursor.fetchall())
            if not cursor.nextset():
                return


@contextmanager
def sentences() -> Iterator[None]:
    """Raises what Postgres refuses as a sentence that says what to do."""
    try:
        yield
    except (psycopg.errors.ReadOnlySqlTransaction, psycopg.errors.InsufficientPrivilege) as error:
        raise ValueError(
            f"`crm sql` reads the views of one workspace and nothing else: {error.diag.message_primary}. Nothing was "
            "changed. To change data use mutations: docs/commands.md."
        ) from None
    except psycopg.errors.UndefinedTable as error:
        raise ValueError(
            f"{error.diag.message_primary}. The views are {', '.join(PROJECTIONS)}: docs/sql.md."
        ) from None
    except psycopg.errors.QueryCanceled as error:
        raise ValueError(f"{error.diag.message_primary}. Allow more with --timeout SECONDS.") from None


def print_table(result: Result) -> None:
    output.print_table(result.columns, result.texts)
    typer.echo(f"{len(result.rows):,} rows", err=True)


def print_csv(result: Result) -> None:
    """Prints values as Postgres writes them; null is an empty value."""
    writer = csv.writer(sys.stdout, lineterminator="\n")
    writer.writerow(result.columns)
    writer.writerows(result.texts)


def print_json(result: Result) -> None:
    """Prints an array of objects, a row a line. Of two columns with one name the later one stays."""
    lines = ",\n".join(JSON.encode(dict(zip(result.columns, row, strict=True))).decode() for row in result.rows)
    typer.echo(f"[{lines}]")


PRINTERS: dict[str, Callable[[Result], None]] = {"table": print_table, "csv": print_csv, "json": print_json}

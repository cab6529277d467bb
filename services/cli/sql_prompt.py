"""The prompt of `crm sql`: psql where there is one, else a simple one."""

import signal
import subprocess
from collections.abc import Callable

import psycopg
import typer

from crm.errors import CrmError
from services.cli import sql_results
from services.operations.backup.postgres_programs import candidates, libpq_environment

HINT = "Views: `\\dv`, columns: `\\d deal`, end: `\\q`. What they mean: docs/sql.md."


def psql(program: str, address: str) -> int:
    """Runs psql and returns its exit code. Ctrl-C cancels a statement, as psql does by itself, and does not end us."""
    before = signal.signal(signal.SIGINT, signal.SIG_IGN)
    try:
        return subprocess.Popen(
            [program], env=libpq_environment(address), preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL)
        ).wait()
    finally:
        signal.signal(signal.SIGINT, before)


def simple(address: str, read: Callable[[str], str] = input) -> None:
    """Asks for statements, each ended with a semicolon, until `\\q` or the end of the input."""
    with sql_results.connected(address) as conn:
        statement: list[str] = []
        while True:
            try:
                line = read("...> " if statement else "sql> ")
            except EOFError:
                return
            if line.strip() in ("\\q", "exit", "quit"):
                return
            statement.append(line)
            if line.rstrip().endswith(";"):
                try:
                    for result in sql_results.run(conn, "\n".join(statement)):
                        sql_results.print_table(result)
                except (CrmError, ValueError, psycopg.Error) as error:
                    typer.echo(str(error).strip(), err=True)
                statement = []


def prompt(address: str) -> int:
    """Opens a prompt and returns the exit code."""
    if programs := candidates("psql"):
        typer.echo(HINT, err=True)
        return psql(programs[0], address)
    typer.echo("End each statement with `;`. End: `\\q`. The views: docs/sql.md.", err=True)
    simple(address)
    return 0

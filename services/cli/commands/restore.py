"""`crm restore`: replaces the database with a backup and keeps the present one under another name."""

import contextlib
import os
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from services.cli import output
from services.cli.options import Data, Json
from services.stack import state

PANEL, RANK = "Operate", 5


def restore(
    folder: Annotated[Path, typer.Argument(metavar="FROM", help="Folder that `crm backup` has made.")],
    data: Data = None,
    json: Json = False,
) -> None:
    """Replace the database (DATABASE_URL's, or the embedded one, which is started for it) with a backup.

    The roles must be stopped. When they start again they catch up with the journal in Kafka.
    """
    from services.operations.backup import restore as restoring

    began = time.monotonic()
    console = Console(stderr=True, quiet=json)
    with database_of(data) as dsn, console.status("Restoring Postgres") if console.is_terminal else console:
        taken, kept = restoring.restore(dsn, folder)
    seconds = round(time.monotonic() - began, 2)
    events = sum(taken.journal_heads.values())
    if json:
        output.print_json({"taken_at": taken.taken_at, "journal": events, "kept_as": kept or None, "seconds": seconds})
        return
    typer.echo(f"Restored the backup of {taken.taken_at} with {events:,} journal events decided, in {seconds} s.")
    if kept:
        typer.echo(f"The previous database is kept as {kept}. When you no longer need it: DROP DATABASE {kept};")
    output.say("Start the roles now (`crm up`): they catch up with the journal before they decide anything.")


@contextlib.contextmanager
def database_of(data: Path | None) -> Iterator[str]:
    """Yields the address of the environment's database, else of the embedded one, started without the rest.

    Raises AlreadyRuns while the stack is running.
    """
    folder = (data or state.data_folder()).absolute()
    if given := os.environ.get("DATABASE_URL"):
        yield given
        return
    with contextlib.suppress(state.NotRunning):
        names = ", ".join(part.name for part in state.running(folder).parts if part.pid)
        raise state.AlreadyRuns(
            f"The stack on {folder} is running ({names}). Nothing was changed: stop it with `crm down` and try again."
        )
    from services.operations.archive.single_server import single_postgres

    with single_postgres(folder) as dsn:
        yield dsn

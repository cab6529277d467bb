"""`crm restore`: a backup becomes the database; the present one is kept under another name."""

import contextlib
import os
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from services.cli import output as show
from services.cli.options import Data, Json
from services.stack import state


def restore(
    folder: Annotated[Path, typer.Argument(metavar="FROM", help="What `crm backup` has made.")],
    data: Data = None,
    json: Json = False,
) -> None:
    """Put a backup in place of the database: DATABASE_URL's, else the embedded one, which is started for it.

    The roles must be stopped. At their next start they fold in what the journal in Kafka has more.
    """
    from services.operations.backup.restore import restore as run

    began = time.monotonic()
    console = Console(stderr=True, quiet=json)
    with database_of(data) as dsn, console.status("Restoring Postgres") if console.is_terminal else console:
        taken, kept = run(dsn, folder)
    seconds = round(time.monotonic() - began, 2)
    events = sum(taken.journal_heads.values())
    if json:
        show.as_json({"taken_at": taken.taken_at, "journal": events, "kept_as": kept or None, "seconds": seconds})
        return
    typer.echo(f"Restored the backup of {taken.taken_at} with {events:,} journal events decided, in {seconds} s.")
    if kept:
        typer.echo(f"What was there is kept as {kept}; once all is well: DROP DATABASE {kept};")
    typer.echo("Start the roles now (`crm up`): they fold in what Kafka has more before they decide anything.")


@contextlib.contextmanager
def database_of(data: Path | None) -> Iterator[str]:
    """What the environment names; else the embedded one, alone. Raises AlreadyRuns while the stack does."""
    folder = (data or state.data_folder()).absolute()
    if given := os.environ.get("DATABASE_URL"):
        yield given
        return
    with contextlib.suppress(state.NotRunning):
        names = ", ".join(part.name for part in state.running(folder).parts if part.pid)
        raise state.AlreadyRuns(
            f"The stack on {folder} runs ({names}). Nothing was changed: stop it with `crm down`, then run this again."
        )
    from services.operations.archive.alone import postgres_alone

    with postgres_alone(folder) as dsn:
        yield dsn

"""`crm backup`: dumps the database into a folder while everything is running."""

import os
import time
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from services.cli import output
from services.cli.options import Data, Json
from services.stack import state

PANEL, RANK = "Operate", 4


def backup(
    to: Annotated[Path | None, typer.Argument(help="A new folder.", show_default="DATA/backups/TIME")] = None,
    data: Data = None,
    json: Json = False,
) -> None:
    """Dump Postgres, to be restored faster than it can be rebuilt. The source of truth is Kafka: see `crm archive`."""
    from services.operations.backup.backup import back_up

    dsn = os.environ.get("DATABASE_URL") or state.running(data or state.data_folder()).database_url
    folder = to or (data or state.data_folder()) / "backups" / f"{datetime.now(UTC):%Y%m%dT%H%M%SZ}"
    began = time.monotonic()
    console = Console(stderr=True, quiet=json)
    with console.status("Dumping Postgres") if console.is_terminal else console:
        taken = back_up(dsn, folder.absolute())
    seconds = round(time.monotonic() - began, 2)
    events = sum(taken.journal_heads.values())
    if json:
        figures = {"bytes": taken.size, "journal": events, "seconds": seconds}
        output.print_json({"folder": str(folder.absolute()), **figures})
    else:
        typer.echo(
            f"Backed up Postgres {taken.postgres} to {folder} in {seconds} s: {taken.size / 1e6:,.1f} MB, "
            f"{events:,} journal events decided. The backup contains personal data."
        )

"""`crm export`: a view or a query of one workspace into a file."""

import time
from pathlib import Path
from typing import Annotated

import typer

from crm.adapters.postgres.analysts import session_login
from services.cli import output
from services.cli.options import Data, Json, Workspace
from services.cli.target import target, workspace

PANEL, RANK = "Look", 6
TIMEOUT = 3_600  # seconds


def export(
    what: Annotated[str, typer.Argument(metavar="VIEW|SELECT", help="contact, deal and the other views, or a query.")],
    file: Annotated[Path, typer.Argument(help="Its ending says what is written: .csv, .xlsx or .parquet.")],
    where: Annotated[str, typer.Option(help="Of a view: a condition in SQL, such as \"stage = 'won'\".")] = "",
    resume: Annotated[bool, typer.Option("--resume", help="Of a view: go on where an export was cut off.")] = False,
    workspace_id: Workspace = "",
    timeout: Annotated[int, typer.Option(help="Seconds that it may take.", min=1)] = TIMEOUT,
    data: Data = None,
    json: Json = False,
) -> None:
    """Export a view or a query to CSV, XLSX or Parquet. The file appears when it is whole."""
    from services.cli import sql_results
    from services.operations.archive.progress import progress
    from services.operations.export import export as write
    from services.operations.export import query_of

    query = query_of(what, where)
    began = time.monotonic()
    with (
        session_login(target(data).database_url, workspace(workspace_id, data), timeout) as address,
        sql_results.connected(address) as conn,
        sql_results.sentences(),
        progress("Exporting", 0, "rows", quiet=json) as advance,
    ):
        count = write(conn, query, file, advance, resume)
    seconds = time.monotonic() - began
    if json:
        output.print_json({"file": str(file), "rows": count, "seconds": round(seconds, 3)})
    else:
        typer.echo(f"Exported {count:,} rows to {file} in {seconds:.1f} s ({count / seconds:,.0f}/s).")

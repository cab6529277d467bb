"""`crm sql`: read-only SQL on the read models of one workspace."""

import sys
from pathlib import Path
from typing import Annotated

import typer
from psycopg.conninfo import conninfo_to_dict

from crm.adapters.postgres.analysts import lasting_login, revoke, session_login
from services.cli import output
from services.cli.options import Data, Json, Workspace
from services.cli.target import target, workspace

PANEL, RANK = "Look", 5

TIMEOUT = 60  # seconds that a statement may take
LOCAL = ("127.0.0.1", "localhost", "::1", "")


def sql(
    query: Annotated[
        str, typer.Argument(metavar="[SQL|FILE.sql|-]", help="Statements, a file of them, or - for standard input.")
    ] = "",
    workspace_id: Workspace = "",
    csv: Annotated[bool, typer.Option("--csv", help="Print CSV.")] = False,
    timeout: Annotated[int, typer.Option(help="Seconds that one statement may take.", min=1)] = TIMEOUT,
    connection_string: Annotated[
        bool, typer.Option("--connection-string", help="Make a login for a BI tool and print its address.")
    ] = False,
    login: Annotated[str, typer.Option(help="With --connection-string: name of the login.")] = "analyst",
    new_password: Annotated[
        bool, typer.Option("--new-password", help="With --connection-string: replace the login's password.")
    ] = False,
    revoke_login: Annotated[str, typer.Option("--revoke", metavar="LOGIN", help="Remove a login.")] = "",
    data: Data = None,
    json: Json = False,
) -> None:
    """Query the read models of a workspace in SQL: a statement, a file, or a prompt. Nothing can be written."""
    dsn, owner = target(data).database_url, workspace(workspace_id, data)
    if revoke_login:
        revoke(dsn, owner, revoke_login)
        typer.echo(f"The login {revoke_login} was removed, and its sessions were ended.", err=True)
    elif connection_string:
        print_address(lasting_login(dsn, owner, login, timeout, new_password), json)
    else:
        text = given(query)
        with session_login(dsn, owner, timeout) as address:
            if text is None:
                from services.cli.sql_prompt import prompt

                raise typer.Exit(prompt(address))
            from services.cli import sql_results

            with sql_results.connected(address) as conn:
                for result in sql_results.run(conn, text):
                    sql_results.PRINTERS["json" if json else "csv" if csv else "table"](result)


def given(query: str) -> str | None:
    """Returns the statements, or None for a prompt. Raises ValueError when there is no such file."""
    if query == "-" or (not query and not sys.stdin.isatty()):
        return sys.stdin.read()
    if query.endswith(".sql") and len(query.split()) == 1:
        if not Path(query).exists():
            raise ValueError(f"There is no file {query}. Nothing was run.")
        return Path(query).read_text("utf-8")
    return query or None


def print_address(address: str, json: bool) -> None:
    parts = conninfo_to_dict(address)
    host = str(parts.get("host", ""))
    if json:
        output.print_json({"url": address, **parts})
        return
    typer.echo(address)
    local = f" Only this machine can reach {host or 'the socket'}." if host in LOCAL or host.startswith("/") else ""
    typer.echo(
        "Store it now: the password is not shown again. The login reads the views of this workspace and writes nothing."
        + local,
        err=True,
    )

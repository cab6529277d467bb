"""`crm import`: contacts, deals and objects from a file, checked first."""

import os
import re
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from services.cli import output
from services.cli.commands.produce import columns_of, demo_token
from services.cli.options import Data, Json
from services.cli.target import target

if TYPE_CHECKING:
    from crm.imports import Counts, Status

PANEL, RANK = "Connect", 3
FILE = "CSV, TSV, XLSX, XLS, ODS or vCard, by what is in it; or the id of an import. Or undo or redo, before the file."
IMPORT_ID = re.compile(r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}")
SHOWN = 5  # reasons
KINDS = ("create", "update", "unchanged", "skip", "error")
WORDS = {"create": "new", "update": "changed", "unchanged": "unchanged", "skip": "skipped", "error": "refused"}


def import_file(
    file: Annotated[Path, typer.Argument(help=FILE)],
    of: Annotated[str, typer.Argument(help="With undo and redo: the file that was imported, or the id.")] = "",
    record: Annotated[str, typer.Option("--to", help="contact, deal or the key of an object type.")] = "",
    mapping: Annotated[
        list[str], typer.Option("--map", help="COLUMN=TARGET: name, phones, amount, fields.NAME; empty leaves it out.")
    ] = [],  # noqa: B006
    system: Annotated[str, typer.Option(help="Whose keys the rows have.", show_default="by its headers")] = "",
    existing: Annotated[
        str, typer.Option(help="What happens to a record that is there: update, fill (what is empty) or skip.")
    ] = "update",
    charset: Annotated[str, typer.Option(help="Of a text.", show_default="by its letters")] = "",
    delimiter: Annotated[str, typer.Option(help="Of a text.", show_default="by its rows")] = "",
    sheet: Annotated[str, typer.Option(help="Of a workbook.", show_default="the first with rows")] = "",
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Check every row and change nothing.")] = False,
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Import after the check without asking.")] = False,
    show_status: Annotated[bool, typer.Option("--status", help="Show how far it is.")] = False,
    pause: Annotated[bool, typer.Option("--pause", help="Stop at the row where it is.")] = False,
    resume: Annotated[bool, typer.Option("--resume", help="Go on where it was paused.")] = False,
    cancel: Annotated[bool, typer.Option("--cancel", help="Stop importing it; what was imported stays.")] = False,
    token: Annotated[
        str, typer.Option(help="Token with scope write.", show_default="$CRM_TOKEN or the demo workspace's")
    ] = "",
    url: Annotated[str, typer.Option(help="Address of the API.", show_default="the running stack's")] = "",
    data: Data = None,
    json: Json = False,
) -> None:
    """Import a file: every row is checked first. The same file again changes nothing.

    `crm import undo FILE` takes an import back, `crm import redo FILE` brings it again.
    """
    from crm.imports import Options, Phase, Wish
    from services.cli.import_progress import following
    from services.cli.import_undo import take_back
    from services.operations.imports.client import ImportClient

    address = url or target(data).graphql_url.removesuffix("/graphql")
    bearer = token or os.environ.get("CRM_TOKEN", "") or demo_token(data)
    if of:
        take_back(file.name, Path(of), ImportClient(address, bearer, Path(of), None), dry_run, yes, json)
        return
    if not (file.exists() or IMPORT_ID.fullmatch(file.name)):
        raise typer.BadParameter(f"There is no file {file}. Nothing was imported.")
    options = Options(record, columns_of(mapping), system, existing, charset=charset, delimiter=delimiter, sheet=sheet)
    as_before = not file.exists() and options == Options()  # what was said of an import by its id holds
    with ImportClient(address, bearer, file, None if as_before else options) as client:
        if show_status or cancel or pause:
            wish = Wish.CANCEL if cancel else Wish.PAUSE
            show(client.ask(wish) if cancel or pause else client.status(), json)
            return
        if not resume:
            client.check()
            with following("Checking", json) as look:
                status = client.follow(look)
            if not json:
                show(status, json)
            if status.phase is not Phase.CHECKED:
                end(status, json)
            if dry_run or not (yes or (not json and confirmed(status.checked))):
                end(status, json, client.failed, file)
        client.ask(Wish.RUN, as_before=resume)
        with following("Importing", json) as look:
            status = client.follow(look)
        if not json:
            show(status, json)
        end(status, json, client.failed, file)


globals()["import"] = import_file  # the command is named like this file, and Python has that word


def confirmed(counts: "Counts") -> bool:
    """Asks on a terminal; elsewhere nobody can answer, so that nothing is imported without --yes."""
    if not sys.stdin.isatty():
        output.say("Nothing was imported. Give --yes to import after the check.", err=True)
        return False
    return typer.confirm(f"Import {counts.create + counts.update + counts.unchanged:,} rows?")


def show(status: "Status", json: bool) -> None:
    if json:
        output.print_json(status)
        return
    if status.message:
        output.say(status.message, err=status.phase == "failed")
    if status.phase == "failed":
        return
    if status.phase == "checked":
        found = ", ".join(f"{name} {value!r}" for name, value in status.found.items())
        typer.echo(f"{status.name}: {status.format}{', ' if found else ''}{found}")
        for note in status.notes:
            typer.echo(note)
        rows = [
            (column, to or "left out", next((cells[n] for cells in status.sample if cells[n]), ""))
            for n, (column, to) in enumerate(status.columns.items())
        ]
        empty = [column for column, to, value in rows if not value and to == f"fields.{column}"]
        rows = [row for row in rows if row[0] not in empty]
        output.print_table(("column", f"of a {status.record} ({status.system})", "for example"), rows)
        if empty:
            typer.echo(f"Columns without a value in the first rows: {', '.join(empty)}")
    typer.echo(said(status))
    for kind, reasons in (("refused", status.reasons), ("doubtful", status.doubts), ("skipped", status.skipped)):
        for reason in reasons[:SHOWN]:
            typer.echo(f"Row {reason.row:,} {kind}: {reason.why}", err=True)


def said(status: "Status") -> str:
    counts, rate = status.counts, round(status.counts.rows / status.seconds) if status.seconds else 0
    if status.phase == "checked":
        kinds = ", ".join(f"{getattr(counts, kind):,} {WORDS[kind]}" for kind in KINDS if getattr(counts, kind))
        read = f"Checked {counts.rows:,} rows in {status.seconds:.1f} s ({rate:,}/s)"
        return f"{read}: {kinds or 'no rows'}. Nothing was changed."
    what = {"done": "Imported", "cancelled": "Cancelled after"}.get(status.phase, status.phase.capitalize())
    rest = f"{counts.skip:,} skipped, {counts.error:,} refused"
    return f"{what} {status.decided:,} rows in {status.seconds:.1f} s ({rate:,}/s), {rest}."


def end(status: "Status", json: bool, failed: object = None, file: Path | None = None) -> None:
    """Keeps the rows that were refused next to the file, and exits: 1 if there are any."""
    if json:
        output.print_json(status)
    if status.failed and callable(failed) and file:
        into = file.with_name(status.failed)
        failed(into)
        output.say(
            f"Rows that were refused: {status.counts.error:,}. They are in {into}, each with its reason: correct them "
            f"there and run `crm import {into}`.",
            err=True,
        )
    raise typer.Exit(1 if status.counts.error or status.phase == "failed" else 0)

"""`crm import undo` and `crm import redo`: what an import did is taken back, and brought again."""

import sys
from pathlib import Path

import typer

from crm.imports import Phase, Status, Wish
from services.cli import output
from services.cli.import_progress import following
from services.operations.imports.client import ImportClient

SHOWN = 20  # of what is kept
UNDO, REDO = "undo", "redo"


def take_back(word: str, of: Path, client: ImportClient, dry_run: bool, yes: bool, json: bool) -> None:
    """`of`: the file that was imported, or the id of the import. Exits with 1 when it fails."""
    if word not in (UNDO, REDO):
        raise typer.BadParameter(f"There is no `crm import {word} …`. Say undo or redo before the file.")
    with client:
        if word == REDO:
            end(followed(client, Wish.REDO, "Bringing it again", json), json, client, of)
        status = followed(client, Wish.CHECK_UNDO, "Checking", json)
        if dry_run or status.phase is not Phase.UNDO_CHECKED or not (yes or (not json and confirmed(status))):
            end(status, json, client, of)
        end(followed(client, Wish.UNDO, "Undoing", json), json, client, of)


def followed(client: ImportClient, wish: Wish, doing: str, json: bool) -> Status:
    client.ask(wish)
    with following(doing, json) as look:
        status = client.follow(look)
    if not json:
        show(status)
    return status


def show(status: Status) -> None:
    if status.message:
        output.say(status.message, err=status.phase is Phase.FAILED)
    if status.phase is Phase.FAILED:
        return
    typer.echo(said(status))
    for one in status.undo.reasons[:SHOWN] if status.undo else ():
        typer.echo(f"Kept {one.record} {one.name!r}: {one.why}", err=True)


def said(status: Status) -> str:
    if (undo := status.undo) is None:
        return f"{status.name}: {status.decided:,} rows came again in {status.seconds:.1f} s."
    is_check = status.phase is Phase.UNDO_CHECKED
    if not (undo.removed or undo.set_back):
        return f"{status.name}: nothing is left to undo, {undo.kept:,} kept. Nothing was changed."
    parts = [(undo.contacts, "contacts"), (undo.deals, "deals"), (undo.objects, "objects")]
    gone = " and ".join(f"{count:,} {what}" for count, what in parts if count) or "nothing"
    verb = "would go" if is_check else "are gone"
    rest = f"{undo.set_back:,} {'would be' if is_check else 'are'} as before, {undo.kept:,} kept"
    end = " Nothing was changed." if is_check else ""
    return f"{status.name}: {gone} {verb}, {rest}.{end}"


def confirmed(status: Status) -> bool:
    undo = status.undo
    if undo is None or not (undo.removed or undo.set_back):
        return False
    if not sys.stdin.isatty():
        output.say("Nothing was undone. Give --yes to undo it after the check.", err=True)
        return False
    return typer.confirm(f"Undo it, {undo.removed:,} records go?")


def end(status: Status, json: bool, client: ImportClient, of: Path) -> None:
    """Keeps the list of what is kept next to the file, and exits."""
    if json:
        output.print_json(status)
    if status.undo and status.failed:
        into = of.with_name(status.failed)
        client.failed(into)
        output.say(f"All that is kept, each with its reason: {into}.", err=True)
    raise typer.Exit(1 if status.phase is Phase.FAILED else 0)

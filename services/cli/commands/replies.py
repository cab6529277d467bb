"""`crm replies`: who waits for an answer, answering, and what became of the answers."""

import asyncio
from collections.abc import Mapping
from datetime import datetime
from mimetypes import guess_type
from typing import Annotated, Any

import typer

from services.cli import output
from services.cli.options import Data, Json, Workspace
from services.cli.target import id_of, target
from services.cli.target import workspace as workspace_of

PANEL, RANK = "Connect", 3
LONGEST = 60  # characters of a text in a table

app = typer.Typer(no_args_is_help=True, help="Answers in conversations, and what became of them. See docs/replies.md.")
Most = Annotated[int, typer.Option(help="How many, the newest first.", min=1, max=1_000)]
Status = typer.Option(
    "--status", help="queued, uncertain, failed, sent, delivered or read; may be repeated. Default: what is not sent."
)
VALUE = typer.Option("--value", help="A value of the template, such as 1=Olena; may be repeated.")


@app.command()
def waiting(
    all: Annotated[bool, typer.Option("--all", help="Those that were answered too.")] = False,
    most: Most = 50,
    workspace: Workspace = "",
    data: Data = None,
    json: Json = False,
) -> None:
    """List the conversations in which the customer wrote last, with the ids to answer them by."""
    from services.operations import replies

    where, owner = target(data).database_url, workspace_of(workspace, data)
    found = asyncio.run(replies.conversations_of(where, owner, all, most))
    if json:
        output.print_json(found)
    elif not found:
        output.say("Nobody waits for an answer.")
    else:
        names = ("conversation_id", "channel", "contact", "touched_at", "last_text")
        output.print_table(("conversation", *names[1:4], "says"), [row_of(one, names) for one in found])


@app.command("list")
def list_(
    status: Annotated[list[str], Status] = [],  # noqa: B006
    days: Annotated[int, typer.Option(help="Of how many days.", min=1)] = 30,
    most: Most = 50,
    workspace: Workspace = "",
    data: Data = None,
    json: Json = False,
) -> None:
    """List answers that did not go out, and why: those that wait, failed, or of which nobody knows."""
    from services.operations import replies

    for one in status:
        if one not in replies.STATUSES:
            raise ValueError(f"There is no status {one!r}. Choose of {', '.join(replies.STATUSES)}.")
    where, owner = target(data).database_url, workspace_of(workspace, data)
    found = asyncio.run(replies.replies_of(where, owner, tuple(status) or replies.OPEN, days, most))
    if json:
        output.print_json(found)
        return
    if not found:
        output.say("All answers are sent." if not status else "There are none.")
        return
    names = ("message_id", "status", "channel", "contact", "sent_at", "text", "why")
    rows = [row_of({**one, "why": one["failure"] or one["waits_for"] or ""}, names) for one in found]
    output.print_table(("id", *names[1:4], "at", "text", "why"), rows)
    if any(one["status"] in ("uncertain", "failed") for one in found):
        output.say("Look in the channel's own app, then `crm replies resolve ID sent` or `... again`.", err=True)


@app.command()
def send(
    conversation: Annotated[str, typer.Argument(help="Id, as `crm replies waiting` shows it.")],
    text: Annotated[str, typer.Argument(help="What it says; of a template, its text.")] = "",
    file: Annotated[list[str], typer.Option(help="https URL of a file that goes with it; may be repeated.")] = [],  # noqa: B006
    template: Annotated[str, typer.Option(help="Name and language of an approved template, such as order:uk.")] = "",
    values: Annotated[list[str], VALUE] = [],  # noqa: B006
    author: Annotated[str, typer.Option(help="Who answers, for people.")] = "",
    workspace: Workspace = "",
    data: Data = None,
    json: Json = False,
) -> None:
    """Answer in a conversation, through the connection by which the customer last wrote."""
    given: dict[str, Any] = {"conversation_id": id_of(conversation), "text": text, "author": author}
    if file:
        given["attachments"] = [{"url": url, "media_type": guess_type(url)[0] or ""} for url in file]
    if template:
        name, _, language = template.rpartition(":")
        pairs = dict(one.partition("=")[::2] for one in values)
        given["template"] = {"name": name or language, "language": language if name else "uk", "values": pairs}
    run("conversation_reply", given, workspace, data, json, "It is queued; `crm replies list` shows what is not sent.")


@app.command()
def resolve(
    message: Annotated[str, typer.Argument(help="Id, as `crm replies list` shows it.")],
    outcome: Annotated[str, typer.Argument(help="sent: it stands in the channel. again: send it once more.")],
    author: Annotated[str, typer.Option(help="Who looked, for people.")] = "",
    workspace: Workspace = "",
    data: Data = None,
    json: Json = False,
) -> None:
    """Say of an answer that is uncertain, or failed, that it was sent, or send it again."""
    if outcome not in ("sent", "again"):
        raise ValueError(f"There is no outcome {outcome!r}: say sent or again. Nothing was changed.")
    given = {"message_id": id_of(message), "outcome": outcome, "author": author}
    said = "It counts as sent." if outcome == "sent" else "It is sent once more."
    run("reply_resolve", given, workspace, data, json, said)


def row_of(one: Mapping[str, Any], names: tuple[str, ...]) -> tuple[object, ...]:
    return tuple(short(one[name]) for name in names)


def short(value: object) -> object:
    if isinstance(value, datetime):
        return f"{value:%Y-%m-%d %H:%M}"
    text = " ".join(str(value or "").split())
    return text if len(text) <= LONGEST else f"{text[: LONGEST - 1]}…"


def run(name: str, given: Mapping[str, object], workspace: str, data: Any, json: bool, said: str) -> None:
    """Carries out a command and prints the answer's id."""
    from services.operations import replies

    where, owner = target(data).database_url, workspace_of(workspace, data)
    id = asyncio.run(replies.carry_out_one(where, owner, name, given))
    if json:
        output.print_json({"message_id": id})
        return
    typer.echo(id)
    output.say(said, err=True)

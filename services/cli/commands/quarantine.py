"""`crm quarantine`: deliveries that could not be understood, and what to do about them."""

import asyncio
import getpass
from typing import Annotated, Any

import msgspec
import typer
from psycopg import AsyncConnection

from crm.adapters.kafka.reading import RecordReader
from crm.envelope import now
from crm.moments import first
from crm.output import write_out
from crm.rereads import Entry
from crm.scalars import Id, Micros
from services.cli import output
from services.cli.options import Data, Json
from services.cli.target import Target, id_of, target
from services.operations.archive.progress import progress
from services.operations.quarantine import formatting, reparsing
from services.operations.quarantine.entries import STATUSES, EntryFilter, find_entries
from services.operations.quarantine.reparsing import Outcome
from services.operations.quarantine.session import operator_session

PANEL, RANK = "Look", 3

app = typer.Typer(no_args_is_help=True, help="Deliveries that could not be understood: show, reparse or discard them.")

Ids = Annotated[list[str], typer.Argument(help="Ids, as `crm quarantine list` shows them.")]
OneId = Annotated[str, typer.Argument(help="Id, as `crm quarantine list` shows it.")]
Connector = Annotated[str, typer.Option(help="Only of this connector.")]
Workspace = Annotated[str, typer.Option("--workspace", help="Only of this workspace.", show_default="all")]
Actor = Annotated[str, typer.Option(help="Name of the operator, recorded in the journal.", show_default="you")]


@app.command("list")
def list_(
    connector: Connector = "",
    since: Annotated[str, typer.Option(help="Not older than 30m, 2h, 7d, or a date and time (UTC).")] = "",
    reason: Annotated[str, typer.Option(help="Only with this text in the reason.")] = "",
    status: Annotated[str, typer.Option(help=f"One of {', '.join(STATUSES)}.")] = "waiting",
    workspace: Workspace = "",
    nobody: Annotated[bool, typer.Option("--nobody", help="Only records whose workspace could not be read.")] = False,
    leads: Annotated[
        bool, typer.Option("--leads", help="Only people who may be waiting for an answer, with phone numbers.")
    ] = False,
    limit: Annotated[int, typer.Option(min=1, help="How many, oldest first.")] = 100,
    data: Data = None,
    json: Json = False,
) -> None:
    """List what is in quarantine, oldest first."""
    if status not in STATUSES:
        raise ValueError(f"There is no status {status!r}. Choose one of {', '.join(STATUSES)}.")
    at = now()
    owner = id_of(workspace) if workspace else None
    wanted = EntryFilter(
        (), connector, reason, status, first(since, at) if since else Micros(0), owner, nobody, "lead" if leads else ""
    )
    found = asyncio.run(look(target(data), wanted, limit))
    if json:
        output.print_json(found)
    elif not found:
        typer.echo("Nothing matches in quarantine.")
    else:
        columns = ["id", "age", "connector", "connection", "attempts", "status", "bytes", "reason"]
        if leads:
            columns.insert(2, "numbers and addresses")
        output.print_table(columns, [row_of(entry, formatting.age(entry.quarantined_at, at), leads) for entry in found])


def row_of(entry: Entry, age: str, leads: bool) -> tuple[object, ...]:
    identifiers = [" ".join((*entry.phones, *entry.emails))] if leads else []
    details = entry.connector, entry.connection, entry.attempts, entry.status, entry.size
    return entry.id, age, *identifiers, *details, " ".join(entry.reason.split())


@app.command()
def show(
    id: OneId,
    raw: Annotated[bool, typer.Option("--raw", help="Print the exact bytes and nothing else.")] = False,
    data: Data = None,
    json: Json = False,
) -> None:
    """Show one delivery: why it is in quarantine, where it is stored, its headers and its body."""
    entry, record = asyncio.run(fetch(target(data), id_of(id)))
    fact, delivery = formatting.delivery_of(record)
    if raw:
        write_out(delivery.body)
        return
    details: dict[str, Any] = msgspec.to_builtins(entry) | {
        "type": type(fact).__name__ if fact else "unreadable",
        "received_at": formatting.iso(entry.received_at),
        "quarantined_at": formatting.iso(entry.quarantined_at),
        "record_headers": {name: value.decode(errors="replace") for name, value in record.headers},
        "headers": delivery.headers,
        "query": delivery.query,
        "body": formatting.readable(delivery.body),
    }
    if json:
        output.print_json(details)
        return
    for name, value in details.items():
        if isinstance(value, dict):
            typer.echo("\n".join([name, *(f"  {key}: {text}" for key, text in value.items())]))
        elif value not in ("", None):
            typer.echo(f"{name}\n{value}" if name == "body" else f"{name:<15} {value}")


@app.command()
def reparse(
    ids: Ids = [],  # noqa: B006
    connector: Connector = "",
    everything: Annotated[bool, typer.Option("--all", help="All that are waiting.")] = False,
    workspace: Workspace = "",
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Show what would happen without sending anything.")
    ] = False,
    actor: Actor = "",
    data: Data = None,
    json: Json = False,
) -> None:
    """Read deliveries again with today's connectors. Safe to repeat: each is processed once."""
    if sum((bool(ids), bool(connector), everything)) != 1:
        raise ValueError("Say what to reparse: ids, --connector or --all. Nothing was changed.")
    owner = id_of(workspace) if workspace else None
    status = "all" if ids else "waiting"
    wanted = EntryFilter(tuple(map(id_of, ids)), connector, status=status, workspace=owner)
    outcomes = asyncio.run(reparsed(target(data), wanted, dry_run, actor or getpass.getuser(), json))
    if json:
        output.print_json(outcomes)
    else:
        rows = [(o.id, o.status, o.attempts, o.reason) for o in outcomes]
        output.print_table(("id", "status", "attempts", "reason"), rows)
    waiting = {outcome.id for outcome in outcomes if outcome.status == "waiting"}
    leads = asyncio.run(look(target(data), EntryFilter(at_risk="lead"))) if waiting else []
    if people := sum(entry.id in waiting for entry in leads):
        output.say(f"{people} of them may be people waiting for an answer: `crm quarantine list --leads`.", err=True)
    if waiting:
        raise typer.Exit(1)


@app.command()
def discard(
    ids: Ids,
    reason: Annotated[str, typer.Option(help="Why it is not needed, recorded in the journal.")],
    actor: Actor = "",
    data: Data = None,
    json: Json = False,
) -> None:
    """Close deliveries that are not needed. Their bytes stay in Kafka."""
    if not reason.strip():
        raise ValueError("Say with --reason why it is not needed. Nothing was changed.")
    wanted = EntryFilter(tuple(map(id_of, ids)), status="all")
    found = asyncio.run(discarded(target(data), wanted, reason.strip(), actor or getpass.getuser()))
    if json:
        output.print_json(found)
    for entry in () if json else found:
        typer.echo(f"{entry.id} is {entry.status}.")
    if any(entry.status != "discarded" for entry in found):
        raise typer.Exit(1)


async def look(where: Target, wanted: EntryFilter, limit: int | None = None) -> list[Entry]:
    async with await AsyncConnection.connect(where.database_url) as conn:
        found = await find_entries(conn, wanted, limit)
    if missing := sorted({*wanted.ids} - {entry.id for entry in found}):
        raise ValueError(f"Nothing in quarantine has the id {', '.join(missing)}. Nothing was changed.")
    return found


async def fetch(where: Target, id: Id) -> tuple[Entry, Any]:
    (entry,) = await look(where, EntryFilter(ids=(id,), status="all"))
    async with RecordReader(where.kafka_bootstrap) as reader:
        return entry, await reader.record(entry.topic, entry.partition, entry.offset)


async def reparsed(where: Target, wanted: EntryFilter, dry_run: bool, actor: str, quiet: bool) -> list[Outcome]:
    entries = await look(where, wanted)
    outcomes: list[Outcome] = []
    with progress("Reparsing", len(entries), "deliveries", quiet) as advance:

        def report(outcome: Outcome) -> None:
            outcomes.append(outcome)
            advance(1)

        async with operator_session(where.kafka_bootstrap, where.database_url, actor, where.keys) as session:
            if dry_run:
                async for one in reparsing.attempts(session.conn, session.reader, entries, session.operator, report):
                    report(Outcome(one.entry.id, one.expected_status, one.tried, one.summary))
            else:
                await reparsing.reparse(session.conn, session.reader, session.log, entries, session.operator, report)
    return outcomes


async def discarded(where: Target, wanted: EntryFilter, reason: str, actor: str) -> list[Entry]:
    entries = await look(where, wanted)
    async with operator_session(where.kafka_bootstrap, where.database_url, actor, where.keys) as session:
        return await reparsing.discard(session.conn, session.log, entries, reason, session.operator)

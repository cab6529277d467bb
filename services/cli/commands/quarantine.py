"""`crm quarantine`: what could not be understood, and what to do about it."""

import asyncio
import getpass
import sys
from typing import Annotated, Any

import msgspec
import typer
from psycopg import AsyncConnection

from crm.adapters.kafka.point_reads import Places
from crm.envelope import now
from crm.moments import first
from crm.scalars import Id, Micros
from services.cli import output as out
from services.cli.options import Data, Json
from services.cli.target import Target, id_of, target
from services.operations.archive.progress import progress
from services.operations.quarantine import again, showing
from services.operations.quarantine.again import Outcome
from services.operations.quarantine.desk import desk
from services.operations.quarantine.entries import STATUSES, Entry, Wanted, listed

app = typer.Typer(no_args_is_help=True, help="What could not be understood: look at it, take it up again, discard it.")

Ids = Annotated[list[str], typer.Argument(help="Ids, as `crm quarantine list` shows them.")]
OneId = Annotated[str, typer.Argument(help="Its id, as `crm quarantine list` shows it.")]
Connector = Annotated[str, typer.Option(help="Of this connector alone.")]
Workspace = Annotated[str, typer.Option("--workspace", help="Of this workspace alone.", show_default="all")]
Actor = Annotated[str, typer.Option(help="Who does it: it stands in the journal.", show_default="you")]


@app.command("list")
def list_(
    connector: Connector = "",
    since: Annotated[str, typer.Option(help="Not older than this: 30m, 2h, 7d, or a date and time (UTC).")] = "",
    reason: Annotated[str, typer.Option(help="Whose reason has this in it.")] = "",
    status: Annotated[str, typer.Option(help=f"One of {', '.join(STATUSES)}.")] = "waiting",
    workspace: Workspace = "",
    nobody: Annotated[bool, typer.Option("--nobody", help="Only what does not even tell its workspace.")] = False,
    leads: Annotated[bool, typer.Option("--leads", help="Only who may wait for an answer, with numbers.")] = False,
    limit: Annotated[int, typer.Option(min=1, help="The oldest so many.")] = 100,
    data: Data = None,
    json: Json = False,
) -> None:
    """List what waits, the oldest first."""
    if status not in STATUSES:
        raise ValueError(f"There is no status {status!r}; there are {', '.join(STATUSES)}.")
    at = now()
    owner = id_of(workspace) if workspace else None
    wanted = Wanted(
        (), connector, reason, status, first(since, at) if since else Micros(0), owner, nobody, "lead" if leads else ""
    )
    found = asyncio.run(look(target(data), wanted, limit))
    if json:
        out.as_json(found)
    elif not found:
        typer.echo("Nothing of that kind is in quarantine.")
    else:
        columns = ["id", "age", "connector", "connection", "attempts", "status", "bytes", "reason"]
        if leads:
            columns.insert(2, "numbers and addresses")
        out.table(columns, [row_of(entry, showing.age(entry.quarantined_at, at), leads) for entry in found])


def row_of(entry: Entry, age: str, leads: bool) -> tuple[object, ...]:
    ways = [" ".join((*entry.phones, *entry.emails))] if leads else []
    said = entry.connector, entry.connection, entry.attempts, entry.status, entry.size
    return entry.id, age, *ways, *said, " ".join(entry.reason.split())


@app.command()
def show(
    id: OneId,
    raw: Annotated[bool, typer.Option("--raw", help="The exact bytes, and nothing else.")] = False,
    data: Data = None,
    json: Json = False,
) -> None:
    """Show one delivery: why it lies here, where its bytes are, its headers and the bytes."""
    entry, record = asyncio.run(fetch(target(data), id_of(id)))
    fact, said = showing.delivery_of(record)
    if raw:
        sys.stdout.buffer.write(said.body)
        sys.stdout.buffer.flush()
        return
    told: dict[str, Any] = msgspec.to_builtins(entry) | {
        "type": type(fact).__name__ if fact else "unreadable",
        "received_at": showing.iso(entry.received_at),
        "quarantined_at": showing.iso(entry.quarantined_at),
        "record_headers": {name: value.decode(errors="replace") for name, value in record.headers},
        "headers": said.headers,
        "query": said.query,
        "body": showing.readable(said.body),
    }
    if json:
        out.as_json(told)
        return
    for name, value in told.items():
        if isinstance(value, dict):
            typer.echo("\n".join([name, *(f"  {key}: {text}" for key, text in value.items())]))
        elif value not in ("", None):
            typer.echo(f"{name}\n{value}" if name == "body" else f"{name:<15} {value}")


@app.command()
def reparse(
    ids: Ids = [],  # noqa: B006
    connector: Connector = "",
    everything: Annotated[bool, typer.Option("--all", help="All that waits.")] = False,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Say what would become of it; send nothing.")] = False,
    actor: Actor = "",
    data: Data = None,
    json: Json = False,
) -> None:
    """Take deliveries up again with today's connectors. Run it as often as you like: twice is once."""
    if sum((bool(ids), bool(connector), everything)) != 1:
        raise ValueError("Name what to take up again: ids, or --connector, or --all. Nothing was changed.")
    wanted = Wanted(tuple(map(id_of, ids)), connector, status="all" if ids else "waiting")
    outcomes = asyncio.run(taken_up(target(data), wanted, dry_run, actor or getpass.getuser(), json))
    if json:
        out.as_json(outcomes)
    else:
        out.table(("id", "status", "attempts", "reason"), [(o.id, o.status, o.attempts, o.reason) for o in outcomes])
    waiting = {outcome.id for outcome in outcomes if outcome.status == "waiting"}
    leads = asyncio.run(look(target(data), Wanted(at_risk="lead"))) if waiting else []
    if people := sum(entry.id in waiting for entry in leads):
        typer.echo(f"{people} of them may be people waiting for an answer: `crm quarantine list --leads`.", err=True)
    if waiting:
        raise typer.Exit(1)


@app.command()
def discard(
    ids: Ids,
    reason: Annotated[str, typer.Option(help="Why it is not needed: it stands in the journal.")],
    actor: Actor = "",
    data: Data = None,
    json: Json = False,
) -> None:
    """Settle that deliveries are not needed. Their bytes stay in Kafka."""
    if not reason.strip():
        raise ValueError("Say with --reason why it is not needed. Nothing was changed.")
    wanted = Wanted(tuple(map(id_of, ids)), status="all")
    found = asyncio.run(set_aside(target(data), wanted, reason.strip(), actor or getpass.getuser()))
    if json:
        out.as_json(found)
    for entry in () if json else found:
        typer.echo(f"{entry.id} is {entry.status}.")
    if any(entry.status != "discarded" for entry in found):
        raise typer.Exit(1)


async def look(where: Target, wanted: Wanted, limit: int | None = None) -> list[Entry]:
    async with await AsyncConnection.connect(where.database_url) as conn:
        found = await listed(conn, wanted, limit)
    if missing := sorted({*wanted.ids} - {entry.id for entry in found}):
        raise ValueError(f"Nothing in quarantine has the id {', '.join(missing)}. Nothing was changed.")
    return found


async def fetch(where: Target, id: Id) -> tuple[Entry, Any]:
    (entry,) = await look(where, Wanted(ids=(id,), status="all"))
    async with Places(where.kafka_bootstrap) as places:
        return entry, await places.record(entry.topic, entry.partition, entry.offset)


async def taken_up(where: Target, wanted: Wanted, dry_run: bool, actor: str, quiet: bool) -> list[Outcome]:
    entries = await look(where, wanted)
    outcomes: list[Outcome] = []
    with progress("taking up again", len(entries), "deliveries", quiet) as advance:

        def tell(outcome: Outcome) -> None:
            outcomes.append(outcome)
            advance(1)

        async with desk(where.kafka_bootstrap, where.database_url, actor) as at:
            if dry_run:
                async for one in again.attempts(at.conn, at.places, entries, at.by, tell):
                    tell(Outcome(one.entry.id, one.would, one.tried, one.told))
            else:
                await again.reparse(at.conn, at.places, at.log, entries, at.by, tell)
    return outcomes


async def set_aside(where: Target, wanted: Wanted, reason: str, actor: str) -> list[Entry]:
    entries = await look(where, wanted)
    async with desk(where.kafka_bootstrap, where.database_url, actor) as at:
        return await again.discard(at.conn, at.log, entries, reason, at.by)

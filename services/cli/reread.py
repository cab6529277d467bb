"""What `crm reparse` and `crm fill` share: which deliveries, and what is told of the corrections."""

import asyncio
import getpass
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import ExitStack
from pathlib import Path
from typing import Annotated, Any

import typer
from psycopg import AsyncConnection

from crm.connector import Connection
from crm.envelope import now
from crm.errors import Broken
from crm.moments import first
from crm.scalars import Id, Micros
from services.cli import output as show
from services.cli.target import Target, archive_of, id_of, target
from services.connectors import CONNECTORS
from services.operations.archive.progress import Advance, progress
from services.operations.quarantine.desk import Desk, desk
from services.operations.reparse.applying import Outcome, carried_out
from services.operations.reparse.corrections import Correction
from services.operations.reparse.past import Past, past
from services.operations.reparse.scan import Fill, Reparse, corrections

NEVER = Micros(2**63 - 1)
SHOWN = 20  # corrections
DECIDED = "SELECT topic, partition, next_offset FROM core.checkpoint WHERE consumer = 'decide'"

Connector = Annotated[str, typer.Option(help=f"One of {', '.join(CONNECTORS)}.")]
Since = Annotated[str, typer.Option(help="Deliveries since then: 30d, 2h, or a date and time (UTC).")]
Until = Annotated[str, typer.Option(help="Deliveries before then.", show_default="now")]
Workspace = Annotated[str, typer.Option("--workspace", help="Of this workspace alone.", show_default="all")]
Dry = Annotated[bool, typer.Option("--dry-run", help="Say what would change, and change nothing.")]
Overwrite = Annotated[bool, typer.Option("--overwrite", help="Also what was changed on the card since.")]
Steps = Callable[[Desk, dict[Id, Connection], str], Awaitable[Reparse | Fill]]  # at the desk, of these, by whom
Archive = Annotated[
    Path | None,
    typer.Option("--archive", help="Has what Kafka no longer has.", show_default="CRM_ARCHIVE, or beside the data"),
]
Actor = Annotated[str, typer.Option(help="Who does it: it stands in the journal.", show_default="you")]


def period(since: str, until: str) -> tuple[Micros, Micros]:
    at = now()
    begin, end = first(since, at), first(until, at) if until else NEVER
    if begin >= end:
        raise ValueError(f"--until {until} is not after --since {since}: this period is empty. Nothing was changed.")
    return begin, end


def chosen(known: Any, connector: str, workspace: str) -> dict[Id, Connection]:
    """The connections of this connector. Raises ValueError when there are none."""
    owner = id_of(workspace) if workspace else None
    found = {c.id: c for c in known if c.connector == connector and owner in (None, c.workspace)}
    if not found:
        raise ValueError(f"There is no connection of {connector} here. Nothing was changed.")
    return found


def run(
    steps: Steps,
    connector: str,
    since: str,
    until: str,
    workspace: str,
    dry_run: bool,
    actor: str,
    archive: Path | None,
    data: Path | None,
    json: bool,
) -> None:
    """Both commands, from their options to what they print. Raises ValueError, Broken."""
    if connector not in CONNECTORS:
        raise ValueError(f"There is no connector {connector!r}; there are {', '.join(CONNECTORS)}.")
    oldest = archive or archive_of(data)
    span, here, by = period(since, until), target(data), actor or getpass.getuser()

    async def work() -> None:
        async with desk(here.kafka_bootstrap, here.database_url, by) as at:
            connections = chosen(at.by.connections.values(), connector, workspace)
            await go(at.conn, here, connections, span, await steps(at, connections, by), dry_run, oldest, json)

    asyncio.run(work())


async def go(
    conn: AsyncConnection,
    here: Target,
    connections: dict[Id, Connection],
    span: tuple[Micros, Micros],
    steps: Reparse | Fill,
    dry_run: bool,
    archive: Path,
    json: bool,
) -> None:
    done: list[tuple[Correction, Outcome]] = []
    decided = {(t, p): offset for t, p, offset in await (await conn.execute(DECIDED)).fetchall()}
    with ExitStack() as stack:

        def total(count: int) -> Advance:
            return stack.enter_context(progress("Reading again", count, "records", quiet=json))

        facts: AsyncIterator[Past] = past(here.kafka_bootstrap, connections, *span, decided, total, archive=archive)
        async for correction in corrections(conn, facts, steps):
            outcome = Outcome("would change") if dry_run else await carried_out(conn, correction)
            done.append((correction, outcome))
    if json:
        rows = [{**plain(c), "status": o.status, "why": o.why} for c, o in done]
        show.as_json({"dry_run": dry_run, "read": steps.read, "corrections": rows})
        return
    counts = steps.read
    typer.echo(
        f"{counts.read} deliveries read again: {counts.differ} differ, {counts.same} say the same; {counts.gone} are "
        f"not told any more and {counts.unreadable} cannot be read by today's connector: those stay as they are."
    )
    told = [(c.what, k, short(a), short(b), o.status, o.why) for c, o in done[:SHOWN] for k, (a, b) in pairs(c)]
    if told:
        show.table(("card", "what", "was", "becomes", "status", "why"), told)
    if len(done) > SHOWN:
        typer.echo(f"… and {len(done) - SHOWN} more; --json shows all.")
    if any(outcome.status == "refused" for _, outcome in done):
        raise Broken("Some corrections were refused, as said above; all others are done. Mend those and run it again.")


def pairs(correction: Correction) -> list[tuple[str, tuple[Any, Any]]]:
    return list(correction.changes.items()) or [("-", (None, None))]


def plain(correction: Correction) -> dict[str, Any]:
    past = correction.past
    place = f"{past.topic}/{past.partition}/{past.offset}"
    return {"card": correction.what, "fact": past.fact.meta.id, "lies": place, "changes": correction.changes}


def short(value: Any) -> str:
    text = "" if value is None else str(value)
    return text if len(text) <= 40 else f"{text[:39]}…"

"""What `crm reparse` and `crm backfill` share: which deliveries they read, and how they report corrections."""

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
from services.cli import output
from services.cli.target import Target, archive_of, id_of, target
from services.connectors import CONNECTORS
from services.operations.archive.progress import Advance, progress
from services.operations.quarantine.session import OperatorSession, operator_session
from services.operations.reparse.apply import Outcome, apply
from services.operations.reparse.corrections import Correction
from services.operations.reparse.past_facts import PastFact, past_facts
from services.operations.reparse.scan import Fill, Reparse, corrections

NEVER = Micros(2**63 - 1)
SHOWN = 20  # corrections
DECIDED = "SELECT topic, partition, next_offset FROM core.checkpoint WHERE consumer = 'decide'"

Connector = Annotated[str, typer.Option(help=f"One of {', '.join(CONNECTORS)}.")]
Since = Annotated[str, typer.Option(help="Deliveries since then: 30d, 2h, or a date and time (UTC).")]
Until = Annotated[str, typer.Option(help="Deliveries before then.", show_default="now")]
Workspace = Annotated[str, typer.Option("--workspace", help="Only deliveries of this workspace.", show_default="all")]
Dry = Annotated[bool, typer.Option("--dry-run", help="Show what would change without changing it.")]
Overwrite = Annotated[bool, typer.Option("--overwrite", help="Also overwrite what was edited on the card since.")]
# Of a session, its connections and the operator.
Steps = Callable[[OperatorSession, dict[Id, Connection], str], Awaitable[Reparse | Fill]]
Archive = Annotated[
    Path | None,
    typer.Option(
        "--archive", help="Archive with older records than Kafka's.", show_default="$CRM_ARCHIVE or DATA/archive"
    ),
]
Actor = Annotated[str, typer.Option(help="Name of the operator, recorded in the journal.", show_default="you")]


def period(since: str, until: str) -> tuple[Micros, Micros]:
    at = now()
    begin, end = first(since, at), first(until, at) if until else NEVER
    if begin >= end:
        why = f"--until {until} is not later than --since {since}: the period is empty."
        raise ValueError(f"{why} Nothing was changed.")
    return begin, end


def connections_of(known: Any, connector: str, workspace: str) -> dict[Id, Connection]:
    """Returns the connections of this connector by id. Raises ValueError when there are none."""
    owner = id_of(workspace) if workspace else None
    found = {c.id: c for c in known if c.connector == connector and owner in (None, c.workspace)}
    if not found:
        raise ValueError(f"There is no {connector} connection here. Nothing was changed.")
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
    """Runs either command with its options and prints the result. Raises ValueError, Broken."""
    if connector not in CONNECTORS:
        raise ValueError(f"There is no connector {connector!r}. Choose one of {', '.join(CONNECTORS)}.")
    oldest = archive or archive_of(data)
    span, here, by = period(since, until), target(data), actor or getpass.getuser()

    async def work() -> None:
        async with operator_session(here.kafka_bootstrap, here.database_url, by, here.keys) as session:
            connections = connections_of(session.operator.connections.values(), connector, workspace)
            await correct(
                session.conn, here, connections, span, await steps(session, connections, by), dry_run, oldest, json
            )

    asyncio.run(work())


async def correct(
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

        facts: AsyncIterator[PastFact] = past_facts(
            here.kafka_bootstrap, connections, *span, decided, total, archive=archive
        )
        async for correction in corrections(conn, facts, steps):
            outcome = Outcome("would change") if dry_run else await apply(conn, correction)
            done.append((correction, outcome))
    if json:
        corrected = [{**plain(c), "status": o.status, "why": o.why} for c, o in done]
        output.print_json({"dry_run": dry_run, "read": steps.read, "corrections": corrected})
        return
    counts = steps.read
    typer.echo(
        f"Read {counts.read} deliveries again: {counts.differ} differ, {counts.same} are unchanged. Left as they are: "
        f"{counts.gone} that no longer give this fact, {counts.unreadable} that today's connector cannot read."
    )
    rows = [(c.what, k, short(a), short(b), o.status, o.why) for c, o in done[:SHOWN] for k, (a, b) in pairs(c)]
    if rows:
        output.print_table(("card", "field", "was", "becomes", "status", "why"), rows)
    if len(done) > SHOWN:
        typer.echo(f"… and {len(done) - SHOWN} more; --json prints all.")
    if any(outcome.status == "refused" for _, outcome in done):
        raise Broken(
            "Some corrections were refused, see above; all others are done. Fix their causes and run it again."
        )


def pairs(correction: Correction) -> list[tuple[str, tuple[Any, Any]]]:
    return list(correction.changes.items()) or [("-", (None, None))]


def plain(correction: Correction) -> dict[str, Any]:
    past = correction.past
    place = f"{past.topic}/{past.partition}/{past.offset}"
    return {"card": correction.what, "fact": past.fact.meta.id, "lies": place, "changes": correction.changes}


def short(value: Any) -> str:
    text = "" if value is None else str(value)
    return text if len(text) <= 40 else f"{text[:39]}…"

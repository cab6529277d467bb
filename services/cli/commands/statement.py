"""`crm statement`: reads files of bank statements and sends each line as a payment report."""

import asyncio
import os
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from msgspec.structs import asdict

from crm.money import money_text
from services.cli import output
from services.cli.commands.produce import demo_token, sender_to
from services.cli.options import Data, Json
from services.cli.target import id_of, target

if TYPE_CHECKING:
    from crm.delivery import Connection
    from services.statements.facts import Proof
    from services.statements.files import StatementFile
    from services.statements.lines import Assumed
    from services.statements.summary import Total

PANEL, RANK = "Connect", 5
STATUSES = ("accepted", "repeated", "would_accept", "conflict", "refused")
WORDS = {"would_accept": "would be accepted", "conflict": "in conflict", "repeated": "sent before"}
SHOWN = 20  # sentences on one file
COLUMNS = ("account", "currency", "opening", "in", "sum in", "out", "sum out", "pending", "closing", "balance")


def statement(
    files: Annotated[list[Path], typer.Argument(help="Statements as the bank gave them.", exists=True, dir_okay=False)],
    account: Annotated[str, typer.Option(help="Only this account of ours, or that of files that do not say it.")] = "",
    currency: Annotated[str, typer.Option(help="Currency of files that do not say it, such as UAH.")] = "",
    connection: Annotated[
        str, typer.Option(help="Id of the connection by which the same bank's payments come on their own, if any.")
    ] = "",
    money_out: Annotated[
        str, typer.Option(help="Value of the column for debit and credit that means that money went out.")
    ] = "",
    sums: Annotated[str, typer.Option(help="Unit of sums without decimals: minor or major.")] = "",
    dates: Annotated[str, typer.Option(help="Of dates that can be read in two ways: day-first or month-first.")] = "",
    timezone: Annotated[str, typer.Option(help="The bank's time zone.")] = "Europe/Kyiv",
    token: Annotated[
        str, typer.Option(help="Token with scope write.", show_default="$CRM_TOKEN or the demo workspace's")
    ] = "",
    url: Annotated[str, typer.Option(help="Address of intake.", show_default="the running stack's")] = "",
    kafka: Annotated[bool, typer.Option("--kafka", help="Write to Kafka instead of POST /facts.")] = False,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Show counts, sums and balances, and send nothing.")
    ] = False,
    data: Data = None,
    json: Json = False,
) -> None:
    """Send bank statements: MT940, MT942, camt, 1CClientBankExchange, and client-bank CSV, Excel and DBF.

    Each line is a payment. Sending a file again, or one that overlaps with it, changes nothing.
    """
    from services.statements.files import read_path, zone_of
    from services.statements.lines import Assumed

    if sums not in ("", "minor", "major"):
        raise ValueError(f"--sums takes minor or major, not {sums!r}. Nothing was sent.")
    if dates not in ("", "day-first", "month-first"):
        raise ValueError(f"--dates takes day-first or month-first, not {dates!r}. Nothing was sent.")
    zone = zone_of(timezone)
    known = asyncio.run(connection_of(connection, data)) if connection else None
    assumed, proof = assumptions(Assumed(account, currency.upper(), money_out, sums, dates), known)
    read = [(file, read_path(file, assumed, zone, proof)) for file in files]
    results = [
        dry(file, found) if dry_run else send(file, found, token, url, kafka, data, json) for file, found in read
    ]
    if json:
        output.print_json(results)
    else:
        for (file, found), result in zip(read, results, strict=True):
            show(file, found, result)
    if any(found.reading.problems for _, found in read) or any(
        result["refused"] or result["conflict"] for result in results
    ):
        raise typer.Exit(1)


async def connection_of(id: str, data: Path | None) -> "Connection":
    """Raises ValueError when there is no such connection."""
    from services.stack.access import read_directory

    known = id_of(id)
    here = target(data)
    found = (await read_directory(here.kafka_bootstrap, here.keys)).connection(known)
    if found is None:
        raise ValueError(f"There is no connection {id}, or it is off. Nothing was sent. `crm integrations` lists them.")
    return found


def assumptions(said: "Assumed", connection: "Connection | None") -> tuple["Assumed", "Proof | None"]:
    """What a person says counts; the rest is as the connection's settings have it."""
    from msgspec.structs import replace

    from services.connectors import CONNECTORS

    if connection is None:
        return said, None
    settings = connection.settings
    account, currency = said.account or settings.get("account", ""), said.currency or settings.get("currency", "")
    return replace(said, account=account, currency=currency), CONNECTORS[connection.connector].proven_by


def dry(file: Path, found: "StatementFile") -> dict[str, Any]:
    from services.statements.files import check_facts

    good = check_facts(found)
    return result_of(file, found, {"would_accept": good, "refused": len(found.facts) - good}, dry_run=True)


def send(
    file: Path, found: "StatementFile", token: str, url: str, kafka: bool, data: Path | None, json: bool
) -> dict[str, Any]:
    from services.operations.archive.progress import progress
    from services.operations.produce.identity import Identity
    from services.operations.produce.run import produce

    if not found.facts:
        return result_of(file, found, {}, dry_run=False)
    refused = file.with_name(f"{file.name}.refused.ndjson")
    key = token or os.environ.get("CRM_TOKEN", "") or demo_token(data)
    with (
        sender_to(key, url, kafka, False, data) as connected,
        progress("Sending", len(found.facts), "payments", quiet=json) as advance,
    ):
        report = produce(found.facts, connected, Identity(""), refused, advance)
    for sentence in report.sentences:
        found.reading.say(sentence)
    return result_of(file, found, dict(report.statuses), dry_run=False, refused_file=report.refused_file)


def result_of(
    file: Path, found: "StatementFile", statuses: dict[str, int], *, dry_run: bool, refused_file: Path | None = None
) -> dict[str, Any]:
    return {
        "file": str(file),
        "format": found.reading.format,
        "dry_run": dry_run,
        "payments": len(found.facts),
        **{status: statuses.get(status, 0) for status in STATUSES},
        "accounts": [{**asdict(total), "difference": total.difference} for total in found.totals],
        "sentences": found.sentences,
        "refused_file": str(refused_file) if refused_file else None,
    }


def show(file: Path, found: "StatementFile", result: dict[str, Any]) -> None:
    counts = {status: result[status] for status in STATUSES if result[status]}
    said = ", ".join(f"{count:,} {WORDS.get(status, status)}" for status, count in counts.items()) or "no payments"
    word = "payment" if len(found.facts) == 1 else "payments"
    did = "Checked" if result["dry_run"] else "Sent"
    typer.echo(f"{did} {file.name} ({found.reading.format}), {len(found.facts):,} {word}: {said}.")
    if rows := [row_of(total) for total in found.totals]:
        output.print_table(COLUMNS, rows)
    for sentence in found.sentences[:SHOWN]:
        typer.echo(sentence, err=True)
    if len(found.sentences) > SHOWN:
        typer.echo(f"… and {len(found.sentences) - SHOWN:,} more; --json prints all.", err=True)
    if result["refused_file"]:
        output.say(f"What was not accepted is in {result['refused_file']}, each with its reason.", err=True)


def row_of(total: "Total") -> tuple[object, ...]:
    def money(amount_minor: int | None) -> str:
        return "" if amount_minor is None else money_text(amount_minor, total.currency).rpartition(" ")[0]

    return (
        *(total.account, total.currency, money(total.opening), total.count_in, money(total.money_in)),
        *(total.count_out, money(total.money_out), total.pending, money(total.closing), total.in_words),
    )

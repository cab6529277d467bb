"""`crm produce`: sends a file of facts, over HTTP or straight to Kafka."""

import os
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from services.cli import output
from services.cli.options import Data, Json
from services.cli.target import target
from services.stack import demo_workspace, state

if TYPE_CHECKING:
    from services.operations.produce.run import Report
    from services.operations.produce.senders import HttpSender, KafkaSender

PANEL, RANK = "Connect", 4
STATUSES = ("accepted", "repeated", "would_accept", "conflict", "refused")
WORDS = {"would_accept": "would be accepted", "conflict": "in conflict", "repeated": "sent before"}


def produce(
    file: Annotated[Path, typer.Argument(help="NDJSON, JSON, CSV, TSV or Avro, by its ending.", exists=True)],
    type_name: Annotated[str, typer.Option("--type", help="Type of the facts that do not name it, as in CSV.")] = "",
    mapping: Annotated[
        list[str], typer.Option("--map", help="COLUMN=FIELD of a CSV; without a field the column is left out.")
    ] = [],  # noqa: B006
    sender: Annotated[
        str, typer.Option(help="Column or field that says whose facts keep their order, such as a customer's number.")
    ] = "",
    charset: Annotated[str, typer.Option(help="Charset of a CSV.", show_default="by its letters")] = "",
    token: Annotated[
        str, typer.Option(help="Token with scope write.", show_default="$CRM_TOKEN or the demo workspace's")
    ] = "",
    url: Annotated[str, typer.Option(help="Address of intake.", show_default="the running stack's")] = "",
    kafka: Annotated[bool, typer.Option("--kafka", help="Write to Kafka instead of POST /facts.")] = False,
    batch: Annotated[int, typer.Option(help="Lines a request.", min=1, max=50_000)] = 5_000,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Check everything and keep nothing.")] = False,
    data: Data = None,
    json: Json = False,
) -> None:
    """Send a file of facts in its order. Sending it again is harmless; refused lines go to FILE.refused.ndjson."""
    from services.operations.archive.progress import progress
    from services.operations.produce.identity import Identity
    from services.operations.produce.run import produce as send
    from services.operations.produce.sources import FactFile

    facts = FactFile(file, type_name, columns_of(mapping), sender, charset)
    digest, count = facts.digest()
    identity = Identity(digest, "" if facts.is_table else sender, type_name)
    refused = file.with_name(f"{file.name}.refused.ndjson")
    key = token or os.environ.get("CRM_TOKEN", "") or demo_token(data)
    with (
        sender_to(key, url, kafka, dry_run, data) as connected,
        progress("Sending", count, "lines", quiet=json) as advance,
    ):
        report = send(facts.lines(), connected, identity, refused, advance, batch)
    show(report, file, dry_run, json)
    if report.refused:
        raise typer.Exit(1)


def columns_of(mapping: list[str]) -> dict[str, str]:
    for one in mapping:
        if "=" not in one:
            raise ValueError(f"--map takes COLUMN=FIELD, not {one!r}. Nothing was sent.")
    return {column.strip(): place.strip() for column, _, place in (one.rpartition("=") for one in mapping)}


def demo_token(data: Path | None) -> str:
    """Raises ValueError when there is no demo workspace."""
    if demo := demo_workspace.read(data or state.data_folder()):
        return demo.token
    raise ValueError(
        "Give --token or set CRM_TOKEN: there is no demo workspace. Nothing was sent. See `crm token create`."
    )


def sender_to(token: str, url: str, kafka: bool, dry: bool, data: Path | None) -> "HttpSender | KafkaSender":
    from services.operations.produce.senders import HttpSender, KafkaSender

    if kafka and url:
        raise ValueError("--url is an address of intake, which --kafka does not use. Nothing was sent. Leave one out.")
    if kafka:
        return KafkaSender(target(data).kafka_bootstrap, token, dry=dry)
    address = (url or target(data).intake_url).rstrip("/")
    return HttpSender(address if address.endswith("/facts") else f"{address}/facts", token, dry=dry)


def show(report: "Report", file: Path, dry: bool, json: bool) -> None:
    counts = {status: report.statuses[status] for status in STATUSES if report.statuses[status]}
    rate = round(report.lines / report.seconds) if report.seconds else 0
    if json:
        output.print_json(
            {
                "file": str(file),
                "dry_run": dry,
                "lines": report.lines,
                **{status: report.statuses[status] for status in STATUSES},
                "seconds": round(report.seconds, 3),
                "per_second": rate,
                "refused_file": str(report.refused_file) if report.refused_file else None,
            }
        )
        return
    did = "Checked" if dry else "Sent"
    said = ", ".join(f"{count:,} {WORDS.get(status, status)}" for status, count in counts.items()) or "no facts"
    typer.echo(f"{did} {report.lines:,} lines of {file.name} in {report.seconds:.1f} s ({rate:,}/s): {said}.")
    for sentence in report.sentences:
        typer.echo(sentence, err=True)
    if report.refused_file:
        output.say(
            f"Lines that were not accepted: {report.refused:,}. They are in {report.refused_file}, each with its "
            f"reason. Correct them there and run `crm produce {report.refused_file}`: their ids stay the same.",
            err=True,
        )

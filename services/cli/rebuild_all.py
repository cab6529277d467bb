"""`crm rebuild --all --from-empty`: Postgres made whole from Kafka, beside the present one."""

import asyncio

import typer

from services.cli import output as show
from services.cli.rebuild_progress import progress
from services.cli.target import Target
from services.operations.backup import restore
from streams.rebuild import from_empty as whole

STOPPED = "Stopped. The present database is as it was; the next run drops what this one has made."


def run(here: Target, workers: int, budget: int, swap: bool, json: bool) -> None:
    """Without `swap` the new database is dropped when its checksums are told."""
    dsn = here.database_url
    with progress(json, stopped=STOPPED, served=STOPPED) as told:
        found = asyncio.run(whole.from_empty(here.kafka_bootstrap, dsn, workers, budget, told))
    kept = exchange(dsn, found.database) if swap else ""
    if not swap:
        whole.drop(dsn, found.database)
    if json:
        told_ = {name: getattr(found, name) for name in found.__struct_fields__}
        return show.as_json({"equal": found.equal, "kept": kept, **told_})
    rows = []
    for table, made in found.made.items():
        present = found.present.get(table, (0, ""))
        rows.append((table, f"{made[0]:,}", made[1], present[1], "" if present == made else "≠"))
    show.table(("table", "rows", "from Kafka", "present", ""), rows)
    unequal = "Not equal: a fault, or roles were at work meanwhile."
    typer.echo("All checksums are equal." if found.equal else unequal)
    if swap:
        typer.echo(f"The new database has taken the place of the old one, which is kept as {kept}.")


def exchange(dsn: str, new: str) -> str:
    """Both renamed or none; gives the old one's new name. Raises RuntimeError with those who are connected."""
    name = whole.name_of(dsn)
    with whole.maintenance(dsn) as conn:
        restore.alone(conn, name)
        return restore.swap(conn, name, new)

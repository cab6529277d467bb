"""`crm rebuild --all --from-empty`: builds a second database from Kafka alone and compares it with the present one."""

import asyncio

import typer

from services.cli import output
from services.cli.rebuild_progress import progress
from services.cli.target import Target
from services.operations.backup import restore
from streams.rebuild import from_empty

STOPPED = "Stopped. The present database was not changed; the next run drops the unfinished one."


def run(here: Target, workers: int, budget: int, swap: bool, json: bool) -> None:
    """Builds the new database and prints the checksums of both. Drops it afterwards unless `swap`."""
    dsn = here.database_url
    with progress(json, stopped=STOPPED, served=STOPPED) as listener:
        found = asyncio.run(from_empty.from_empty(here.kafka_bootstrap, dsn, workers, budget, listener))
    kept = exchange(dsn, found.database) if swap else ""
    if not swap:
        from_empty.drop(dsn, found.database)
    if json:
        fields = {name: getattr(found, name) for name in found.__struct_fields__}
        return output.print_json({"equal": found.equal, "kept": kept, **fields})
    rows = []
    for table, made in found.made.items():
        present = found.present.get(table, (0, ""))
        rows.append((table, f"{made[0]:,}", made[1], present[1], "" if present == made else "≠"))
    output.print_table(("table", "rows", "from Kafka", "present", ""), rows)
    unequal = "The checksums differ: either there is a defect, or roles were running meanwhile."
    typer.echo("All checksums are equal." if found.equal else unequal)
    if swap:
        typer.echo(f"The new database is in use now. The old one is kept as {kept}.")


def exchange(dsn: str, new: str) -> str:
    """Renames both databases, or none, and returns the old one's new name.

    Raises RuntimeError with the sessions that are connected.
    """
    name = from_empty.name_of(dsn)
    with from_empty.maintenance(dsn) as conn:
        restore.require_unused(conn, name)
        return restore.swap(conn, name, new)

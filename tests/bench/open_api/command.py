"""`crm bench open-api`."""

import asyncio
import logging
from typing import Annotated, Any

import typer

from services.cli import output as show
from services.cli.options import Json
from tests.bench.open_api.run import PARTS, bench
from tests.bench.progress import progress_printer


def open_api(
    only: Annotated[str, typer.Option(help=f"Parts, with commas between them: {', '.join(PARTS)}.")] = ",".join(PARTS),
    seconds: Annotated[
        int, typer.Option(min=1, help="Of each part; forms during updates take six times as long.")
    ] = 20,
    deals: Annotated[int, typer.Option(min=1_000, help="That pages and totals are asked of.")] = 1_000_000,
    questions: Annotated[int, typer.Option(min=2, help="Of each kind of page and total.")] = 200,
    json: Json = False,
) -> None:
    """POST /facts, upserts, filtered pages and totals, side by side with PostGraphile, on servers of its own."""
    parts = [part.strip() for part in only.split(",")]
    if unknown := [part for part in parts if part not in PARTS]:
        raise ValueError(f"There is no part {unknown[0]!r}. Nothing was measured. The parts are {', '.join(PARTS)}.")
    logging.getLogger("aiokafka").setLevel(logging.CRITICAL)  # a server that starts does not answer at first
    found = asyncio.run(bench(parts, seconds, deals, questions, progress_printer(json)))
    show.print_json(found) if json else print_goals(found)


def print_goals(found: dict[str, Any]) -> None:
    """Prints a table."""
    rows = [(row["what"], row["found"], row["goal"], "yes" if row["met"] else "NO") for row in found["goals"]]
    show.print_table(("what", "found", "goal", "met"), rows)

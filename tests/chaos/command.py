"""`crm chaos`: breaks a stack of its own, again and again, and checks that no fact is lost or counted twice."""

import asyncio
import logging
import os
import signal
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Annotated

import structlog
import typer
from rich.console import Console

from services.cli import output as show
from services.cli.options import Json

if TYPE_CHECKING:
    from tests.chaos.faults import Fault
    from tests.chaos.outcome import Outcome

WIDTHS = (28, 9, 9, 6, 6, 6, 7, 7, 4)
COLUMNS = ("fault", "acked", "effects", "lost", "twice", "times", "p50 s", "max s", "ok")


def chaos(
    fault: Annotated[str, typer.Option(help="Its name, several with commas, or all.")] = "all",
    facts: Annotated[int, typer.Option(min=1, help="Acknowledged for each fault.")] = 100_000,
    rate: Annotated[int, typer.Option(min=1, help="Facts a second, at most.")] = 2_000,
    seed: Annotated[str, typer.Option(help="The same seed makes the same schedule.")] = "1",
    keep: Annotated[
        Path | None, typer.Option(help="A folder for data and logs.", show_default="they are deleted")
    ] = None,
    only_list: Annotated[bool, typer.Option("--list", help="Print the faults; break nothing.")] = False,
    json: Json = False,
) -> None:
    """Break a stack of its own on purpose and prove that nothing is lost. Exits with 1 when anything is."""
    from tests.chaos.faults import faults_named  # with all that a harness needs, which no other command does

    faults = faults_named(fault)
    if only_list:
        rows = [{"fault": f.name, "sentence": f.sentence} for f in faults]
        return (
            show.print_json(rows)
            if json
            else show.print_table(("fault", "what happens"), [list(t.values()) for t in rows])
        )
    logging.getLogger("aiokafka").setLevel(logging.CRITICAL)  # servers that are away are the point
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.CRITICAL))
    signal.signal(signal.SIGTERM, lambda *_: signal.raise_signal(signal.SIGINT))  # either way all is stopped in order
    outcomes = asyncio.run(every(faults, facts, rate, seed, keep, json))
    if json:
        show.print_json(outcomes)
    raise typer.Exit(0 if all(outcome.ok for outcome in outcomes) else 1)


async def every(
    faults: "Sequence[Fault]", facts: int, rate: int, seed: str, keep: Path | None, quiet: bool
) -> "list[Outcome]":
    """Runs the faults one by one, each on a new cluster. Faults that this machine cannot run are named and skipped."""
    from tests.chaos.run import run_fault
    from tests.chaos.unavailable import Unavailable

    table = Console(highlight=False, width=200, quiet=quiet)
    progress = Console(stderr=True, quiet=not sys.stderr.isatty())
    table.print(line(COLUMNS), style="bold")
    outcomes = []
    for fault in faults:
        with folder(keep, fault.name) as data, progress.status(fault.name) as status:
            try:
                outcome = await run_fault(fault, data, os.environ, facts, rate, seed, status.update)
            except Unavailable as error:
                typer.echo(f"{fault.name} is left out: {error}", err=True)
                continue
        outcomes.append(outcome)
        table.print(line(cells(outcome)), style="" if outcome.ok else "red")
        for sentence in outcome.broken:
            table.print(f"  {sentence}", style="red", markup=False, soft_wrap=True)
    return outcomes


@contextmanager
def folder(keep: Path | None, name: str) -> Iterator[Path]:
    """Makes the fault's data folder. Raises ValueError when it exists: a fault starts without data."""
    if keep is None:
        with TemporaryDirectory(prefix=f"crm-chaos-{name}-") as made:
            yield Path(made)
        return
    data = (keep / name).absolute()
    if data.exists():
        raise ValueError(f"{data} is there already, and {name} needs a new folder. Nothing was started.")
    data.mkdir(parents=True)
    yield data


def cells(outcome: "Outcome") -> tuple[object, ...]:
    found = outcome.recovery_s
    figures = outcome.acked, outcome.effects, outcome.lost, outcome.duplicated, outcome.injections
    return outcome.fault, *(f"{figure:,}" for figure in figures), found.p50, found.max, "yes" if outcome.ok else "NO"


def line(cells: Sequence[object]) -> str:
    """Aligns the first cell to the left and all others to the right."""
    first, *others = zip(cells, WIDTHS, strict=True)
    return f"{first[0]:<{first[1]}}" + "".join(f"{'' if cell is None else cell:>{width}}" for cell, width in others)

"""`crm bench rebuild`, `rebuild-under-load`, `replay`, `asof`: figures of history, each on servers of its own."""

import asyncio
import logging
from collections.abc import Callable, Coroutine
from pathlib import Path
from typing import Annotated, Any

import typer

from services.cli import output as show
from services.cli.options import Json
from tests.bench import asof as asof_benchmark
from tests.bench import rebuild as rebuilding
from tests.bench import rebuild_under_load
from tests.bench import replay as replay_benchmark
from tests.bench.progress import progress_printer


def rebuilt(
    events: Annotated[int, typer.Option(min=17, help="In the journal.")] = 5_000_000,
    scale: Annotated[int, typer.Option(min=1, help="Then so many times the events: --scale 10.")] = 1,
    workers: Annotated[int, typer.Option(min=1, help="Processes.")] = 2,
    memory: Annotated[int, typer.Option(min=1, help="MB of rows in memory; the rest waits in Postgres.")] = 1024,
    rivals: Annotated[bool, typer.Option(" /--without-rivals", help="Leave the other libraries out.")] = True,
    rivals_events: Annotated[int, typer.Option(min=17, help="That each of these folds.")] = 60_000,
    json: Json = False,
) -> None:
    """Rebuild tables from a long journal, from the first byte to the swapped view, on servers of its own.

    A million events take up to 1 GB in the temporary folder. Free space is checked first.
    """
    work = rebuilding.bench(events, workers, memory << 20, rivals, scale, rivals_events, progress_printer(json))
    found = run(work)
    show.print_json(found) if json else print_rebuilds(found)


def print_rebuilds(found: dict[str, Any]) -> None:
    """Prints a table."""
    rows = [rebuild_row(name, found["settings"]["events"], run) for name, run in found["rebuild"].items()]
    if scaled := found.get("scaled"):
        rows += [rebuild_row(name, scaled["events"], run) for name, run in scaled["rebuild"].items()]
    for name, measured in found.get("rivals", {}).items():
        rate = f"{measured['events_per_second']:,.0f}" if "failed" not in measured else measured["failed"]
        rows.append((name, f"{measured['events']:,.0f}", rate, "", ""))
    show.print_table(("what", "events", "events/s", "goal", "MB at most"), rows)
    if scaled:
        ratios = ", ".join(f"{name} {run['scaled_ratio']:.2f}" for name, run in found["rebuild"].items())
        typer.echo(
            f"Rate of {scaled['times']} times the events to that of the others: {ratios}; the goal is 0.9 to 1.1."
        )


def rebuild_row(name: str, events: int, measured: dict[str, Any]) -> tuple[str, ...]:
    figures = (events, measured["events_per_second"], measured["goal"], measured["memory_peak_mb"])
    return (name, *(f"{figure:,}" for figure in figures))


def under_load(
    events: Annotated[int, typer.Option(min=17, help="In the journal before.")] = 1_000_000,
    rate: Annotated[int, typer.Option(min=2, help="Facts a second all the while.")] = 2_000,
    forms: Annotated[int, typer.Option(min=1, help="Of these: forms that are posted and looked for in GraphQL.")] = 100,
    seconds: Annotated[int, typer.Option(min=1, help="Before the rebuild, and after it.")] = 30,
    full_speed: Annotated[bool, typer.Option("--full-speed", help="A rebuild that gives way to nobody.")] = False,
    json: Json = False,
) -> None:
    """Form to GraphQL under load: before, during and after `crm rebuild deal contact`."""
    options = ["--full-speed"] if full_speed else []
    found = run(rebuild_under_load.bench(events, rate, forms, seconds, options, progress_printer(json)))
    show.print_json(found) if json else print_periods(found)


def print_periods(found: dict[str, Any]) -> None:
    """Prints a table."""
    columns = ("period", "seconds", "facts/s", "events behind", "p50 ms", "p99 ms", "max ms")
    rows = [
        [measured["seconds"], measured["facts_per_s"], measured["events_behind"], *map(measured["visible_ms"].get, MS)]
        for measured in found["periods"].values()
    ]
    rows = [[name, *row] for name, row in zip(found["periods"], rows, strict=True)]
    show.print_table(columns, rows)
    typer.echo(f"p99 during a rebuild: {found['p99_during_to_before']} times what it was; the goal is below 1.5.")
    if not found["kept_up"]:
        typer.echo("This machine did not carry the load before the rebuild either: take a lower --rate.")


def replay(
    events: Annotated[int, typer.Option(min=17, help="In the journal.")] = 5_000_000,
    file: Annotated[Path, typer.Option(help="With the projections.")] = replay_benchmark.TEMPLATE,
    json: Json = False,
) -> None:
    """`crm replay` to Parquet from Kafka, from an archive and from both, and whether the rows are equal."""
    found = run(replay_benchmark.bench(events, file, progress_printer(json)))
    show.print_json(found) if json else print_sources(found)


def print_sources(found: dict[str, Any]) -> None:
    """Prints a table."""
    rows = [
        (source, f"{measured['events_per_second']:,}", measured["seconds"], f"{sum(measured['rows'].values()):,}")
        for source, measured in found["replay"].items()
    ]
    show.print_table(("out of", "events/s", "seconds", "rows"), rows)
    typer.echo(f"{'Equal rows' if found['equal'] else 'THE ROWS DIFFER'}; the goal is {found['goal']:,} events/s.")


def asof(
    events: Annotated[int, typer.Option(min=20, help="Of one card.")] = 1_000,
    moments: Annotated[int, typer.Option(min=20, help="That are asked for, on both clocks.")] = 200,
    json: Json = False,
) -> None:
    """A deal with a long history as of a moment: in GraphQL, and by the query of `crm asof`."""
    found = run(asof_benchmark.bench(events, moments, progress_printer(json)))
    show.print_json(found) if json else print_moments(found)


def print_moments(found: dict[str, Any]) -> None:
    """Prints a table."""
    rows = [[name, *map(found[name].get, MS)] for name in ("graphql", "plain")]
    show.print_table(("as of", "p50 ms", "p99 ms", "max ms"), rows)
    typer.echo(f"{found['graphql']['wrong']} wrong answers; the goal is a p99 below {found['goal_p99_ms']:g} ms.")


MS = ("p50_ms", "p99_ms", "max_ms")


def run(work: Coroutine[Any, Any, dict[str, Any]]) -> dict[str, Any]:
    logging.getLogger("aiokafka").setLevel(logging.CRITICAL)  # a server that starts does not answer at first
    return asyncio.run(work)


COMMANDS: dict[str, Callable[..., None]] = {
    "rebuild": rebuilt,
    "rebuild-under-load": under_load,
    "rebuild-beside": under_load,  # its name until 2026-11
    "replay": replay,
    "asof": asof,
}

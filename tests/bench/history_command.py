"""`crm bench rebuild`, `rebuild-beside`, `replay`, `asof`: figures of history, each on servers of its own."""

import asyncio
import logging
from collections.abc import Callable, Coroutine
from pathlib import Path
from typing import Annotated, Any

import typer

from services.cli import output as show
from services.cli.options import Json
from tests.bench import busy, longlived, replayed
from tests.bench import rebuild as rebuilding


def rebuilt(
    events: Annotated[int, typer.Option(min=17, help="In the journal.")] = 5_000_000,
    scale: Annotated[int, typer.Option(min=1, help="Then so many times the events: --scale 10.")] = 1,
    workers: Annotated[int, typer.Option(min=1, help="Processes.")] = 2,
    memory: Annotated[int, typer.Option(min=1, help="MB of rows in memory; the rest waits in Postgres.")] = 1024,
    rivals: Annotated[bool, typer.Option(" /--without-rivals", help="Leave the other libraries out.")] = True,
    rivals_events: Annotated[int, typer.Option(min=17, help="That each of these folds.")] = 60_000,
    json: Json = False,
) -> None:
    """A long journal into tables, from the first byte to the swapped view, on servers of its own.

    A million events take up to 1 GB of the temporary folder: 50,000,000 up to 50 GB. It is checked before.
    """
    work = rebuilding.bench(events, workers, memory << 20, rivals, scale, rivals_events, show.teller(json))
    found = run(work)
    show.as_json(found) if json else tell_rebuilds(found)


def tell_rebuilds(found: dict[str, Any]) -> None:
    """The table for people."""
    rows = [rebuild_row(name, found["settings"]["events"], run) for name, run in found["rebuild"].items()]
    if scaled := found.get("scaled"):
        rows += [rebuild_row(name, scaled["events"], run) for name, run in scaled["rebuild"].items()]
    for name, told in found.get("beside", {}).items():
        rate = f"{told['events_per_second']:,.0f}" if "failed" not in told else told["failed"]
        rows.append((name, f"{told['events']:,.0f}", rate, "", ""))
    show.table(("what", "events", "events/s", "goal", "MB at most"), rows)
    if scaled:
        ratios = ", ".join(f"{name} {run['scaled_ratio']:.2f}" for name, run in found["rebuild"].items())
        typer.echo(
            f"Rate of {scaled['times']} times the events to that of the others: {ratios}; the goal is 0.9 to 1.1."
        )


def rebuild_row(name: str, events: int, told: dict[str, Any]) -> tuple[str, ...]:
    figures = (events, told["events_per_second"], told["goal"], told["memory_peak_mb"])
    return (name, *(f"{figure:,}" for figure in figures))


def beside(
    events: Annotated[int, typer.Option(min=17, help="In the journal before.")] = 1_000_000,
    rate: Annotated[int, typer.Option(min=2, help="Facts a second all the while.")] = 2_000,
    forms: Annotated[int, typer.Option(min=1, help="Of these: forms that are posted and looked for in GraphQL.")] = 100,
    seconds: Annotated[int, typer.Option(min=1, help="Before the rebuild, and after it.")] = 30,
    full_speed: Annotated[bool, typer.Option("--full-speed", help="A rebuild that gives way to nobody.")] = False,
    json: Json = False,
) -> None:
    """Form to GraphQL under load: before `crm rebuild deal contact` runs beside it, meanwhile and afterwards."""
    options = ["--full-speed"] if full_speed else []
    found = run(busy.bench(events, rate, forms, seconds, options, show.teller(json)))
    show.as_json(found) if json else tell_periods(found)


def tell_periods(found: dict[str, Any]) -> None:
    """The table for people."""
    columns = ("period", "seconds", "facts/s", "events behind", "p50 ms", "p99 ms", "max ms")
    rows = [
        [told["seconds"], told["facts_per_s"], told["events_behind"], *map(told["visible_ms"].get, MS)]
        for told in found["periods"].values()
    ]
    rows = [[name, *row] for name, row in zip(found["periods"], rows, strict=True)]
    show.table(columns, rows)
    typer.echo(f"p99 beside a rebuild: {found['p99_during_to_before']} times what it was; the goal is below 1.5.")
    if not found["kept_up"]:
        typer.echo("This machine did not carry the load before the rebuild either: take a lower --rate.")


def replay(
    events: Annotated[int, typer.Option(min=17, help="In the journal.")] = 5_000_000,
    file: Annotated[Path, typer.Option(help="With the projections.")] = replayed.TEMPLATE,
    json: Json = False,
) -> None:
    """`crm replay` into Parquet out of Kafka, out of an archive and out of both, and whether the rows are equal."""
    found = run(replayed.bench(events, file, show.teller(json)))
    show.as_json(found) if json else tell_sources(found)


def tell_sources(found: dict[str, Any]) -> None:
    """The table for people."""
    rows = [
        (source, f"{told['events_per_second']:,}", told["seconds"], f"{sum(told['rows'].values()):,}")
        for source, told in found["replay"].items()
    ]
    show.table(("out of", "events/s", "seconds", "rows"), rows)
    typer.echo(f"{'Equal rows' if found['equal'] else 'THE ROWS DIFFER'}; the goal is {found['goal']:,} events/s.")


def asof(
    events: Annotated[int, typer.Option(min=20, help="Of one card.")] = 1_000,
    moments: Annotated[int, typer.Option(min=20, help="That are asked for, on both clocks.")] = 200,
    json: Json = False,
) -> None:
    """One card with a long history as it was at a moment: in GraphQL, and as `crm asof` asks."""
    found = run(longlived.bench(events, moments, show.teller(json)))
    show.as_json(found) if json else tell_moments(found)


def tell_moments(found: dict[str, Any]) -> None:
    """The table for people."""
    rows = [[name, *map(found[name].get, MS)] for name in ("graphql", "plain")]
    show.table(("as of", "p50 ms", "p99 ms", "max ms"), rows)
    typer.echo(f"{found['graphql']['wrong']} wrong answers; the goal is a p99 below {found['goal_p99_ms']:g} ms.")


MS = ("p50_ms", "p99_ms", "max_ms")


def run(work: Coroutine[Any, Any, dict[str, Any]]) -> dict[str, Any]:
    logging.getLogger("aiokafka").setLevel(logging.CRITICAL)  # a server that starts does not answer at first
    return asyncio.run(work)


COMMANDS: dict[str, Callable[..., None]] = {
    "rebuild": rebuilt,
    "rebuild-beside": beside,
    "replay": replay,
    "asof": asof,
}

"""`crm bench`: figures of this machine against the running stack, as JSON."""

import asyncio
import logging
from typing import Annotated, Any

import typer

from services.cli import output as show
from services.cli.options import Data, Json
from services.cli.target import target
from services.stack import demo_workspace, state
from tests.bench import history_command as bench_history
from tests.bench import lookups
from tests.bench.connects import connects as flooded
from tests.bench.graphql.run import measure
from tests.bench.graphql.wrk import Load
from tests.bench.intake import bench_intake
from tests.bench.overload import overload as overloaded
from tests.bench.streamed import streamed
from tests.bench.subscriptions import subscriptions as open_subscriptions
from tests.bench.visible import visible

app = typer.Typer(no_args_is_help=True, help="Measure: each prints JSON with its machine, settings and percentiles.")
Seconds = Annotated[int, typer.Option(min=1, help="How long.")]
for name, command in bench_history.COMMANDS.items():
    app.command(name)(command)


@app.command()
def intake(
    seconds: Seconds = 15,
    connections: Annotated[int, typer.Option(min=1, help="At once.")] = 64,
    data: Data = None,
    json: Json = False,
) -> None:
    """Form POSTs that the intake acknowledges, a second."""
    here, known = target(data), demo(data)
    found = bench_intake(
        here.intake_url, known.form, seconds=seconds, connections=connections, progress=show.teller(json)
    )
    if stack := state.read(data or state.data_folder()):
        found["settings"]["beside"] = sorted({part.name for part in stack.parts} - {"intake", "kafka"})
    show.as_json(found)


@app.command("end-to-end")
def end_to_end(
    rate: Annotated[int, typer.Option(min=1, help="Facts a second, streamed straight to Kafka.")] = 10_000,
    seconds: Seconds = 60,
    forms: Annotated[int, typer.Option(min=1, help="Forms a second, of which each is looked for in GraphQL.")] = 200,
    forms_seconds: Annotated[int, typer.Option(min=1, help="How long these.")] = 20,
    data: Data = None,
    json: Json = False,
) -> None:
    """Form to GraphQL at a steady rate; then facts decided and projected, streamed in."""
    here, known, told = target(data), demo(data), show.teller(json)
    address = f"{here.intake_url}/in/{known.form}"

    async def both() -> list[dict[str, Any]]:
        seen = await visible(address, here.graphql_url, known.token, forms, forms_seconds, told)
        flow = await streamed(here.kafka_bootstrap, here.database_url, known.workspace, rate, seconds, told)
        return [seen, flow]

    show.as_json(asyncio.run(both()))


@app.command()
def overload(
    rate: Annotated[int, typer.Option(min=1, help="Facts a second, streamed straight to Kafka.")] = 50_000,
    seconds: Seconds = 60,
    connections: Annotated[int, typer.Option(min=1, help="That post forms, each as fast as it is answered.")] = 512,
    patience: Annotated[int, typer.Option(min=1, help="Seconds for everything to be decided afterwards.")] = 900,
    data: Data = None,
    json: Json = False,
) -> None:
    """Far more than the roles can do: what memory they take, and that what was acknowledged is decided."""
    known, told, folder = demo(data), show.teller(json), data or state.data_folder()
    address = f"{state.running(folder).intake_url}/in/{known.form}"
    run = overloaded(folder, address, known.workspace, rate, seconds, connections, patience, told)
    show.as_json(asyncio.run(run))


@app.command()
def graphql(
    contacts: Annotated[
        int, typer.Option(min=150, help="Each with five deals, each of these with a payment.")
    ] = 20_000,
    seconds: Seconds = 5,
    connections: Annotated[int, typer.Option(min=1, help="At once.")] = 16,
    postgraphile: Annotated[bool, typer.Option(" /--without-postgraphile", help="Leave PostGraphile out.")] = True,
    json: Json = False,
) -> None:
    """Four questions to this API, to plain strawberry and to PostGraphile, on servers of their own, side by side."""
    logging.getLogger("aiokafka").setLevel(logging.CRITICAL)  # a server that starts does not answer at first
    load = Load(seconds, connections=connections)
    found = asyncio.run(measure(contacts, load, postgraphile, show.teller(json)))
    show.as_json(found) if json else beside(found)


Contacts = Annotated[int, typer.Option(min=1000, help="Among whom one is looked for.")]
Rate = Annotated[int, typer.Option(min=1, help="Questions a second.")]


@app.command()
def caller(contacts: Contacts = 1_000_000, rate: Rate = 200, seconds: Seconds = 20, json: Json = False) -> None:
    """Who has this number? In any spelling, of people known and unknown, on servers of its own."""
    logging.getLogger("aiokafka").setLevel(logging.CRITICAL)
    show.as_json(asyncio.run(lookups.caller(contacts, rate, seconds, show.teller(json))))


@app.command()
def search(contacts: Contacts = 1_000_000, rate: Rate = 10, seconds: Seconds = 20, json: Json = False) -> None:
    """Names whole, begun and misspelt, parts of phones and e-mails, deals by number, on servers of its own."""
    logging.getLogger("aiokafka").setLevel(logging.CRITICAL)
    show.as_json(asyncio.run(lookups.search(contacts, rate, seconds, show.teller(json))))


@app.command()
def connects(
    count: Annotated[int, typer.Option(min=1, help="Connections that say nothing.")] = 100_000,
    at_once: Annotated[int, typer.Option(min=1, help="Open at the same time.")] = 10_000,
    data: Data = None,
    json: Json = False,
) -> None:
    """Connections to the API that say nothing: all are let go, and everybody else is answered meanwhile."""
    here, known = target(data), demo(data)
    show.as_json(asyncio.run(flooded(here.graphql_url, known.token, count, at_once, show.teller(json))))


def beside(found: dict[str, Any]) -> None:
    """The table for people."""
    names = [name for name in ("potik", "plain strawberry", "postgraphile") if name in found["questions"][0]]
    rows = [
        [
            row["question"],
            *(f"{row[name]['requests_per_s']:,.0f}/s, p99 {row[name]['p99_ms']:g} ms" for name in names),
            row.get("times_postgraphile"),
            row["goal_per_s"],
        ]
        for row in found["questions"]
    ]
    show.table(["question", *names, "times PostGraphile", "goal/s"], rows)


@app.command()
def subscriptions(
    count: Annotated[int, typer.Option(min=1, help="Subscriptions, each to a deal of its own.")] = 10_000,
    rate: Annotated[int, typer.Option(min=1, help="Deals a second that change.")] = 1_000,
    data: Data = None,
    json: Json = False,
) -> None:
    """Open subscriptions: how soon each is told of the change of its deal, and what they take of the API."""
    here, known, told = target(data), demo(data), show.teller(json)
    run = open_subscriptions(
        here.graphql_url, here.kafka_bootstrap, here.database_url, known.workspace, known.token, count, rate, told
    )
    show.as_json(asyncio.run(run))


def demo(data: Data) -> demo_workspace.Demo:
    """Raises ValueError when there is none."""
    if found := demo_workspace.read(data or state.data_folder()):
        return found
    raise ValueError("There is no demo workspace yet: start the stack once with `crm up`.")
